//! A network on disk: a folder of `manifest.toml`, which says what the network is, and `weights.safetensors`, which
//! holds its numbers. docs/formats.md lists the encodings and the kinds of layer.
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
//! A [`Model`] is the folder checked: shapes chain from the picture to the scores, no value can outgrow its word, the
//! tensors are those of the manifest and no others, and weights that must be -1 or +1 are.
//!
//! ```
//! use bnn::model::Model;
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/binarized-perceptron");
//! let model = Model::open(folder.as_ref())?;
//! assert_eq!((model.name(), model.layers().len()), ("binarized-perceptron", 2));
//! assert!(Model::open("no/such/folder".as_ref()).is_err());
//! # Ok::<(), bnn::Error>(())
//! ```

mod chain;
mod manifest;
mod paper;
mod weights;

pub use self::paper::{ModelFiles, import_paper};

use std::path::Path;

use sha2::{Digest, Sha256};

use self::{
    chain::Chain,
    manifest::{LayerEntry, Manifest},
    weights::Weights,
};
use crate::{
    Result,
    bounded::read_bounded,
    encoding::InputEncoding,
    layer::{BinaryDense, Convolution, Dense, Layer, MaxPool, Relu, Shape, Sign, XnorConvolution},
};

/// The largest manifest that is read, in bytes.
const MANIFEST_LIMIT: u64 = 1 << 20;
/// The largest file of weights that is read, in bytes.
const WEIGHTS_LIMIT: u64 = 256 << 20;

/// A network, checked: layers whose shapes chain, the last of which gives scores.
#[derive(Debug, Clone)]
pub struct Model {
    name: String,
    description: String,
    input: InputEncoding,
    /// With the shapes of their inputs.
    layers: Vec<(Layer, Shape)>,
    fraction_bits: u32,
    digest: [u8; 32],
}

impl Model {
    /// Opens the model in the folder `folder`.
    ///
    /// # Errors
    /// A file cannot be read, is too large or ill-formed, or the two do not describe one network; see the variants of
    /// [`Error`](crate::Error) for manifests, layers and tensors.
    pub fn open(folder: &Path) -> Result<Self> {
        let [manifest_path, weights_path] =
            ["manifest.toml", "weights.safetensors"].map(|name| folder.join(name));
        let manifest_bytes = read_bounded(&manifest_path, MANIFEST_LIMIT)?;
        let manifest = Manifest::parse(&manifest_path, &manifest_bytes)?;
        let weights_bytes = read_bounded(&weights_path, WEIGHTS_LIMIT)?;
        let mut weights = Weights::parse(&weights_path, &weights_bytes)?;

        let mut chain = Chain::new(&manifest_path, &manifest.input);
        let mut layers = Vec::new();
        for entry in manifest.layers {
            let (shape, name) = (chain.check(&entry)?, entry.name().to_owned());
            let layer = read_layer(entry, shape, name, &mut weights)?;
            chain.push(&layer)?;
            layers.push((layer, shape));
        }
        let fraction_bits = chain.finish();
        weights.finish()?;

        let digest =
            Sha256::new().chain_update(&manifest_bytes).chain_update(&weights_bytes).finalize().into();
        Ok(Self {
            name: manifest.name,
            description: manifest.description,
            input: manifest.input,
            layers,
            fraction_bits,
            digest,
        })
    }

    /// The model's name, one line.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the model is, one line.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// How the model reads pictures.
    pub fn input(&self) -> &InputEncoding {
        &self.input
    }

    /// The layers from the first to the last.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = &Layer> + DoubleEndedIterator {
        self.layers.iter().map(|(layer, _)| layer)
    }

    /// The layers, each with the shape of its inputs: for an XNOR convolution, that of the picture.
    pub fn layers_and_shapes(&self) -> &[(Layer, Shape)] {
        &self.layers
    }

    /// Fraction bits of the scores.
    pub fn fraction_bits(&self) -> u32 {
        self.fraction_bits
    }

    /// The SHA-256 of the manifest followed by the weights, by which results name the model that made them:
    /// `cat manifest.toml weights.safetensors | sha256sum`.
    ///
    /// No other model has the same bytes split elsewhere. The first eight bytes of the weights are a length below
    /// 2^32, hence end in zeros, and a manifest has no zeros; nor can the weights start later, because then bytes of
    /// their header, which is text, would stand in those zeros' place.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// The layer of an entry that fits values of shape `input`.
fn read_layer(entry: LayerEntry, input: Shape, name: String, weights: &mut Weights) -> Result<Layer> {
    Ok(match entry {
        LayerEntry::BinaryDense { inputs, outputs, weights: w, biases, .. } => {
            let matrix = weights.take_binary_matrix(&w, &[outputs, inputs])?;
            Layer::BinaryDense(BinaryDense::new(name, matrix, weights.take_biases(&biases, outputs)?))
        }
        LayerEntry::Dense { inputs, outputs, shift, bits, fraction_bits, weights: w, biases, .. } => {
            let matrix = weights.take_matrix(&w, &[outputs, inputs])?;
            let biases = weights.take_biases(&biases, outputs)?;
            Layer::Dense(Dense { name, weights: matrix, biases, shift, bits, fraction_bits })
        }
        LayerEntry::Convolution { filters, size, stride, shift, weights: w, biases, .. } => {
            let dimensions = [filters, input.channels, size, size];
            // One channel needs no dimension of its own.
            let dimensions =
                if input.channels == 1 { vec![filters, size, size] } else { dimensions.to_vec() };
            let matrix = weights.take_matrix(&w, &dimensions)?;
            let biases = weights.take_biases(&biases, filters)?;
            Layer::Convolution(Convolution { name, size, stride, shift, weights: matrix, biases })
        }
        LayerEntry::XnorConvolution {
            filters,
            size,
            fraction_bits,
            bits,
            weights: w,
            scales,
            biases,
            ..
        } => {
            let matrix = weights.take_binary_matrix(&w, &[filters, size, size])?;
            let scales = weights.take_scales(&scales, filters)?;
            let biases = weights.take_biases(&biases, filters)?;
            Layer::XnorConvolution(XnorConvolution {
                name,
                size,
                fraction_bits,
                bits,
                weights: matrix,
                scales,
                biases,
            })
        }
        LayerEntry::Relu { .. } => Layer::Relu(Relu { name }),
        LayerEntry::MaxPool { size, .. } => Layer::MaxPool(MaxPool { name, size }),
        LayerEntry::Sign { .. } => Layer::Sign(Sign { name }),
    })
}
