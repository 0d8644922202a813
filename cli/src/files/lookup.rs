//! Where models and sample digits are found: `./models`, then `$BNN_MODELS`, then the folder that the platform has for a
//! user's data, then this program itself, inside which those that ship travel.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bnn::{
    data::Picture,
    model::{Model, ModelFiles},
};

use crate::{
    environment,
    error::{Error, Result},
    files::{
        model,
        named::Named,
        picture::picture,
        shipped::{self, ShippedModel},
    },
};

/// Environment variable that names a folder of models.
const VARIABLE: &str = "BNN_MODELS";
/// The folder of known-answer vectors that comes before those in this program.
const VECTORS: &str = "vectors";

/// Where a model is.
#[derive(Debug)]
pub(crate) enum ModelPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In this program.
    Shipped(ShippedModel),
}

impl ModelPlace {
    /// Reads the model.
    ///
    /// # Errors
    /// As [`model::open`].
    pub(crate) fn open(&self) -> Result<Arc<Model>> {
        match self {
            Self::Folder(folder) => model::open(folder),
            Self::Shipped(model) => model.open(),
        }
    }

    /// The bytes of the model's files.
    ///
    /// # Errors
    /// As [`model::read`].
    pub(crate) fn files(&self) -> Result<ModelFiles> {
        match self {
            Self::Folder(folder) => model::read(folder),
            Self::Shipped(model) => Ok(model.files()),
        }
    }

    /// The folder, where it is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Shipped(_) => None,
        }
    }
}

/// The folder of models that the environment names.
fn named_root() -> Option<PathBuf> {
    environment::variable(VARIABLE).map(PathBuf::from)
}

/// The folders that are searched, in this order.
fn roots() -> Vec<PathBuf> {
    [Some("models".into()), named_root(), environment::data_folder()].into_iter().flatten().collect()
}

/// Opens the model in the folder `name`, or the one of that name.
pub(crate) fn model(name: &Path) -> Result<Arc<Model>> {
    place(name)?.open()
}

/// The bytes of the files of the model in the folder `name`, or of the one of that name.
pub(crate) fn model_files(name: &Path) -> Result<ModelFiles> {
    place(name)?.files()
}

/// The files that [`model`] reads of this name, if they are files.
pub(crate) fn files(name: &Path) -> Vec<PathBuf> {
    let place = place(name).ok();
    place.as_ref().and_then(ModelPlace::folder).map_or_else(Vec::new, model::files)
}

/// The folder `name`, or the place of the model called so.
fn place(name: &Path) -> Result<ModelPlace> {
    // A path is meant by anything that is no bare name.
    if name.is_dir() || name.components().count() != 1 {
        return Ok(ModelPlace::Folder(name.into()));
    }
    let found = find(name).map(ModelPlace::Folder);
    found.or_else(|| ShippedModel::named(name).map(ModelPlace::Shipped)).ok_or_else(|| {
        let roots = roots().into_iter().map(|root| root.display().to_string());
        let searched: Vec<String> = roots.chain([shipped::PLACE.into()]).collect();
        Error::NoModel { name: name.into(), searched: searched.join(", ") }
    })
}

/// Reads a sample digit's file, 0 to 9.
///
/// # Errors
/// As [`picture`].
pub(crate) fn digit(digit: u8) -> Result<Named<Picture<'static>>> {
    match find(&Path::new("digits").join(format!("{digit}.png"))) {
        Some(path) => picture(&path, None),
        None => shipped::digit(digit),
    }
}

/// The folder of known-answer vectors here; none where those in this program are to be taken.
pub(crate) fn vectors() -> Option<PathBuf> {
    let folder = Path::new(VECTORS);
    folder.join(bnn::vectors::SUMS).is_file().then(|| folder.into())
}

/// The first `relative` path in the folders that are searched.
fn find(relative: &Path) -> Option<PathBuf> {
    roots().iter().map(|root| root.join(relative)).find(|path| path.exists())
}

/// The places of all models that a name can choose, by that name.
pub(crate) fn models() -> BTreeMap<OsString, ModelPlace> {
    let mut found = BTreeMap::new();
    for root in roots() {
        for (name, folder) in models_in(&root) {
            found.entry(name).or_insert(ModelPlace::Folder(folder));
        }
    }
    for model in shipped::MODELS {
        found.entry(model.name.into()).or_insert(ModelPlace::Shipped(model));
    }
    found
}

/// The model folders in a folder, by name. A folder that cannot be read holds no model for us.
fn models_in(root: &Path) -> impl Iterator<Item = (OsString, PathBuf)> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name(), entry.path())).filter(|(_, folder)| model::is_model(folder))
}

/// Refuses a folder of models that the environment names and that holds none.
///
/// # Errors
/// [`Error::NoModels`].
pub(crate) fn check_named() -> Result<()> {
    match named_root() {
        Some(folder) if models_in(&folder).next().is_none() => Err(Error::NoModels { folder }),
        _ => Ok(()),
    }
}

/// The model with this digest, with the name by which it is found, if it is.
pub(crate) fn with_digest(digest: [u8; 32]) -> Option<(String, Arc<Model>)> {
    models().into_iter().find_map(|(name, place)| {
        let model = place.open().ok().filter(|model| model.digest() == digest)?;
        Some((name.to_string_lossy().into_owned(), model))
    })
}
