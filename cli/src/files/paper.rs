//! The files of the paper's system: ciphertexts of client and server, and the parameters that its authors released.

use std::path::Path;

use bnn::{
    encrypted::{EncryptedImage, EncryptedScores},
    model::{Model, ModelFiles, import_paper},
    protocol,
};
use tfhe_core::{
    keys::{CloudKey, SecretKey},
    serial::{
        CiphertextList, Existing,
        tfhe_lib::{self, ParameterSet},
    },
};

use crate::{
    error::Result,
    files::{input, named::Named, spool},
};

/// Reads a picture from the files of its signs and of its magnitudes, as one for `model` under `key`.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network) where the files do not fit, or the model does not read such pictures.
pub(crate) fn image(
    model: &Model,
    [signs, magnitudes]: [&Path; 2],
    key: &CloudKey,
) -> Result<Named<EncryptedImage>> {
    let load = |signs: &Path, magnitudes: &Path| {
        protocol::load_image(model, [signs, magnitudes], key.parameters(), key.id())
    };
    let (mut image, name) = (None, input::name(signs));
    spool::load(signs, |signs| {
        image = Some(spool::load(magnitudes, |magnitudes| load(signs, magnitudes)));
        Ok(())
    })?;
    let content = image.expect("invariant: a load that succeeds has called its function")?;
    Ok(Named { name, content })
}

/// Reads scores, as those of `model` under `key`.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network) where they are of another key, or damaged.
pub(crate) fn answer(model: &Model, path: &Path, key: &SecretKey) -> Result<Named<EncryptedScores>> {
    let content = spool::load(path, |path| protocol::load_answer(model, path, key))?;
    Ok(Named { name: input::name(path), content })
}

/// The bytes of the file of scores.
///
/// # Errors
/// Where the TFHE library cannot have their parameter set.
pub(crate) fn answer_bytes(scores: &EncryptedScores) -> Result<Vec<u8>> {
    spool::saved(|path| protocol::save_answer(scores, path, Existing::Refuse))
}

/// The bytes of a file of ciphertexts in the TFHE library's form.
///
/// # Errors
/// [`Error::Crypto`](crate::error::Error::Crypto) where the library cannot have their parameter set.
pub(crate) fn ciphertexts_bytes(list: &CiphertextList) -> Result<Vec<u8>> {
    ParameterSet::new(list.parameters())?;
    Ok(tfhe_lib::ciphertexts_to_bytes(list.ciphertexts()))
}

/// Reads the parameters in the authors' files in a folder.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network) where a file has other content.
pub(crate) fn released_parameters(folder: &Path) -> Result<ModelFiles> {
    Ok(import_paper(folder)?)
}
