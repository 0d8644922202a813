//! Networks: a manifest, `manifest.toml`, which says what the network is, and `weights.safetensors`, which holds its numbers. docs/formats.md lists the encodings and the kinds of layer.
//!
//! ```toml
//! format = 1
//! name = "binarized-perceptron"
//! description = "One hidden layer of 512 binary neurons, for handwritten digits"
//!
//! [input]
//! width = 28
//! height = 28
//! encoding = "threshold"          # x = 1 where the grey value is at least `threshold`, else 0
//! threshold = 128
//! max_active = 400                # most set pixels the client accepts
//!
//! [[layers]]
//! name = "hidden"
//! kind = "binary-dense"           # h = sign(W x + b + 1/2), W in {-1, +1}
//! inputs = 784
//! outputs = 512
//! weights = "hidden.weights"      # i8 [outputs, inputs]
//! biases = "hidden.biases"        # i32 [outputs]
//!
//! [[layers]]
//! name = "scores"
//! kind = "dense"                  # s = floor(V h / 2^shift) + c, in units of 2^-fraction_bits
//! inputs = 512
//! outputs = 10
//! fraction_bits = 3
//! weights = "scores.weights"      # i8 or i32 [outputs, inputs]
//! biases = "scores.biases"        # i32 [outputs]
//! ```
//!
//! A [`Model`] is the two files checked: shapes chain from the picture to the scores, no value can outgrow its word, the
//! tensors are those of the manifest and no others, and weights that must be -1 or +1 are.
//!
//! ```
//! use bnn::model::{Model, ModelFile};
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/binarized-perceptron");
//! let read = |file: ModelFile| std::fs::read(format!("{folder}/{}", file.name())).expect("a file of the model");
//! let (manifest, weights) = (read(ModelFile::Manifest), read(ModelFile::Weights));
//! let model = Model::from_bytes(&manifest, &weights)?;
//! assert_eq!((model.name(), model.layers().len()), ("binarized-perceptron", 2));
//! let sizes: Vec<_> = model.layers().map(|layer| (layer.kind(), layer.inputs(), layer.outputs())).collect();
//! assert_eq!(sizes, [("binary-dense", 784, 384), ("dense", 384, 10)]);
//! assert!(Model::from_bytes(&manifest, &weights[1..]).is_err());
//! # Ok::<(), bnn::Error>(())
//! ```

mod chain;
pub(crate) mod fault;
pub(crate) mod files;
mod manifest;
pub(crate) mod network;
pub(crate) mod summary;
#[cfg(test)]
mod tests;
mod weights;

pub use self::{
    fault::{ModelFault, ModelFile},
    files::ModelFiles,
    network::Model,
    summary::LayerSummary,
};
