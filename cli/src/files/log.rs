//! A log: a file to which whole lines are appended, by one process at a time.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    files::{folder::sync, lock::lock},
    terminal::interrupt,
};

/// A log that is open for more lines.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Opens or makes a log, locks it, and reads up to `limit` + 1 bytes of it.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be opened or read; [`Error::RecordInUse`] where another process has locked it.
    pub(crate) fn open(path: &Path, limit: u64) -> Result<(Self, Vec<u8>)> {
        let failed = |source| Error::Io { path: path.into(), source };
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        // Two that append would each do what the other does.
        lock(&file, path)?;
        let mut content = Vec::new();
        (&file).take(limit + 1).read_to_end(&mut content).map_err(failed)?;
        Ok((Self { path: path.into(), file }, content))
    }

    /// Drops what comes after `len` bytes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn cut(&self, len: usize) -> Result<()> {
        self.file.set_len(len as u64).map_err(|source| Error::Io { path: self.path.clone(), source })
    }

    /// Appends a line, and returns once it is on the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn append(&mut self, line: &str) -> Result<()> {
        interrupt::hold(|| self.file.write_all(line.as_bytes()).and_then(|()| sync(&self.file)))
            .map_err(|source| Error::Io { path: self.path.clone(), source })
    }
}
