//! What travels inside the command: the models that ship, the sample digits, and the known-answer vectors. The bytes go
//! through the same parsers as files do.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use bnn::{
    data::{Image, Picture},
    model::{Model, ModelFiles},
};

use crate::{
    error::{About, Result},
    files::named::Named,
};

/// What messages call the place of all this.
pub(crate) const PLACE: &str = "this program";

/// The bytes of a file that ships, by its path in the source tree.
macro_rules! bytes {
    ($($path:expr),+) => {
        include_bytes!(concat!(env!("BNN_SHIPPED"), $("/", $path),+)).as_slice()
    };
}

/// The two files of a model.
macro_rules! model {
    ($name:literal) => {
        ShippedModel {
            name: $name,
            manifest: bytes!("models", $name, "manifest.toml"),
            weights: bytes!("models", $name, "weights.safetensors"),
        }
    };
}

/// A file of vectors, with its name.
macro_rules! vectors {
    ($name:literal) => {
        ($name, bytes!("vectors", $name))
    };
}

/// A model that ships.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShippedModel {
    pub(crate) name: &'static str,
    manifest: &'static [u8],
    weights: &'static [u8],
}

/// All models that ship.
pub(crate) const MODELS: [ShippedModel; 5] = [
    model!("binarized-cnn"),
    model!("binarized-perceptron"),
    model!("hybrid-cnn"),
    model!("perceptron"),
    model!("sign-cnn"),
];

/// The pictures of the sample digits, from 0 on.
const DIGITS: [&[u8]; 10] = [
    bytes!("models/digits/0.png"),
    bytes!("models/digits/1.png"),
    bytes!("models/digits/2.png"),
    bytes!("models/digits/3.png"),
    bytes!("models/digits/4.png"),
    bytes!("models/digits/5.png"),
    bytes!("models/digits/6.png"),
    bytes!("models/digits/7.png"),
    bytes!("models/digits/8.png"),
    bytes!("models/digits/9.png"),
];

/// The files of known-answer vectors, by name.
const VECTORS: [(&str, &[u8]); 7] = [
    vectors!("steps.json"),
    vectors!("native-files.json"),
    vectors!("toy.json"),
    vectors!("bootstraps.json"),
    vectors!("bootstraps.bin"),
    vectors!("networks.json"),
    vectors!("SHA256SUMS"),
];

impl ShippedModel {
    /// The model of this name.
    pub(crate) fn named(name: &Path) -> Option<Self> {
        MODELS.into_iter().find(|model| name == Path::new(model.name))
    }

    /// Reads the model.
    ///
    /// # Errors
    /// As [`model::open`](crate::files::model::open).
    pub(crate) fn open(&self) -> Result<Arc<Model>> {
        Model::from_bytes(self.manifest, self.weights).map(Arc::new).about(self.name.as_ref())
    }

    /// The bytes of the model's files.
    pub(crate) fn files(&self) -> ModelFiles {
        ModelFiles::new(self.manifest.into(), self.weights.into())
    }
}

/// Reads a sample digit, 0 to 9.
///
/// # Errors
/// As [`picture`](crate::files::picture::picture).
pub(crate) fn digit(digit: u8) -> Result<Named<Picture<'static>>> {
    let name = PathBuf::from(format!("sample digit {digit}"));
    let content = Picture::open(DIGITS[usize::from(digit)], None).about(&name)?;
    Ok(Named { name, content })
}

/// Reads and decodes all sample digits, from 0 on.
///
/// # Errors
/// As [`digit`].
pub(crate) fn digits() -> Result<Vec<Image>> {
    (0..DIGITS.len() as u8)
        .map(|number| {
            let Named { name, content } = digit(number)?;
            content.decode(1).about(&name)
        })
        .collect()
}

/// The files of known-answer vectors, by name.
pub(crate) fn vectors() -> BTreeMap<String, Vec<u8>> {
    VECTORS.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{collections::BTreeSet, fs};

    use super::*;

    const MODELS_OF_THE_TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");

    #[test]
    fn all_models_of_the_source_tree_ship_and_are_read() {
        let folders = fs::read_dir(MODELS_OF_THE_TREE).unwrap().map(|entry| entry.unwrap());
        let there: BTreeSet<String> = folders
            .filter(|folder| folder.path().join("manifest.toml").exists())
            .map(|folder| folder.file_name().into_string().unwrap())
            .collect();
        assert!(MODELS.iter().map(|model| model.name).eq(there.iter().map(String::as_str)));
        assert!(MODELS.iter().map(|model| &model.name).eq(bnn::vectors::MODELS));
        for model in MODELS {
            let folder = Path::new(MODELS_OF_THE_TREE).join(model.name);
            let of_the_tree = crate::files::model::open(&folder).unwrap();
            assert_eq!(model.open().unwrap().digest(), of_the_tree.digest(), "{}", model.name);
            assert_eq!(model.open().unwrap().name(), model.name);
        }
    }

    #[test]
    fn all_digits_and_vectors_ship() {
        assert_eq!(digits().unwrap().len(), 10);
        let pictures = fs::read_dir(format!("{MODELS_OF_THE_TREE}/digits")).unwrap();
        let pictures = pictures.filter(|entry| {
            entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "png")
        });
        assert_eq!(pictures.count(), DIGITS.len());
        assert!(VECTORS.iter().map(|(name, _)| name).eq(bnn::vectors::FILES));
    }
}
