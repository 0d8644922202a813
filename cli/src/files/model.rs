//! Model folders: a manifest and its weights.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bnn::model::{Model, ModelFile, ModelFiles};

use crate::{
    error::{Error, Result},
    files::{
        folder::{check_folder, folder_of, sync_folder},
        input::Input,
        whole::{self, Existing, Secrecy, write_whole},
    },
};

/// Reads the files of the model in a folder.
///
/// # Errors
/// [`Error::Io`] where one cannot be read.
pub(crate) fn read(folder: &Path) -> Result<ModelFiles> {
    let read = |file: ModelFile| Input::open(&folder.join(file.name()))?.bytes(file.most_bytes() as u64);
    Ok(ModelFiles::new(read(ModelFile::Manifest)?, read(ModelFile::Weights)?))
}

/// Opens the model in a folder.
///
/// # Errors
/// [`Error::Network`], about the file, where the two do not describe one network; [`Error::Io`] where one cannot be read.
pub(crate) fn open(folder: &Path) -> Result<Arc<Model>> {
    read(folder)?.model().map(Arc::new).map_err(|error| {
        let path = match error {
            bnn::Error::Model { file, .. } => folder.join(file.name()),
            _ => folder.into(),
        };
        Error::About { path, source: Box::new(error.into()) }
    })
}

/// The files of the model in a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    [ModelFile::Manifest, ModelFile::Weights].map(|file| folder.join(file.name())).into()
}

/// Whether a folder has a model, as far as the names in it tell.
pub(crate) fn is_model(folder: &Path) -> bool {
    folder.join(ModelFile::Manifest.name()).is_file()
}

/// Refuses a folder in which no new model can be made, before the work for it.
///
/// # Errors
/// [`Error::NoFolder`] for `-`; [`Error::FolderExists`] where there is something of that name.
pub(crate) fn check_new(folder: &Path) -> Result<()> {
    check_folder(folder)?;
    if folder.symlink_metadata().is_ok() { Err(Error::FolderExists { path: folder.into() }) } else { Ok(()) }
}

/// Makes a model folder, atomically, and opens the model.
///
/// # Errors
/// [`Error::FolderExists`] where there is something of that name; [`Error::Io`] where the folder cannot be made;
/// [`Error::Network`] where the files are no model.
pub(crate) fn write(files: &ModelFiles, folder: &Path) -> Result<Arc<Model>> {
    let failed = |source| Error::Io { path: folder.into(), source };
    let exists = || Error::FolderExists { path: folder.into() };
    if folder.symlink_metadata().is_ok() {
        return Err(exists());
    }
    let model = Arc::new(files.model()?);
    // Made beside its place, and renamed.
    let scratch = scratch_folder(folder_of(folder)).map_err(failed)?;
    for (file, bytes) in [(ModelFile::Weights, files.weights()), (ModelFile::Manifest, files.manifest())] {
        write_whole(bytes, &scratch.path().join(file.name()), Existing::Refuse, Secrecy::Everyone)?;
    }
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
    builder.tempdir_in(parent).map_err(whole::unnamed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_folder_is_made_once_and_opened() {
        // The paper's network with zeros: 3 filters of 5 x 5, and 10 classes of 432 inputs.
        let zeros = |count: usize| "0 ".repeat(count).into_bytes();
        let files = bnn::paper::import_paper(&zeros(75), &zeros(4320)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("new");
        assert!(!is_model(&new));
        assert_eq!(write(&files, &new).unwrap().digest(), open(&new).unwrap().digest());
        assert!(is_model(&new));
        assert!(matches!(write(&files, &new), Err(Error::FolderExists { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_model_is_refused_by_the_name_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("manifest.toml"), "format = 1").unwrap();
        fs::write(folder.path().join("weights.safetensors"), "").unwrap();
        let error = open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("manifest.toml: "), "{error}");
    }
}
