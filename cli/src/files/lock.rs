//! Locks on records, so that each has one writer. A file system without locks is no reason not to write.

use std::{
    fs::{File, TryLockError},
    io::ErrorKind,
    path::Path,
};

use crate::{
    error::{Error, Result},
    files::folder::has_name,
};

/// Locks a record that is about to be written, for as long as the file is open.
///
/// # Errors
/// [`Error::RecordInUse`] where another process has locked it.
pub(crate) fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::RecordInUse { path: path.into() }),
        _ => Ok(()),
    }
}

/// Opens and locks the record that has the name `path`; none where there is no such file.
///
/// # Errors
/// [`Error::Io`] where it cannot be opened; [`Error::RecordInUse`] where another process has locked it.
pub(crate) fn claim(path: &Path) -> Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Io { path: path.into(), source }),
    };
    lock(&file, path)?;
    // A record is replaced as a whole: another process may just have given its name to a newer one.
    if has_name(&file, path) { Ok(Some(file)) } else { Err(Error::RecordInUse { path: path.into() }) }
}
