//! Keys, in native files or in those of the TFHE library, each read once.

use std::{io::ErrorKind, path::Path};

use tfhe_core::{
    keys::{CloudKey, SecretKey},
    parameters::Parameters,
    serial::{
        self, FileContent, Kind,
        tfhe_lib::{Form, KeySet, ParameterSet},
    },
};

use crate::{
    error::{About, Error, Result},
    files::{input::Input, named::Named},
};

/// Bytes by which the form of a file is told.
const START_BYTES: usize = 4;
/// What a file of the TFHE library begins with: the type of a sample, or a section of text.
const SAMPLE_START: [u8; START_BYTES] = 42_i32.to_le_bytes();
const TEXT_START: [u8; START_BYTES] = *b"----";

/// What file of the TFHE library an input seems to be, by its first bytes; none where it begins as none does.
///
/// # Errors
/// [`Error::Io`] where it cannot be read.
pub(crate) fn recognise(input: &mut Input) -> Result<Option<Form>> {
    let start = input.start(START_BYTES)?;
    Ok(if start == SAMPLE_START {
        Some(Form::Ciphertexts)
    } else if start == TEXT_START {
        Some(Form::KeySet)
    } else {
        None
    })
}

/// The key set of the TFHE library in an input.
///
/// # Errors
/// [`Error::Crypto`] where it is none.
pub(crate) fn key_set(input: &mut Input) -> Result<KeySet> {
    let name = input.name().to_owned();
    Ok(KeySet::read(input, &name)?)
}

/// A secret key, of either form.
///
/// # Errors
/// [`Error::NoKey`] where there is no such file; [`Error::Crypto`] where it holds something else, or is damaged.
pub(crate) fn secret_key(path: &Path) -> Result<Named<SecretKey>> {
    read(path, Kind::SecretKey, |set| match set {
        KeySet::Secret(set) => Ok(set.into_secret_key()),
        KeySet::Cloud(_) => Err(Kind::CloudKey),
    })
}

/// A cloud key, of either form.
///
/// # Errors
/// As [`secret_key`]; a secret key is not a server's to have.
pub(crate) fn cloud_key(path: &Path) -> Result<Named<CloudKey>> {
    read(path, Kind::CloudKey, |set| match set {
        KeySet::Cloud(set) => Ok(set.into_cloud_key()),
        KeySet::Secret(_) => Err(Kind::SecretKey),
    })
}

/// Reads a key in a native file, or in one of the TFHE library, of which `take` takes the key or says what else it is.
fn read<K: FileContent>(
    path: &Path,
    kind: Kind,
    take: impl FnOnce(KeySet) -> std::result::Result<K, Kind>,
) -> Result<Named<K>> {
    let mut input = match Input::open(path) {
        Err(Error::Io { path, source }) if source.kind() == ErrorKind::NotFound => {
            return Err(Error::NoKey { path, kind });
        }
        opened => opened?,
    };
    let name = input.name().to_owned();
    let content = if recognise(&mut input)? == Some(Form::KeySet) {
        let found = |found| tfhe_core::Error::WrongKind { path: name.clone(), found, expected: kind };
        take(key_set(&mut input)?).map_err(found)?
    } else {
        serial::read_from(&mut input, &name)?.content
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
