//! The files of the paper's system: ciphertexts of client and server, and the parameters that its authors released.

use std::path::Path;

use bnn::{
    client::{Client, EncryptedImage, EncryptedScores},
    model::{Model, ModelFiles},
    paper::{self, PaperFile},
};
use tfhe_core::{ciphertext::CiphertextList, keys::CloudKey};

use crate::{
    error::{About, Error, Result},
    files::{
        input::{self, Input},
        named::Named,
    },
};

/// The longest file of released parameters that is read, in bytes.
const LIMIT: u64 = 16 << 20;

/// Reads a picture from the files of its signs and of its magnitudes, as one for `model` under `key`.
///
/// # Errors
/// [`Error::Network`] where the files do not fit, or the model does not read such pictures.
pub(crate) fn image(
    model: &Model,
    [signs, magnitudes]: [&Path; 2],
    key: &CloudKey,
) -> Result<Named<EncryptedImage>> {
    let part = |path: &Path| -> Result<CiphertextList> {
        let input = Input::open(path)?;
        let name = input.name().to_owned();
        paper::read_part(input, key.parameters(), key.id()).about(&name)
    };
    let joined = paper::join_image(model, [part(signs)?, part(magnitudes)?]);
    let content = joined.map_err(|error| match error {
        bnn::Error::Paper { file: PaperFile::Magnitudes, .. } => about(error, magnitudes),
        bnn::Error::Paper { .. } => about(error, signs),
        error => error.into(),
    })?;
    Ok(Named { name: input::name(signs), content })
}

/// Reads scores, as those of the client's model under its key.
///
/// # Errors
/// [`Error::Network`], about the file, where they are of another key, or damaged.
pub(crate) fn answer(client: &Client, path: &Path) -> Result<Named<EncryptedScores>> {
    let input = Input::open(path)?;
    let name = input.name().to_owned();
    let content = paper::read_answer(client, input).about(&name)?;
    Ok(Named { name, content })
}

/// Reads the parameters in the authors' files in a folder.
///
/// # Errors
/// [`Error::Network`], about the file, where one has other content.
pub(crate) fn released_parameters(folder: &Path) -> Result<ModelFiles> {
    let read = |file: PaperFile| Input::open(&folder.join(file.name()))?.bytes(LIMIT);
    let (convolution, full_connection) = (read(PaperFile::Convolution)?, read(PaperFile::FullConnection)?);
    paper::import_paper(&convolution, &full_connection).map_err(|error| match error {
        bnn::Error::Paper { file, .. } => about(error, &folder.join(file.name())),
        error => about(error, folder),
    })
}

fn about(error: bnn::Error, path: &Path) -> Error {
    Error::About { path: input::name(path), source: Box::new(error.into()) }
}
