//! Networks of one's own: from an ONNX file in floating point to a model in integers.
//!
//! ONNX is what PyTorch, Keras and others export (<https://onnx.ai>). A network is read as a chain of layers, each of which is
//! named by its node wherever it is refused. Constants are computed, and batch normalisation and the like become part of the
//! layers beside them. Then weights and values become integers, with the ranges that they have on calibration pictures.
//!
//! ```text
//! protobuf -> graph -> read, with constant -> fold -> quantise, by choice
//! the file    nodes    layers in floating point       integers: manifest and weights
//! ```
//!
//! Read are Conv, Gemm, MatMul, Add, Sub, Mul and Div with constants, BatchNormalization, Relu, Clip, Tanh, Sigmoid, Sign, MaxPool,
//! AveragePool, GlobalAveragePool, Flatten, Reshape, Transpose, Squeeze, Unsqueeze, Identity, Dropout, Cast, a Softmax at the end,
//! DequantizeLinear on constants, pairs of QuantizeLinear and DequantizeLinear on values, and QONNX's Quant and BipolarQuant on either.
//! Networks with branches are refused.
//!
//! ```
//! # fn main() -> bnn::Result<()> {
//! use bnn::import::{PixelScale, RealNetwork};
//! let error = RealNetwork::from_onnx(b"no network", PixelScale::default()).unwrap_err();
//! assert!(error.to_string().contains("no ONNX file"));
//! # Ok(())
//! # }
//! ```

mod choice;
mod constant;
pub(crate) mod fault;
mod fold;
mod graph;
mod network;
mod protobuf;
mod quantise;
mod read;
mod tensor;

pub use self::{
    choice::Imported,
    fault::ImportFault,
    network::{RealNetwork, ValueRanges},
};
use self::{
    graph::{Graph, MOST_BYTES},
    network::{Operation, RealLayer},
};
use crate::error::Result;

/// The largest ONNX file that is read, in bytes.
pub const MOST_ONNX_BYTES: usize = MOST_BYTES;

/// What a network was trained to read for black and for white, between which grey values are in proportion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelScale {
    /// For the grey value 0.
    pub black: f64,
    /// For the grey value 255.
    pub white: f64,
}

impl Default for PixelScale {
    /// From 0 to 1.
    fn default() -> Self {
        Self { black: 0.0, white: 1.0 }
    }
}

impl RealNetwork {
    /// The network of an ONNX file.
    ///
    /// # Errors
    /// [`ImportFault`], for a file that is none, and for what is not read of one, by the name of its node.
    pub fn from_onnx(bytes: &[u8], pixels: PixelScale) -> Result<Self> {
        let mut network = read::read(Graph::parse(bytes)?)?;
        if pixels != PixelScale::default() {
            let PixelScale { black, white } = pixels;
            let operation = Operation::Affine {
                scales: vec![white - black; network.input.channels],
                offsets: vec![black; network.input.channels],
            };
            for layer in &mut network.layers {
                layer.reads = Some(layer.reads.map_or(0, |layer| layer + 1));
                if let Operation::Add { from } = &mut layer.operation {
                    *from += 1;
                }
            }
            network
                .layers
                .insert(0, RealLayer { name: "pixels".into(), reads: None, input: network.input, operation });
        }
        network.layers = fold::fold(network.layers)?;
        let is_linear =
            |layer: &RealLayer| matches!(layer.operation, Operation::Dense(_) | Operation::Convolution(..));
        match network.layers.last() {
            Some(RealLayer { operation: Operation::Dense(_), .. }) => Ok(network),
            last => {
                let last = last.map_or("nothing".into(), |layer| format!("node {:?}", layer.name));
                let dense = network.layers.iter().any(is_linear);
                let why = if dense {
                    "a dense layer (Gemm or MatMul) is to give the scores"
                } else {
                    "it has no weights"
                };
                Err(ImportFault::Network { reason: format!("the network ends with {last}: {why}") }.into())
            }
        }
    }
}
