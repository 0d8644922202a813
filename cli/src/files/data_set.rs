//! Data sets: IDX files of images and of labels, plain or in gzip.

use std::path::Path;

use bnn::data::{IdxImages, IdxLabels};

use crate::{error::Result, files::spool};

/// Reads the images of an IDX file.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network) where it is none.
pub(crate) fn images(path: &Path) -> Result<IdxImages> {
    spool::load(path, IdxImages::open)
}

/// Reads the labels of an IDX file.
///
/// # Errors
/// As [`images`].
pub(crate) fn labels(path: &Path) -> Result<IdxLabels> {
    spool::load(path, IdxLabels::open)
}
