//! The folder of a service: its database, and its tokens.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::SystemTime,
};

use server::Tokens;

use crate::{
    environment,
    error::{Error, Result},
    files::{
        folder::{MadeFolders, check_folder, make_folder},
        input::Input,
        whole::{Existing, Secrecy, write_whole},
    },
};

/// The longest list of tokens that is read, in bytes.
const MOST_TOKENS_BYTES: u64 = 16 << 20;

/// The folder that was named, else that of the user's data.
///
/// # Errors
/// [`Error::NoDataFolder`] where nothing names a home.
pub(crate) fn folder(named: Option<&Path>) -> Result<PathBuf> {
    let folder = named.map(PathBuf::from).or_else(environment::service_folder).ok_or(Error::NoDataFolder)?;
    check_folder(&folder)?;
    Ok(folder)
}

/// Makes the folder, which only its owner can enter: what is in it is encrypted, but tells who asked for what. As long as it is empty, it goes
/// again with what is returned.
///
/// # Errors
/// As [`make_folder`]; [`Error::Io`].
pub(crate) fn make(folder: &Path) -> Result<MadeFolders> {
    let made = make_folder(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(folder, mode).map_err(|source| Error::Io { path: folder.into(), source })?;
    }
    Ok(made)
}

/// The database of a service.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("service.redb")
}

/// The list of tokens.
pub(crate) fn tokens_path(folder: &Path) -> PathBuf {
    folder.join("tokens.json")
}

/// The tokens that were made; none where there is no list.
///
/// # Errors
/// [`Error::Tokens`] where the list is none.
pub(crate) fn tokens(folder: &Path) -> Result<Tokens> {
    let path = tokens_path(folder);
    match Input::open(&path) {
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(Tokens::default()),
        opened => {
            let bytes = opened?.bytes(MOST_TOKENS_BYTES)?;
            Tokens::from_bytes(&bytes).map_err(|source| Error::Tokens { path, source })
        }
    }
}

/// The list of tokens of a service that runs, and which state of it was read last.
#[derive(Debug)]
pub(crate) struct WatchedTokens {
    folder: PathBuf,
    /// Length and time of the file; none where there was none.
    seen: Option<(u64, SystemTime)>,
}

impl WatchedTokens {
    /// The list of a folder, with what is in it.
    ///
    /// # Errors
    /// As [`tokens`].
    pub(crate) fn open(folder: &Path) -> Result<(Self, Tokens)> {
        // What comes between the look and the reading is seen at the next look.
        let watched = Self { folder: folder.into(), seen: seen(folder) };
        Ok((watched, tokens(folder)?))
    }

    /// The tokens, if the list is another than at the last look. It is read once: whatever is wrong with it stays so until somebody changes it.
    ///
    /// # Errors
    /// As [`tokens`].
    pub(crate) fn changed(&mut self) -> Result<Option<Tokens>> {
        let now = seen(&self.folder);
        if now == self.seen {
            return Ok(None);
        }
        self.seen = now;
        tokens(&self.folder).map(Some)
    }
}

/// By what a changed list is known, without being read.
fn seen(folder: &Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::metadata(tokens_path(folder)).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// Writes the list of tokens.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn write_tokens(folder: &Path, tokens: &Tokens) -> Result<()> {
    let _made = make(folder)?;
    write_whole(&tokens.to_bytes(), &tokens_path(folder), Existing::Replace, Secrecy::Owner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use server::{Owner, Quota, Token};
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_list_of_tokens_is_read_when_it_has_changed() {
        let folder = TempDir::new().unwrap();
        let (mut watched, mut tokens) = WatchedTokens::open(folder.path()).unwrap();
        assert!(tokens.is_empty() && watched.changed().unwrap().is_none());
        let (token, _) =
            Token::draw(&Owner::new("anna").unwrap(), BTreeSet::new(), Quota::default()).unwrap();
        tokens.add(token).unwrap();
        write_tokens(folder.path(), &tokens).unwrap();
        assert_eq!(watched.changed().unwrap(), Some(tokens));
        assert!(watched.changed().unwrap().is_none());
        fs::write(tokens_path(folder.path()), "none").unwrap();
        assert!(watched.changed().is_err());
        assert!(watched.changed().unwrap().is_none(), "it is told once");
        fs::remove_file(tokens_path(folder.path())).unwrap();
        assert_eq!(watched.changed().unwrap(), Some(Tokens::default()));
    }
}
