//! The small models from which corpora begin.

use std::sync::Arc;

use bnn::model::Model;
pub use testkit::{
    model_files::ModelFiles,
    toys::{binarized, hybrid, toy as perceptron},
};

/// The model of two files.
///
/// # Panics
/// If they are none.
pub fn open(files: &ModelFiles) -> Arc<Model> {
    let model = Model::from_bytes(files.manifest.as_bytes(), &files.weights());
    Arc::new(model.expect("a good model"))
}
