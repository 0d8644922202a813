//! What a command writes as one file: a file, a named pipe, or standard output by the name `-`.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    files::{
        folder::{folder_of, is_same},
        input::{self, is_stdin},
        whole::{Existing, Secrecy, rehearse, write_whole},
    },
    terminal::{interrupt, output::Output, units},
};

/// The names of standard output.
const STDOUT_NAMES: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// Where a command writes a file, checked before the work for it is begun.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// Standard output, which then carries nothing else.
    Stdout,
    /// A named pipe, or a pipe that the shell opened.
    Pipe(PathBuf),
    /// A file, which is written atomically.
    File { path: PathBuf, existing: Existing },
}

impl Target {
    /// Checks that the output can be written, and that it does not take the place of one of the command's inputs.
    ///
    /// # Errors
    /// [`Error::Exists`] for a file that may not be replaced; [`Error::Io`] for a folder or a device;
    /// [`Error::Unwritable`] where its folder takes no file; [`Error::OutputIsInput`].
    pub(crate) fn new(path: &Path, existing: Existing, inputs: &[PathBuf]) -> Result<Self> {
        if STDOUT_NAMES.iter().any(|name| path == Path::new(name)) {
            return Ok(Self::Stdout);
        }
        if is_pipe(path) {
            check_is_no_input(path, inputs)?;
            return Ok(Self::Pipe(path.into()));
        }
        check_file(path, existing, inputs)?;
        Ok(Self::File { path: path.into(), existing })
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &Path {
        match self {
            Self::Stdout => Path::new("standard output"),
            Self::Pipe(path) | Self::File { path, .. } => path,
        }
    }

    /// The file, where it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Stdout | Self::Pipe(_) => None,
            Self::File { path, .. } => Some(path),
        }
    }

    /// What may be said beside this file: nothing where it goes to standard output.
    ///
    /// # Errors
    /// [`Error::StdoutTaken`] where a JSON object was asked for, which has no place there.
    pub(crate) fn words(&self, output: Output) -> Result<Output> {
        match self {
            Self::Stdout => output.beside_a_file(),
            Self::Pipe(_) | Self::File { .. } => Ok(output),
        }
    }

    /// Writes the bytes, which took `duration` to make. A file is written to its end before an interruption is heard.
    ///
    /// # Errors
    /// [`Error::Exists`] for a file that came meanwhile and may not be replaced; [`Error::Io`] or [`Error::Stdout`] where
    /// the bytes cannot be written.
    pub(crate) fn write(&self, bytes: &[u8], secrecy: Secrecy, duration: Duration) -> Result<Written> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(Error::Stdout)?;
            }
            Self::Pipe(path) => {
                let write = || File::options().write(true).open(path)?.write_all(bytes);
                write().map_err(|source| Error::Io { path: path.clone(), source })?;
            }
            Self::File { path, existing } => {
                interrupt::hold(|| write_whole(bytes, path, *existing, secrecy))?;
            }
        }
        Ok(Written::new(self.name().into(), bytes, duration))
    }
}

/// Whether a path leads to a pipe.
#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_path: &Path) -> bool {
    false
}

/// Refuses an output that takes the place of an input.
fn check_is_no_input(path: &Path, inputs: &[PathBuf]) -> Result<()> {
    if path.symlink_metadata().is_err() {
        // What is not there is read by nobody.
        return Ok(());
    }
    let is_input =
        |input: &PathBuf| if is_stdin(input) { input::leads_to_stdin(path) } else { is_same(path, input) };
    if inputs.iter().any(is_input) {
        return Err(Error::OutputIsInput { path: path.into() });
    }
    Ok(())
}

/// Refuses a file that could not be written atomically, or takes the place of an input.
///
/// # Errors
/// As [`Target::new`].
pub(crate) fn check_file(path: &Path, existing: Existing, inputs: &[PathBuf]) -> Result<()> {
    if path == Path::new("-") {
        return Err(Error::NoStdout);
    }
    if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Error::IsFolder { path: path.into() });
    }
    if input::is_open_file(path) {
        return Err(Error::OpenFile { path: path.into() });
    }
    if existing == Existing::Refuse && path.symlink_metadata().is_ok() {
        return Err(Error::Exists { path: path.into() });
    }
    // A device would not be written to, but replaced.
    if path.exists() && !path.is_file() {
        let source = io::Error::new(ErrorKind::InvalidInput, "not a regular file");
        return Err(Error::Io { path: path.into(), source });
    }
    // A name that no file can have.
    if let Err(source) = path.symlink_metadata()
        && source.kind() == ErrorKind::InvalidFilename
    {
        return Err(Error::Io { path: path.into(), source });
    }
    rehearse(folder_of(path)).map_err(|source| Error::Unwritable { path: path.into(), source })?;
    check_is_no_input(path, inputs)
}

/// A file that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// What it took to make.
    pub(crate) duration: Duration,
}

impl Written {
    /// The file `path` of these bytes.
    pub(crate) fn new(path: PathBuf, bytes: &[u8], duration: Duration) -> Self {
        Self { path, bytes: bytes.len() as u64, duration }
    }

    /// Its size and what it took, as people read them.
    pub(crate) fn facts(&self) -> String {
        format!("{}, {}", units::size(self.bytes), units::duration(self.duration))
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "file": self.path.display().to_string(),
            "bytes": self.bytes,
            "seconds": self.duration.as_secs_f64(),
        })
    }
}
