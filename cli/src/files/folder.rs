//! Folders: made, and synced so that the names in them last.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    terminal::interrupt,
};

/// The folder that a file is in, or is to be in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Refuses `-` in the place of a folder: several files do not fit into standard output.
///
/// # Errors
/// [`Error::NoFolder`].
pub(crate) fn check_folder(folder: &Path) -> Result<()> {
    if folder == Path::new("-") { Err(Error::NoFolder) } else { Ok(()) }
}

/// Makes the names in a folder survive a loss of power, where the system can.
///
/// # Errors
/// Those of the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        // A folder that may be written but not read, or a system that opens no folders, such as Windows.
        Err(error) if is_impossible(error.kind()) => Ok(()),
        Err(error) => Err(error),
        Ok(folder) => sync(&folder),
    }
}

/// Brings a file or folder to the disk, where the file system can: some network mounts cannot.
///
/// # Errors
/// Those of the disk.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if is_impossible(error.kind()) => Ok(()),
        synced => synced,
    }
}

fn is_impossible(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::PermissionDenied | ErrorKind::Unsupported | ErrorKind::InvalidInput)
}

/// Folders that a command has made for its files, the innermost first. Those that are still empty when it is dropped go again,
/// because the command failed.
#[derive(Debug)]
pub(crate) struct MadeFolders(Vec<PathBuf>);

impl Drop for MadeFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // A folder with something in it stays: the system does not remove it.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Makes a folder and the missing ones above it, so that they survive a loss of power.
///
/// # Errors
/// [`Error::IsNoFolder`] for a file; [`Error::Unwritable`] where the system makes none.
pub(crate) fn make_folder(folder: &Path) -> Result<MadeFolders> {
    let above = folder.ancestors().take_while(|above| !above.as_os_str().is_empty());
    let missing: Vec<PathBuf> = above.take_while(|above| !above.is_dir()).map(PathBuf::from).collect();
    if let Some(file) = missing.iter().find(|path| path.exists()) {
        return Err(Error::IsNoFolder { path: file.clone() });
    }
    interrupt::made_folders(&missing);
    let made = MadeFolders(missing);
    let make = || {
        fs::create_dir_all(folder)?;
        made.0.iter().try_for_each(|made| sync_folder(folder_of(made)))
    };
    make().map_err(|source| Error::Unwritable { path: folder.into(), source })?;
    Ok(made)
}

/// Whether two paths name one place, where there may be a file or not.
pub(crate) fn is_same(first: &Path, second: &Path) -> bool {
    let place = |path: &Path| -> io::Result<PathBuf> {
        path.canonicalize().or_else(|_| {
            let folder = folder_of(path).canonicalize()?;
            Ok(folder.join(path.file_name().unwrap_or_default()))
        })
    };
    match (place(first), place(second)) {
        (Ok(first), Ok(second)) => first == second,
        _ => first == second,
    }
}

/// Whether a path leads to this file, as far as the system can tell.
#[cfg(unix)]
pub(crate) fn has_name(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), path.metadata()) {
        (Ok(file), Ok(named)) => (file.dev(), file.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Whether a path leads to this file: here nothing can tell.
#[cfg(not(unix))]
pub(crate) fn has_name(_file: &File, _path: &Path) -> bool {
    true
}

/// Removes a file, so that it stays removed after a loss of power. A file that is not there is fine.
///
/// # Errors
/// [`Error::Io`] where it cannot be removed.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let failed = |source| Error::Io { path: path.into(), source };
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| sync_folder(folder_of(path))).map_err(failed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn folders_are_made_as_deep_as_they_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b/c");
        let made = make_folder(&inner).unwrap();
        assert!(inner.is_dir());
        // What was there before, or has something in it, stays.
        drop(make_folder(&inner).unwrap());
        fs::write(folder.path().join("a/file"), "").unwrap();
        drop(made);
        assert!(!inner.exists() && !folder.path().join("a/b").exists() && folder.path().join("a").is_dir());
        let below = make_folder(&folder.path().join("a/file/b"));
        assert!(matches!(below, Err(Error::IsNoFolder { path }) if path.ends_with("a/file")));
    }
}
