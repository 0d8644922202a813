//! Keys, in native files or in those of the TFHE library, each read once.

use std::{io::ErrorKind, path::Path};

use tfhe_core::{
    keys::{CloudKey, SecretKey},
    parameters::Parameters,
    serial::{
        FileContent, Frame, Kind,
        tfhe_lib::{self, Form, KeySet, ParameterSet},
    },
};

use crate::{
    error::{About, Error, Result},
    files::{input::Input, named::Named},
};

/// What file of the TFHE library an input seems to be, by its first bytes; none where it begins as none does.
///
/// # Errors
/// [`Error::Io`] where it cannot be read.
pub(crate) fn recognise(input: &mut Input) -> Result<Option<Form>> {
    Ok(tfhe_lib::recognise(input.start(tfhe_lib::START_BYTES)?))
}

/// The key set of the TFHE library in an input.
///
/// # Errors
/// [`Error::Crypto`], about the file, where it is none.
pub(crate) fn key_set(input: &mut Input) -> Result<KeySet> {
    let name = input.name().to_owned();
    KeySet::read(input).about(&name)
}

/// A secret key, of either form.
///
/// # Errors
/// [`Error::NoKey`] where there is no such file; [`Error::NoKeySet`] for what else the TFHE library writes; [`Error::Crypto`], about it, where it holds something else or is damaged.
pub(crate) fn secret_key(path: &Path) -> Result<Named<SecretKey>> {
    read(path, Kind::SecretKey, KeySet::into_secret_key)
}

/// A cloud key, of either form.
///
/// # Errors
/// As [`secret_key`]; a secret key is not a server's to have.
pub(crate) fn cloud_key(path: &Path) -> Result<Named<CloudKey>> {
    read(path, Kind::CloudKey, KeySet::into_cloud_key)
}

/// Reads a key in a native file, or in one of the TFHE library, of which `take` takes it.
fn read<K: FileContent>(
    path: &Path,
    kind: Kind,
    take: impl FnOnce(KeySet) -> tfhe_core::Result<K>,
) -> Result<Named<K>> {
    let mut input = match Input::open(path) {
        Err(Error::Io { path, source }) if source.kind() == ErrorKind::NotFound => {
            return Err(Error::NoKey { path, kind });
        }
        opened => opened?,
    };
    let name = input.name().to_owned();
    let content = match recognise(&mut input)? {
        None => Frame::read(&mut input).and_then(Frame::decode).about(&name)?.content,
        Some(Form::KeySet) => take(key_set(&mut input)?).about(&name)?,
        Some(Form::Ciphertexts) => {
            return Err(Error::NoKeySet { path: name, found: "ciphertexts".into(), kind });
        }
        Some(Form::Part(part)) => {
            return Err(Error::NoKeySet { path: name, found: part.to_string(), kind });
        }
    };
    Ok(Named { name, content })
}

/// Refuses a key where the TFHE library cannot have its parameter set.
///
/// # Errors
/// [`Error::Crypto`], about the file.
pub(crate) fn check_library_set(parameters: &Parameters, key: &Path) -> Result<()> {
    ParameterSet::new(parameters).map(drop).about(key)
}
