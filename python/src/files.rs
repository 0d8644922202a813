//! What is saved and loaded: bytes in files, which are made whole and never in the place of others; and pickles, which hold these bytes.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use pyo3::{exceptions::PyOSError, prelude::*, pybacked::PyBackedBytes, types::PyTuple};
use zeroize::Zeroizing;

use crate::fault::{about, input};

/// A file's content.
pub(crate) fn read(path: &Path) -> PyResult<Vec<u8>> {
    std::fs::read(path).map_err(|error| failed(path, &error))
}

/// What a file holds, whose name errors bear.
pub(crate) fn load<T, E: Into<bnn::Error>>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, E>,
) -> PyResult<T> {
    // What is read may be a secret key.
    let bytes = Zeroizing::new(read(path)?);
    parse(&bytes).map_err(|error| about(path.display(), &error.into()))
}

/// Makes a file that only its owner reads, where there is none.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> PyResult<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        // Beside its place, and renamed: half a file is never seen.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| failed(path, &error))
}

/// Makes a folder with these files, where there is nothing of that name.
pub(crate) fn write_folder(folder: &Path, files: &[(&str, &[u8])]) -> PyResult<()> {
    std::fs::create_dir(folder).map_err(|error| failed(folder, &error))?;
    let written = files.iter().try_for_each(|(name, bytes)| write(&folder.join(name), bytes));
    if written.is_err() {
        // What was made a moment ago; that it stays is no worse than the error that is told.
        let _ = std::fs::remove_dir_all(folder);
    }
    written
}

/// The exception of Python for an error of the system: a subclass of `OSError`, by its number, that names the file.
fn failed(path: &Path, error: &io::Error) -> PyErr {
    match error.raw_os_error() {
        Some(number) => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, text, path.to_path_buf()))
        }
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}

/// A file by its path, or the content of one.
#[derive(FromPyObject)]
pub(crate) enum Source {
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

impl Source {
    /// The bytes, and what to call them in errors.
    pub(crate) fn read(self) -> PyResult<(Vec<u8>, Option<PathBuf>)> {
        match self {
            Self::Bytes(bytes) => Ok((bytes.to_vec(), None)),
            Self::Path(path) => Ok((read(&path)?, Some(path))),
        }
    }
}

/// What `__reduce__` gives: how to make a thing of this class again from bytes.
pub(crate) type Reduced<'py> = (Bound<'py, PyAny>, (&'static str, Bound<'py, PyAny>));

/// The pickle of a thing of a class, whose bytes these are: `bytes`, or a tuple of them for a class that is made of several.
pub(crate) fn reduce<'py>(class: &'static str, bytes: Bound<'py, PyAny>) -> PyResult<Reduced<'py>> {
    Ok((bytes.py().import("bnn_tfhe._native")?.getattr("_restore")?, (class, bytes)))
}

/// Makes a thing of a pickle.
#[pyfunction(name = "_restore")]
#[pyo3(signature = (class_, bytes))]
pub(crate) fn restore<'py>(
    py: Python<'py>,
    class_: &str,
    bytes: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // Of a pickle that somebody made: no more than the names that `reduce` gives.
    const CLASSES: [&str; 6] =
        ["ClientSpecification", "CloudKey", "EncryptedImage", "EncryptedScores", "EncryptedBits", "Model"];
    if !CLASSES.contains(&class_) {
        return Err(input(format!("no pickle of this package: {class_:?}")));
    }
    let class = py.import("bnn_tfhe._native")?.getattr(class_)?;
    match bytes.cast::<PyTuple>() {
        Ok(files) => class.call_method1("from_bytes", files),
        Err(_) => class.call_method1("from_bytes", (bytes,)),
    }
}
