//! What travels between client and server: encrypted pictures and encrypted scores.

use std::path::Path;

use bnn::client::{EncryptedImage, EncryptedScores};

use crate::{
    error::{About, Result},
    files::{input::Input, named::Named},
};

/// Reads an encrypted picture.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network), about the file, where it is damaged or holds something else.
pub(crate) fn image(path: &Path) -> Result<Named<EncryptedImage>> {
    read(path, EncryptedImage::read)
}

/// Reads encrypted scores.
///
/// # Errors
/// As [`image`].
pub(crate) fn scores(path: &Path) -> Result<Named<EncryptedScores>> {
    read(path, EncryptedScores::read)
}

fn read<T>(path: &Path, decode: impl FnOnce(Input) -> bnn::Result<T>) -> Result<Named<T>> {
    let input = Input::open(path)?;
    let name = input.name().to_owned();
    let content = decode(input).about(&name)?;
    Ok(Named { name, content })
}
