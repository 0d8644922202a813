//! Small models.

use std::sync::Arc;

use bnn::{Result, data::GreyImage, model::Model};
use safetensors::{Dtype, tensor::TensorView};

/// A tensor of a model to be written.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    pub(crate) name: &'static str,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

impl Tensor {
    pub(crate) fn matrix(name: &'static str, columns: usize, entries: &[i8]) -> Self {
        let bytes = entries.iter().map(|entry| entry.cast_unsigned()).collect();
        Self { name, dtype: Dtype::I8, shape: vec![entries.len() / columns, columns], bytes }
    }

    pub(crate) fn biases(name: &'static str, entries: &[i32]) -> Self {
        let bytes = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        Self { name, dtype: Dtype::I32, shape: vec![entries.len()], bytes }
    }
}

/// The files of a model, so that a test can spoil them.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) manifest: String,
    pub(crate) tensors: Vec<Tensor>,
}

/// A model of 2 x 2 pixels, two hidden neurons and three classes.
pub(crate) fn toy() -> Folder {
    let manifest = r#"
format = 1
name = "toy"
description = "Two neurons on four pixels"

[input]
width = 2
height = 2
encoding = "threshold"
threshold = 128
max_active = 3

[[layers]]
name = "hidden"
kind = "binary-dense"
inputs = 4
outputs = 2
weights = "hidden.weights"
biases = "hidden.biases"

[[layers]]
name = "scores"
kind = "dense"
inputs = 2
outputs = 3
fraction_bits = 2
weights = "scores.weights"
biases = "scores.biases"
"#;
    let tensors = vec![
        Tensor::matrix("hidden.weights", 4, &[1, -1, 1, -1, 1, 1, -1, -1]),
        Tensor::biases("hidden.biases", &[-1, 0]),
        Tensor::matrix("scores.weights", 2, &[3, -5, 127, -128, 0, 1]),
        Tensor::biases("scores.biases", &[7, -1000, 2]),
    ];
    Folder { manifest: manifest.into(), tensors }
}

impl Folder {
    /// The same with `from`, which occurs in the manifest once, replaced by `to`.
    pub(crate) fn replace(mut self, from: &str, to: &str) -> Self {
        assert_eq!(self.manifest.matches(from).count(), 1, "{from:?} in the toy manifest");
        self.manifest = self.manifest.replace(from, to);
        self
    }

    /// The content of `weights.safetensors`.
    pub(crate) fn weights(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|tensor| {
            (tensor.name, TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    }

    pub(crate) fn open(&self) -> Result<Arc<Model>> {
        Ok(Arc::new(Model::from_bytes(self.manifest.as_bytes(), &self.weights())?))
    }
}

/// A picture that a threshold of 128 encodes as these bits.
pub(crate) fn picture(width: usize, height: usize, bits: &[bool]) -> GreyImage {
    let pixels = bits.iter().map(|&bit| if bit { 255 } else { 0 }).collect();
    GreyImage::new(width, height, pixels).unwrap()
}

/// A perceptron on square pictures, from its weights, row-major.
pub(crate) fn perceptron(
    side: usize,
    max_active: usize,
    hidden: (&[i8], &[i32]),
    scores: (&[i8], &[i32]),
) -> Folder {
    let (inputs, neurons, classes) = (side * side, hidden.1.len(), scores.1.len());
    let manifest = toy()
        .manifest
        .replace("width = 2", &format!("width = {side}"))
        .replace("height = 2", &format!("height = {side}"))
        .replace("max_active = 3", &format!("max_active = {max_active}"))
        .replace("inputs = 4\noutputs = 2", &format!("inputs = {inputs}\noutputs = {neurons}"))
        .replace("inputs = 2\noutputs = 3", &format!("inputs = {neurons}\noutputs = {classes}"));
    let tensors = vec![
        Tensor::matrix("hidden.weights", inputs, hidden.0),
        Tensor::biases("hidden.biases", hidden.1),
        Tensor::matrix("scores.weights", neurons, scores.0),
        Tensor::biases("scores.biases", scores.1),
    ];
    Folder { manifest, tensors }
}
