//! What a layer is, without its numbers.

use crate::{client::shape::Shape, layer::kind::Layer};

/// A layer of a model: its name and kind, and how many values it reads and gives.
#[derive(Debug, Clone)]
pub struct LayerSummary {
    layer: Layer,
    input: Shape,
}

impl LayerSummary {
    pub(super) fn new(layer: Layer, input: Shape) -> Self {
        Self { layer, input }
    }

    /// The layer's name in the manifest.
    pub fn name(&self) -> &str {
        self.layer.name()
    }

    /// What kind it is, as the manifest says.
    pub fn kind(&self) -> &'static str {
        self.layer.kind()
    }

    /// The values that it reads. (An XNOR convolution reads the pixels' signs, beside which come the windows' means.)
    pub fn inputs(&self) -> usize {
        self.input.values()
    }

    /// The values that it gives.
    pub fn outputs(&self) -> usize {
        self.layer.output(self.input).values()
    }

    /// A row of weights for each neuron, class or filter.
    #[cfg(feature = "internals")]
    #[doc(hidden)]
    pub fn weights(&self) -> Vec<Vec<i32>> {
        let matrix = match &self.layer {
            Layer::BinaryDense(layer) => layer.weights(),
            Layer::Dense(layer) => layer.weights(),
            Layer::Convolution(layer) => layer.weights(),
            Layer::XnorConvolution(layer) => layer.weights(),
            Layer::Relu(_) | Layer::MaxPool(_) | Layer::Sign(_) => return Vec::new(),
        };
        matrix.iter().map(<[i32]>::to_vec).collect()
    }

    /// One a row of weights.
    #[cfg(feature = "internals")]
    #[doc(hidden)]
    pub fn biases(&self) -> Vec<i32> {
        match &self.layer {
            Layer::BinaryDense(layer) => layer.biases().to_vec(),
            Layer::Dense(layer) => layer.biases().to_vec(),
            Layer::Convolution(layer) => layer.biases().to_vec(),
            Layer::XnorConvolution(layer) => layer.biases().to_vec(),
            Layer::Relu(_) | Layer::MaxPool(_) | Layer::Sign(_) => Vec::new(),
        }
    }

    /// What multiplies the sums of an XNOR convolution's filters.
    #[cfg(feature = "internals")]
    #[doc(hidden)]
    pub fn scales(&self) -> Vec<i32> {
        match &self.layer {
            Layer::XnorConvolution(layer) => layer.scales().to_vec(),
            _ => Vec::new(),
        }
    }
}
