//! Data sets: IDX files of images and of labels, plain or in gzip.

use std::path::{Path, PathBuf};

use bnn::data::{IdxImages, IdxLabels};

use crate::{
    error::{About, Result},
    files::input::Input,
    terminal::output::warn,
};

/// The longest file that is read, in bytes.
pub(super) const LIMIT: u64 = 1 << 28;

/// Reads the images of an IDX file. Padding after it is told on stderr.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network), about the file, where it is none.
pub(crate) fn images(path: &Path) -> Result<IdxImages> {
    let (name, bytes) = read(path)?;
    images_of(&bytes, &name)
}

/// The images in the bytes of a file that goes by this name.
///
/// # Errors
/// As [`images`].
pub(super) fn images_of(bytes: &[u8], name: &Path) -> Result<IdxImages> {
    let images = IdxImages::from_bytes(bytes).about(name)?;
    tell_padding(images.padding(), name);
    Ok(images)
}

/// Reads the labels of an IDX file.
///
/// # Errors
/// As [`images`].
pub(crate) fn labels(path: &Path) -> Result<IdxLabels> {
    let (name, bytes) = read(path)?;
    let labels = IdxLabels::from_bytes(&bytes).about(&name)?;
    tell_padding(labels.padding(), &name);
    Ok(labels)
}

fn read(path: &Path) -> Result<(PathBuf, Vec<u8>)> {
    let input = Input::open(path)?;
    let name = input.name().to_owned();
    Ok((name, input.bytes(LIMIT)?))
}

fn tell_padding(padding: usize, name: &Path) {
    if padding > 0 {
        let name = name.display();
        warn(format_args!("{name}: what follows the gzip data, padding of {padding} B, was passed over"));
    }
}
