//! What a command reads: a file, a pipe such as `/dev/fd/3`, or standard input by the name `-`.
//!
//! Each input is opened once and read once, from its start to its end, so that a pipe serves as well as a file. What an
//! input holds can be told by its first bytes, which [`Input::start`] shows without consuming them.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    error::{Error, Result},
    files::folder::has_name,
};

/// Whether standard input was taken by an input of this process.
static STDIN_TAKEN: AtomicBool = AtomicBool::new(false);

/// An input that was opened.
///
/// It has no buffer but for its first bytes: a buffer would keep what is secret.
#[derive(Debug)]
pub(crate) struct Input {
    name: PathBuf,
    file: File,
    /// The first bytes, of which `given` were given to the reader.
    start: Vec<u8>,
    given: usize,
    /// All bytes that were given to the reader.
    len: u64,
}

impl Input {
    /// Opens a file or a pipe, or takes standard input by the name `-`.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be opened; [`Error::StdinTwice`] where standard input was taken before.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = name(path);
        let file = if is_stdin(path) {
            if STDIN_TAKEN.swap(true, Ordering::Relaxed) {
                return Err(Error::StdinTwice);
            }
            stdin()
        } else {
            File::open(path)
        };
        match file {
            Ok(file) => Ok(Self { name, file, start: Vec::new(), given: 0, len: 0 }),
            Err(source) => Err(Error::Io { path: name, source }),
        }
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &Path {
        &self.name
    }

    /// The first `len` bytes, or all where there are fewer. They stay to be read; nothing may have been read before.
    ///
    /// # Errors
    /// [`Error::Io`] where they cannot be read.
    pub(crate) fn start(&mut self, len: usize) -> Result<&[u8]> {
        debug_assert_eq!(self.len, 0, "the start is looked at before the input is read");
        let missing = len.saturating_sub(self.start.len()) as u64;
        match (&self.file).take(missing).read_to_end(&mut self.start) {
            Ok(_) => Ok(&self.start[..len.min(self.start.len())]),
            Err(source) => Err(Error::Io { path: self.name.clone(), source }),
        }
    }

    /// All bytes, of which there may be `limit`.
    ///
    /// # Errors
    /// [`Error::Io`] where they cannot be read; [`Error::TooLarge`] where there are more.
    pub(crate) fn bytes(mut self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.by_ref().take(limit + 1).read_to_end(&mut bytes) {
            Err(source) => Err(Error::Io { path: self.name, source }),
            Ok(len) if len as u64 > limit => Err(Error::TooLarge { path: self.name, limit }),
            Ok(_) => Ok(bytes),
        }
    }

    /// How many bytes there are, in all. Those that were not read are dropped.
    ///
    /// # Errors
    /// [`Error::Io`] where they cannot be read.
    pub(crate) fn measure(mut self) -> Result<u64> {
        match io::copy(&mut self, &mut io::sink()) {
            Ok(_) => Ok(self.len),
            Err(source) => Err(Error::Io { path: self.name, source }),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let kept = &self.start[self.given..];
        let count = if kept.is_empty() {
            self.file.read(buffer)?
        } else {
            let count = kept.len().min(buffer.len());
            buffer[..count].copy_from_slice(&kept[..count]);
            self.given += count;
            count
        };
        self.len += count as u64;
        Ok(count)
    }
}

/// Refuses standard input for several inputs of a command, before one of them is read.
///
/// # Errors
/// [`Error::StdinTwice`].
pub(crate) fn check_stdin_once(inputs: &[PathBuf]) -> Result<()> {
    let count = inputs.iter().filter(|path| is_stdin(path)).count();
    if count > 1 { Err(Error::StdinTwice) } else { Ok(()) }
}

/// What messages call an input.
pub(crate) fn name(path: &Path) -> PathBuf {
    if is_stdin(path) { "standard input".into() } else { path.into() }
}

/// Whether this is the name of standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether a path names a file that the shell opened, and no place in a folder.
pub(crate) fn is_open_file(path: &Path) -> bool {
    ["/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/proc"].iter().any(|open| path.starts_with(open))
}

/// Whether a path leads to the file that standard input was redirected from.
pub(crate) fn leads_to_stdin(path: &Path) -> bool {
    // Where the system cannot tell, nothing is refused.
    cfg!(unix) && stdin().is_ok_and(|file| path.is_file() && has_name(&file, path))
}

/// The name of an input without its extension, after which an output can be called.
///
/// # Errors
/// [`Error::NeedsOutput`] for what has no name of its own: standard input, and what the shell opened.
pub(crate) fn stem(path: &Path) -> Result<&std::ffi::OsStr> {
    match path.file_stem() {
        Some(stem) if !is_stdin(path) && !is_open_file(path) => Ok(stem),
        _ => Err(Error::NeedsOutput { input: name(path) }),
    }
}

/// Standard input as a file without the buffer that the standard library keeps for it.
#[cfg(unix)]
fn stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    #[test]
    fn the_start_is_shown_and_still_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "abcdef").unwrap();
        let mut input = Input::open(&path).unwrap();
        assert_eq!(input.start(2).unwrap(), b"ab");
        assert_eq!(input.start(4).unwrap(), b"abcd");
        assert_eq!(input.start(9).unwrap(), b"abcdef");
        let mut first = [0];
        input.read_exact(&mut first).unwrap();
        assert_eq!((first, input.bytes(5).unwrap()), (*b"a", b"bcdef".to_vec()));
        assert_eq!(Input::open(&path).unwrap().measure().unwrap(), 6);
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "abc").unwrap();
        assert_eq!(Input::open(&path).unwrap().bytes(3).unwrap(), b"abc");
        assert!(matches!(Input::open(&path).unwrap().bytes(2), Err(Error::TooLarge { limit: 2, .. })));
    }

    #[test]
    fn outputs_are_called_after_inputs_that_have_a_name() {
        for named in ["in/7.png", "/dev/shm/7.png"] {
            assert_eq!(stem(named.as_ref()).unwrap(), "7");
        }
        for unnamed in ["-", "/dev/fd/63", "/dev/stdin", "/proc/self/fd/3", ".."] {
            assert!(matches!(stem(unnamed.as_ref()), Err(Error::NeedsOutput { .. })), "{unnamed}");
        }
    }
}
