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
    let read = |file: ModelFile| read(&format!("{name}/{}", file.name()));
    Arc::new(Model::from_bytes(&read(ModelFile::Manifest), &read(ModelFile::Weights)).unwrap())
}

pub(crate) fn digit(digit: impl std::fmt::Display) -> Image {
    Image::decode(&read(&format!("digits/{digit}.png")), None).unwrap()
}
