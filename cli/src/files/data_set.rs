//! Data sets: IDX files of images and of labels, plain or in gzip.

use std::path::Path;

use bnn::data::{IdxImages, IdxLabels};

use crate::{
    error::{About, Result},
    files::input::Input,
};

/// The longest file that is read, in bytes.
pub(super) const LIMIT: u64 = 1 << 28;

/// Reads the images of an IDX file.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network), about the file, where it is none.
pub(crate) fn images(path: &Path) -> Result<IdxImages> {
    read(path, IdxImages::from_bytes)
}

/// Reads the labels of an IDX file.
///
/// # Errors
/// As [`images`].
pub(crate) fn labels(path: &Path) -> Result<IdxLabels> {
    read(path, IdxLabels::from_bytes)
}

fn read<T>(path: &Path, decode: impl FnOnce(&[u8]) -> bnn::Result<T>) -> Result<T> {
    let input = Input::open(path)?;
    let name = input.name().to_owned();
    decode(&input.bytes(LIMIT)?).about(&name)
}
