//! The models and digits that ship.

use std::{fs, path::Path, sync::Arc};

use bnn::{
    data::Image,
    model::{Model, ModelFile},
};

/// The bytes of a file in `models/`.
pub(crate) fn read(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name)).unwrap()
}

pub(crate) fn model(name: &str) -> Arc<Model> {
    model_in(&format!("models/{name}"))
}

/// The model of a folder of the source tree.
pub(crate) fn model_in(folder: &str) -> Arc<Model> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let read = |file: ModelFile| fs::read(folder.join(file.name())).unwrap();
    Arc::new(Model::from_bytes(&read(ModelFile::Manifest), &read(ModelFile::Weights)).unwrap())
}

pub(crate) fn digit(digit: impl std::fmt::Display) -> Image {
    Image::decode(&read(&format!("digits/{digit}.png")), None).unwrap()
}
