//! Files are written atomically: a kill, a full disk or a loss of power leaves the old file or the new one.
//!
//! The bytes go to a temporary file beside the target, `.tmp-*.bnn-tmp`. It is synced and then renamed, and then its folder
//! is synced, because a name belongs to the folder. A kill may leave a temporary file behind. Nothing reads it, no later
//! one gets its name, and it may be deleted.
//!
//! A new file replaces none that came meanwhile. Most file systems can rename so, or have hard links. Those that have neither
//! (some FUSE and network mounts, shared folders of virtual machines) get the name as an empty file first, which a kill at that
//! moment leaves.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, PersistError};

use crate::{
    error::{Error, Result},
    files::folder::{folder_of, sync, sync_folder},
};

/// What may be done to a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Leave it and fail.
    Refuse,
    /// Replace it once the new one is whole.
    Replace,
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// Its owner: mode 0600.
    Owner,
    /// Whoever the process's umask lets.
    Everyone,
}

/// Writes `bytes` to a file, atomically.
///
/// # Errors
/// [`Error::Exists`] if the file is there and may not be replaced; [`Error::Io`] if it cannot be written.
pub(crate) fn write_whole(bytes: &[u8], path: &Path, existing: Existing, secrecy: Secrecy) -> Result<()> {
    Staged::new(bytes, path, existing, secrecy)?.commit()
}

/// A file that is complete and on the disk, and has yet to get its name. If it is dropped before, it is removed.
#[derive(Debug)]
pub(crate) struct Staged {
    file: NamedTempFile,
    path: PathBuf,
    existing: Existing,
}

impl Staged {
    /// Writes `bytes` to a temporary file beside `path`, and syncs it.
    ///
    /// # Errors
    /// As [`write_whole`].
    pub(crate) fn new(bytes: &[u8], path: &Path, existing: Existing, secrecy: Secrecy) -> Result<Self> {
        if existing == Existing::Refuse && path.symlink_metadata().is_ok() {
            return Err(Error::Exists { path: path.to_owned() });
        }
        let mut builder = temporary();
        #[cfg(unix)]
        if secrecy == Secrecy::Everyone {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666)); // less the umask; the default is 0600
        }
        #[cfg(not(unix))]
        let _ = secrecy;
        let write = || {
            let mut file = builder.tempfile_in(folder_of(path))?;
            file.write_all(bytes)?;
            sync(file.as_file())?;
            Ok(file)
        };
        let file = write().map_err(|source| Error::Io { path: path.to_owned(), source: unnamed(source) })?;
        Ok(Self { file, path: path.to_owned(), existing })
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// As [`write_whole`].
    pub(crate) fn commit(self) -> Result<()> {
        let path = self.path.clone();
        self.rename()?;
        sync_folder(folder_of(&path)).map_err(|source| Error::Io { path, source })
    }

    /// Locks the file and then gives it its name, so that nobody finds it there without the lock. The lock holds while
    /// the file that is returned is open. A file system without locks is no reason not to write.
    ///
    /// # Errors
    /// As [`write_whole`].
    pub(crate) fn commit_locked(self) -> Result<File> {
        let path = self.path.clone();
        let _ = self.file.as_file().try_lock();
        let file = self.rename()?;
        sync_folder(folder_of(&path)).map_err(|source| Error::Io { path, source })?;
        Ok(file)
    }

    /// Gives two files of one folder that belong together their names: both, or neither if one cannot be renamed. Where a
    /// kill or a loss of power comes between, the first is new and the second still the old one. Processes that do this in
    /// the same folder take turns (on Unix), so that no pair is made of two.
    ///
    /// # Errors
    /// As [`write_whole`].
    pub(crate) fn commit_both(first: Self, second: Self) -> Result<()> {
        let (path, last) = (first.path.clone(), second.path.clone());
        let folder = folder_of(&path);
        let sync =
            |path: &Path| sync_folder(folder).map_err(|source| Error::Io { path: path.to_owned(), source });
        // Held until the end. A file system without locks is no reason not to write.
        let turn = File::open(folder).ok();
        let _ = turn.as_ref().map(File::lock);
        let old = keep(&path)?;
        first.rename()?;
        // The old second one goes only after the new first one has its name on the disk.
        sync(&path).and_then(|()| second.rename().map(drop)).inspect_err(|_| {
            // The error that matters is the one that led here.
            let _ = match old {
                Some(old) => old.persist(&path).map(drop).map_err(io::Error::from),
                None => fs::remove_file(&path),
            };
        })?;
        sync(&last)
    }

    fn rename(self) -> Result<File> {
        let Self { file, path, existing } = self;
        let renamed = match existing {
            Existing::Replace => file.persist(&path),
            Existing::Refuse => place_new(file, &path),
        };
        match renamed {
            Ok(file) => Ok(file),
            Err(failed)
                if existing == Existing::Refuse && failed.error.kind() == ErrorKind::AlreadyExists =>
            {
                Err(Error::Exists { path })
            }
            Err(failed) => Err(Error::Io { path, source: failed.error }),
        }
    }
}

/// Gives a file a name that is free, and replaces nothing that has it meanwhile.
fn place_new(file: NamedTempFile, path: &Path) -> std::result::Result<File, PersistError> {
    match file.persist_noclobber(path) {
        // The file system may lack all that this needs. Anything else that is wrong shows again.
        Err(failed) if failed.error.kind() != ErrorKind::AlreadyExists => claim(failed.file, path),
        placed => placed,
    }
}

/// The same by what every file system can: one process only can make an empty file of this name, and renames over it.
fn claim(file: NamedTempFile, path: &Path) -> std::result::Result<File, PersistError> {
    if let Err(error) = File::create_new(path) {
        return Err(PersistError { error, file });
    }
    file.persist(path).inspect_err(|_| {
        // The error that matters is the one that led here.
        let _ = fs::remove_file(path);
    })
}

/// Does to a temporary file in a folder all that it takes to write one there, so that a folder that cannot is told before the
/// work.
///
/// # Errors
/// Those of the system.
pub(crate) fn rehearse(folder: &Path) -> io::Result<()> {
    let file = temporary().tempfile_in(folder).map_err(unnamed)?;
    // As no other file is called, because the first name is none's.
    let second = file.path().with_extension("again.bnn-tmp");
    place_new(file, &second)?;
    fs::remove_file(second)
}

/// An error of a temporary file without its name, which says nothing to anybody.
pub(crate) fn unnamed(error: io::Error) -> io::Error {
    match error.to_string().rsplit_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause),
        None => error,
    }
}

/// How files are called while they are written.
pub(crate) fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-").suffix(".bnn-tmp");
    builder
}

/// A second, temporary name of the file at `path`, or a copy where the file system knows only one; none if it is not there.
fn keep(path: &Path) -> Result<Option<NamedTempFile<()>>> {
    let kept = temporary().make_in(folder_of(path), |name| match fs::hard_link(path, name) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {
            fs::copy(path, name).map(drop)
        }
        linked => linked,
    });
    match kept {
        Ok(kept) => Ok(Some(kept)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn staged(folder: &Path, name: &str, existing: Existing) -> Staged {
        Staged::new(b"new", &folder.join(name), existing, Secrecy::Owner).unwrap()
    }

    #[test]
    fn a_file_that_is_dropped_before_it_has_its_name_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = staged(folder.path(), "a", Existing::Refuse);
        assert!(names(folder.path())[0].starts_with(".tmp-"));
        drop(file);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_file_that_came_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = staged(folder.path(), "a", Existing::Refuse);
        fs::write(folder.path().join("a"), "other").unwrap();
        assert!(matches!(file.commit(), Err(Error::Exists { .. })));
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"other");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_name_is_claimed_where_a_file_system_can_do_no_better() {
        let folder = tempfile::tempdir().unwrap();
        let new = || staged(folder.path(), "new", Existing::Refuse).file;
        claim(new(), &folder.path().join("a")).unwrap();
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"new");
        // One that came meanwhile is kept.
        fs::write(folder.path().join("b"), "other").unwrap();
        let failed = claim(new(), &folder.path().join("b")).unwrap_err();
        assert_eq!(failed.error.kind(), ErrorKind::AlreadyExists);
        drop(failed);
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"other");
        // What cannot be renamed leaves no empty file: its temporary name was taken away.
        let lost = new();
        fs::remove_file(lost.path()).unwrap();
        assert!(claim(lost, &folder.path().join("c")).is_err());
        assert_eq!(names(folder.path()), ["a", "b"]);
    }

    #[test]
    fn a_rehearsal_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        rehearse(folder.path()).unwrap();
        assert!(names(folder.path()).is_empty());
        let error = rehearse(&folder.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!error.to_string().contains(".tmp-"), "{error}");
    }

    /// The second cannot be renamed onto a folder: the first is as it was, there or not.
    #[test]
    fn two_files_that_belong_together_are_both_new_or_both_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let pair = |first: &str, second: &str, existing| {
            Staged::commit_both(
                staged(folder.path(), first, existing),
                staged(folder.path(), second, existing),
            )
        };
        pair("a", "b", Existing::Refuse).unwrap();
        fs::write(path("c"), "old").unwrap();
        fs::create_dir(path("d")).unwrap();
        fs::write(path("d/full"), "").unwrap();
        assert!(
            matches!(pair("c", "d", Existing::Replace), Err(Error::Io { path, .. }) if path.ends_with("d"))
        );
        assert!(matches!(pair("e", "d", Existing::Replace), Err(Error::Io { .. })));
        assert_eq!(fs::read(path("c")).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a", "b", "c", "d"]);
        fs::write(path("b"), "old").unwrap();
        pair("a", "b", Existing::Replace).unwrap();
        assert_eq!(fs::read(path("b")).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a", "b", "c", "d"]);
    }
}
