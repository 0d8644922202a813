//! The folder of a service: its database, and its tokens.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
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

/// Writes the list of tokens.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn write_tokens(folder: &Path, tokens: &Tokens) -> Result<()> {
    let _made = make(folder)?;
    write_whole(&tokens.to_bytes(), &tokens_path(folder), Existing::Replace, Secrecy::Owner)
}
