//! A thing that was read, with the name of its file: results and errors about it say where it came from.

use std::path::PathBuf;

/// A thing and where it came from.
#[derive(Debug)]
pub(crate) struct Named<T> {
    /// The file, as messages call it.
    pub(crate) name: PathBuf,
    /// What the file holds.
    pub(crate) content: T,
}
