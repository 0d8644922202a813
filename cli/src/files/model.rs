//! Model folders: a manifest and its weights.

use std::{fs, path::Path};

use bnn::model::{Model, ModelFiles};

use crate::{
    error::{Error, Result},
    files::{
        folder::{folder_of, sync_folder},
        whole::{self, Existing, Secrecy, write_whole},
    },
};

/// The files of a model folder.
const MANIFEST: &str = "manifest.toml";
const WEIGHTS: &str = "weights.safetensors";

/// Opens the model in a folder.
///
/// # Errors
/// [`Error::Network`] where the two files do not describe one network, or cannot be read.
pub(crate) fn open(folder: &Path) -> Result<Model> {
    Ok(Model::open(folder)?)
}

/// Whether a folder has a model, as far as the names in it tell.
pub(crate) fn is_model(folder: &Path) -> bool {
    folder.join(MANIFEST).is_file()
}

/// Makes a model folder, atomically, and opens the model.
///
/// # Errors
/// [`Error::FolderExists`] where there is something of that name; [`Error::Io`] where the folder cannot be made; as
/// [`open`] where the files are no model.
pub(crate) fn write(files: &ModelFiles, folder: &Path) -> Result<Model> {
    let failed = |source| Error::Io { path: folder.into(), source };
    let exists = || Error::FolderExists { path: folder.into() };
    if folder.symlink_metadata().is_ok() {
        return Err(exists());
    }
    // Made beside its place, checked, and renamed.
    let scratch = scratch_folder(folder_of(folder)).map_err(failed)?;
    for (name, bytes) in [(WEIGHTS, &files.weights[..]), (MANIFEST, files.manifest.as_bytes())] {
        write_whole(bytes, &scratch.path().join(name), Existing::Refuse, Secrecy::Everyone)?;
    }
    let model = open(scratch.path())?;
    match fs::rename(scratch.path(), folder) {
        Ok(()) => sync_folder(folder_of(folder)).map_err(failed)?,
        // Another process was first.
        Err(_) if folder.symlink_metadata().is_ok() => {
            return Err(exists());
        }
        Err(source) => return Err(failed(source)),
    }
    Ok(model)
}

/// A temporary folder that everybody may read whom the umask lets; it is removed unless it is renamed.
fn scratch_folder(parent: &Path) -> std::io::Result<tempfile::TempDir> {
    let mut builder = whole::temporary();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777)); // less the umask; the default is 0700
    }
    builder.tempdir_in(parent)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_no_model_leaves_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let files = ModelFiles { manifest: "format = 1".into(), weights: Vec::new() };
        assert!(matches!(write(&files, &folder.path().join("new")), Err(Error::Network(_))));
        assert!(matches!(write(&files, folder.path()), Err(Error::FolderExists { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
