//! What travels between client and server: encrypted pictures and encrypted scores.

use std::path::Path;

use bnn::encrypted::{EncryptedImage, EncryptedScores};
use tfhe_core::serial::Existing;

use crate::{
    error::Result,
    files::{input, named::Named, spool},
};

/// Reads an encrypted picture.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network) where the file is damaged or holds something else.
pub(crate) fn image(path: &Path) -> Result<Named<EncryptedImage>> {
    Ok(Named { name: input::name(path), content: spool::load(path, EncryptedImage::load)? })
}

/// The bytes of its file.
///
/// # Errors
/// Where native files have no name for its parameter set.
pub(crate) fn image_bytes(image: &EncryptedImage) -> Result<Vec<u8>> {
    spool::saved(|path| image.save(path, Existing::Refuse))
}

/// Reads encrypted scores.
///
/// # Errors
/// As [`image`].
pub(crate) fn scores(path: &Path) -> Result<Named<EncryptedScores>> {
    Ok(Named { name: input::name(path), content: spool::load(path, EncryptedScores::load)? })
}

/// The bytes of their file.
///
/// # Errors
/// As [`image_bytes`].
pub(crate) fn scores_bytes(scores: &EncryptedScores) -> Result<Vec<u8>> {
    spool::saved(|path| scores.save(path, Existing::Refuse))
}
