//! Where models and sample digits are found: `./models`, then `$BNN_MODELS`, then the source tree that this program
//! was built from. A folder `vectors` is looked for beside each.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bnn::model::Model;

use crate::{
    error::{Error, Result},
    files::model,
};

/// Environment variable that names a folder of models.
const VARIABLE: &str = "BNN_MODELS";
const SOURCE_TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");

/// The folders that are searched, in this order.
fn roots() -> Vec<PathBuf> {
    // Without `cli/..`, where the source tree is still there.
    let source_tree = fs::canonicalize(SOURCE_TREE).unwrap_or_else(|_| SOURCE_TREE.into());
    let named = env::var_os(VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    [Some("models".into()), named, Some(source_tree)].into_iter().flatten().collect()
}

/// Opens the model in the folder `name`, or the one of that name.
pub(crate) fn model(name: &str) -> Result<Arc<Model>> {
    model::open(&model_folder(name)?)
}

/// The folder `name`, or that of the model called so.
fn model_folder(name: &str) -> Result<PathBuf> {
    let folder = Path::new(name);
    // A path is meant by anything that is no bare name.
    if folder.is_dir() || folder.components().count() != 1 {
        return Ok(folder.into());
    }
    find(folder, "model", name)
}

/// The file of a sample digit.
pub(crate) fn digit(digit: u8) -> Result<PathBuf> {
    find(&Path::new("digits").join(format!("{digit}.png")), "sample digit", &digit.to_string())
}

/// The folder of known-answer vectors: the first `vectors` beside the folders of models that has any.
pub(crate) fn vectors() -> Result<PathBuf> {
    let roots = roots().into_iter().map(|models| models.with_file_name("vectors"));
    let roots: Vec<PathBuf> = roots.collect();
    roots.iter().find(|folder| folder.join(bnn::vectors::SUMS).is_file()).cloned().ok_or_else(|| {
        let searched: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
        Error::NoVectors { searched: searched.join(", ") }
    })
}

/// The first `relative` path in the folders that are searched.
fn find(relative: &Path, what: &'static str, name: &str) -> Result<PathBuf> {
    let roots = roots();
    roots.iter().map(|root| root.join(relative)).find(|path| path.exists()).ok_or_else(|| {
        let searched: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
        Error::NotFound { what, name: name.into(), searched: searched.join(", ") }
    })
}

/// The folders of all models that a name can choose, by that name.
pub(crate) fn models() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for root in roots() {
        // A root that cannot be read holds no model for us.
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let (name, folder) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
            if model::is_model(&folder) {
                found.entry(name).or_insert(folder);
            }
        }
    }
    found
}

/// The name of the model with this digest, if it is found.
pub(crate) fn name_of(digest: [u8; 32]) -> Option<String> {
    let has_digest = |folder: &PathBuf| model::open(folder).is_ok_and(|model| model.digest() == digest);
    models().into_iter().find(|(_, folder)| has_digest(folder)).map(|(name, _)| name)
}
