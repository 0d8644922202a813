//! A folder of files that belong together.
//!
//! Each file is written atomically: a kill, a full disk or a loss of power leaves the old file or the new one. All are
//! complete and on the disk before the first gets its name. A kill may leave a temporary file, `.tmp-*.bnn-tmp`, behind.
//! Nothing reads it, and it may be deleted.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Writes files, each a name and its bytes, into `folder`, which is made if absent. Files of these names are replaced.
///
/// # Errors
/// [`Error::Io`] with the file or folder that cannot be written.
pub(crate) fn write<const COUNT: usize>(folder: &Path, files: [(&str, &[u8]); COUNT]) -> Result<()> {
    let at_folder = |source| Error::Io { file: folder.to_owned(), source };
    let at_file = |name: &str, source| Error::Io { file: folder.join(name), source };
    fs::create_dir_all(folder).map_err(at_folder)?;
    let mut complete = Vec::with_capacity(COUNT);
    for (name, bytes) in files {
        complete.push((name, staged(folder, bytes).map_err(|source| at_file(name, source))?));
    }
    for (name, file) in complete {
        file.persist(folder.join(name)).map_err(|failed| at_file(name, failed.error))?;
    }
    sync(folder).map_err(at_folder)
}

/// A temporary file in `folder` that holds `bytes` and is on the disk.
fn staged(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-").suffix(".bnn-tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666)); // less the umask; the default is 0600
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes the names in a folder last through a loss of power, where the system can.
fn sync(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Windows and some file systems sync no folders.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder of our own");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<_> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_folder_is_made_and_its_files_are_replaced() -> Result<()> {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let folder = parent.path().join("models/small");
        write(&folder, [("a", &b"1"[..]), ("b", b"2")])?;
        write(&folder, [("a", &b"3"[..]), ("b", b"4")])?;
        assert_eq!(names(&folder), ["a", "b"]);
        let read = |name| fs::read(folder.join(name)).expect("just written");
        assert_eq!((read("a"), read("b")), (b"3".to_vec(), b"4".to_vec()));
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn a_file_has_the_mode_of_any_other() -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(folder.path(), [("a", &b"1"[..])])?;
        fs::write(folder.path().join("b"), "2").expect("a folder of our own");
        let mode = |name| folder.path().join(name).metadata().expect("just written").permissions().mode();
        assert_eq!(mode("a"), mode("b"));
        Ok(())
    }

    #[test]
    fn a_failure_leaves_the_old_files_and_no_temporary_ones() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("a"), "old").expect("a folder of our own");
        // A name in a folder that does not exist: the first file is in its place, the second cannot be.
        let outcome = write(folder.path(), [("b/c", &b"1"[..]), ("a", b"new")]);
        let message = outcome.expect_err("there is no folder b").to_string();
        assert!(message.contains("b/c"), "{message}");
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(fs::read(folder.path().join("a")).expect("still there"), b"old");
    }
}
