//! Small models, opened, and pictures for them.

use std::sync::Arc;

use bnn::{Result, data::Image, model::Model};
pub(crate) use testkit::{
    model_files::{ModelFiles, Tensor},
    toys::{colours, perceptron, toy},
};

/// Opens the model of two files.
pub(crate) trait Open {
    fn open(&self) -> Result<Arc<Model>>;
}

impl Open for ModelFiles {
    fn open(&self) -> Result<Arc<Model>> {
        Ok(Arc::new(Model::from_bytes(self.manifest.as_bytes(), &self.weights())?))
    }
}

/// A picture that a threshold of 128 encodes as these bits.
pub(crate) fn picture(width: usize, height: usize, bits: &[bool]) -> Image {
    let pixels = bits.iter().map(|&bit| if bit { 255 } else { 0 }).collect();
    Image::grey(width, height, pixels).unwrap()
}
