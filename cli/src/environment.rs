//! The environment's variables, all read by one rule: an empty one counts as unset.

use std::{env, ffi::OsString, path::PathBuf};

/// The value of a variable.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The system's folder for temporary files.
pub(crate) fn temporary_folder() -> PathBuf {
    let folder = env::temp_dir();
    // What an empty variable gives would be the current folder.
    if folder.as_os_str().is_empty() { "/tmp".into() } else { folder }
}

/// The folder of models that the platform has for this user's data, whether it is there or not; none where nothing names a
/// home.
pub(crate) fn data_folder() -> Option<PathBuf> {
    user_data().map(|folder| folder.join("bnn").join("models"))
}

/// The folder that the platform has for the data of this user's service.
pub(crate) fn service_folder() -> Option<PathBuf> {
    user_data().map(|folder| folder.join("bnn").join("service"))
}

#[cfg(windows)]
fn user_data() -> Option<PathBuf> {
    variable("APPDATA").map(PathBuf::from)
}

#[cfg(target_os = "macos")]
fn user_data() -> Option<PathBuf> {
    home().map(|home| home.join("Library").join("Application Support"))
}

#[cfg(not(any(windows, target_os = "macos")))]
fn user_data() -> Option<PathBuf> {
    // A relative path in the variable is to be ignored, by the XDG base directory specification.
    let named = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    named.or_else(|| home().map(|home| home.join(".local").join("share")))
}

#[cfg(not(windows))]
fn home() -> Option<PathBuf> {
    // What an empty variable gives is no absolute path.
    env::home_dir().filter(|home| home.is_absolute())
}
