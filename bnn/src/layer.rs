//! The kinds of layer, over exact integers, and how large their values can become.
//!
//! A network's values between layers are integers: pixels, sums, fixed-point numbers whose point the model knows. What
//! each layer makes of them is defined here exactly; engines must give the same, bit for bit or up to a stated noise.
//! How large values can become decides the width of a circuit's words and the scale of sums on the torus.
//!
//! ```
//! use bnn::model::Model;
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/binarized-perceptron");
//! let model = Model::open(folder.as_ref())?;
//! let layers = model.layers_and_shapes().iter();
//! let sizes: Vec<_> = layers.map(|(layer, input)| (layer.kind(), input.values(), layer.output(*input).values())).collect();
//! assert_eq!(sizes, [("binary-dense", 784, 384), ("dense", 384, 10)]);
//! # Ok::<(), bnn::Error>(())
//! ```

mod binary_dense;
mod convolution;
mod dense;
mod matrix;
mod xnor_convolution;

pub use binary_dense::{BinaryDense, InputBound};
pub use convolution::Convolution;
pub use dense::Dense;
pub use matrix::Matrix;
pub use xnor_convolution::XnorConvolution;

/// A layer of a network.
#[derive(Debug, Clone)]
pub enum Layer {
    /// A hidden layer of +-1 neurons.
    BinaryDense(BinaryDense),
    /// An affine map, fully connected: the scores, or a hidden layer.
    Dense(Dense),
    /// Small filters of integers.
    Convolution(Convolution),
    /// Small filters of +-1 on signs, scaled by the client's window means: the paper's binarized convolution.
    XnorConvolution(XnorConvolution),
    /// max(x, 0).
    Relu(Relu),
    /// The greatest of each square.
    MaxPool(MaxPool),
    /// +1 where x >= 0, else -1.
    Sign(Sign),
}

impl Layer {
    /// The layer's name in the manifest.
    pub fn name(&self) -> &str {
        match self {
            Self::BinaryDense(layer) => layer.name(),
            Self::Dense(layer) => layer.name(),
            Self::Convolution(layer) => layer.name(),
            Self::XnorConvolution(layer) => layer.name(),
            Self::Relu(layer) => &layer.name,
            Self::MaxPool(layer) => &layer.name,
            Self::Sign(layer) => &layer.name,
        }
    }

    /// What kind it is, as the manifest says.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BinaryDense(_) => "binary-dense",
            Self::Dense(_) => "dense",
            Self::Convolution(_) => "convolution",
            Self::XnorConvolution(_) => "xnor-convolution",
            Self::Relu(_) => "relu",
            Self::MaxPool(_) => "max-pool",
            Self::Sign(_) => "sign",
        }
    }

    /// The shape of what it gives for values of shape `input`: for an XNOR convolution, that of the picture.
    pub fn output(&self, input: Shape) -> Shape {
        match self {
            Self::BinaryDense(layer) => Shape::vector(layer.weights().rows()),
            Self::Dense(layer) => Shape::vector(layer.weights().rows()),
            Self::Convolution(layer) => layer.output(input),
            Self::XnorConvolution(layer) => layer.output(input),
            Self::Relu(_) | Self::Sign(_) => input,
            Self::MaxPool(layer) => layer.output(input),
        }
    }

    /// What it gives on values of shape `input`: integers, +-1 for a binary layer.
    pub(crate) fn evaluate(&self, input: Shape, values: &[i64]) -> Vec<i64> {
        match self {
            Self::BinaryDense(layer) => signs(&layer.sums(values)),
            Self::Sign(_) => signs(values),
            Self::Dense(layer) => layer.evaluate(values),
            Self::Convolution(layer) => layer.evaluate(input, values),
            Self::XnorConvolution(layer) => layer.evaluate(input, values),
            Self::Relu(_) => values.iter().map(|&x| x.max(0)).collect(),
            Self::MaxPool(layer) => {
                let greatest = |window: Vec<usize>| window.iter().map(|&place| values[place]).max();
                layer.windows(input).filter_map(greatest).collect()
            }
        }
    }
}

/// Channels of pictures: `channels x height x width` values, in this order. A vector has height and width 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Channels.
    pub channels: usize,
    /// Rows of each.
    pub height: usize,
    /// Columns of each.
    pub width: usize,
}

impl Shape {
    /// The shape of a vector.
    pub fn vector(length: usize) -> Self {
        Self { channels: length, height: 1, width: 1 }
    }

    /// All values.
    pub fn values(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The place of a value.
    pub(crate) fn place(&self, channel: usize, row: usize, column: usize) -> usize {
        (channel * self.height + row) * self.width + column
    }
}

/// +1 where x >= 0, else -1: what [`BinaryDense`] has built in, for a layer of another kind before it.
#[derive(Debug, Clone)]
pub struct Sign {
    pub(crate) name: String,
}

fn signs(values: &[i64]) -> Vec<i64> {
    values.iter().map(|&x| if x >= 0 { 1 } else { -1 }).collect()
}

/// max(x, 0).
#[derive(Debug, Clone)]
pub struct Relu {
    pub(crate) name: String,
}

/// The greatest value of each square of `size` x `size`; what does not fill a square at the right and at the bottom is
/// dropped.
#[derive(Debug, Clone)]
pub struct MaxPool {
    pub(crate) name: String,
    pub(crate) size: usize,
}

impl MaxPool {
    /// The side of a square.
    pub fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn output(&self, input: Shape) -> Shape {
        Shape { height: input.height / self.size, width: input.width / self.size, ..input }
    }

    /// The places of the inputs of each output.
    pub(crate) fn windows(&self, input: Shape) -> impl Iterator<Item = Vec<usize>> + '_ {
        let output = self.output(input);
        (0..output.values()).map(move |place| {
            let (row, column) = (place / output.width % output.height, place % output.width);
            let channel = place / (output.width * output.height);
            let cell = |index: usize| {
                let (i, j) = (index / self.size, index % self.size);
                input.place(channel, row * self.size + i, column * self.size + j)
            };
            (0..self.size * self.size).map(cell).collect()
        })
    }
}
