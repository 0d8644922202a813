//! Temporary files for what the libraries read and write by path only.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::{
    error::{About, Error, Result},
    files::input::{Input, is_stdin},
};

/// The most that is read, in bytes.
const LIMIT: u64 = 1 << 28;

/// Loads from a path, or from a copy of what is read from a pipe or standard input.
pub(crate) fn load<T>(path: &Path, load: impl FnOnce(&Path) -> bnn::Result<T>) -> Result<T> {
    let is_stream = is_stdin(path) || path.metadata().is_ok_and(|metadata| !metadata.is_file());
    if !is_stream || path.is_dir() {
        return Ok(load(path)?);
    }
    let input = Input::open(path)?;
    let name = input.name().to_owned();
    let failed = |source| Error::Io { path: name.clone(), source };
    let mut copy = NamedTempFile::new().map_err(failed)?;
    io::copy(&mut input.take(LIMIT), &mut copy).map_err(failed)?;
    load(copy.path()).about(&name)
}

/// The bytes of a file that `save` writes.
pub(crate) fn saved(save: impl FnOnce(&Path) -> bnn::Result<()>) -> Result<Vec<u8>> {
    let failed = |source| Error::Io { path: std::env::temp_dir(), source };
    let folder = tempfile::tempdir().map_err(failed)?;
    let path = folder.path().join("saved");
    save(&path)?;
    fs::read(&path).map_err(failed)
}
