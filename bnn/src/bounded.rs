//! Files that are read whole, if they are not longer than what they are for.

use std::{fs::File, io::Read, path::Path};

use crate::{Error, Result};

/// The bytes of a file, of at most `limit`.
///
/// # Errors
/// [`Error::Read`], [`Error::TooLarge`].
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    match File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut content)) {
        Err(source) => Err(Error::Read { path: path.into(), source }),
        Ok(length) if length as u64 > limit => Err(Error::TooLarge { path: path.into(), limit }),
        Ok(_) => Ok(content),
    }
}
