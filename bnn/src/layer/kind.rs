//! A layer of any kind.

use super::{
    activation::{Clip, Relu, Sign, Table, signs},
    add::Add,
    binary_dense::BinaryDense,
    convolution::Convolution,
    dense::Dense,
    pool::Pool,
    scale::Scale,
    xnor_convolution::XnorConvolution,
};
use crate::client::shape::Shape;

/// A layer of a network.
#[derive(Debug, Clone)]
pub(crate) enum Layer {
    /// A hidden layer of +-1 neurons.
    BinaryDense(BinaryDense),
    /// An affine map, fully connected: the scores, or a hidden layer.
    Dense(Dense),
    /// Small filters of integers.
    Convolution(Convolution),
    /// Small filters of +-1 on signs, scaled by the client's window means: the paper's binarized convolution.
    XnorConvolution(XnorConvolution),
    /// The values of another layer, added.
    Add(Add),
    /// A scale a channel.
    Scale(Scale),
    /// max(x, 0).
    Relu(Relu),
    /// The nearest value within two ends.
    Clip(Clip),
    /// A curve, by its values.
    Table(Table),
    /// The greatest of each square.
    MaxPool(Pool),
    /// The sum of each square.
    SumPool(Pool),
    /// +1 where x >= 0, else -1.
    Sign(Sign),
}

impl Layer {
    /// The layer's name in the manifest.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::BinaryDense(layer) => layer.name(),
            Self::Dense(layer) => layer.name(),
            Self::Convolution(layer) => layer.name(),
            Self::XnorConvolution(layer) => layer.name(),
            Self::Add(layer) => &layer.name,
            Self::Scale(layer) => &layer.name,
            Self::Relu(layer) => &layer.name,
            Self::Clip(layer) => &layer.name,
            Self::Table(layer) => &layer.name,
            Self::MaxPool(layer) | Self::SumPool(layer) => &layer.name,
            Self::Sign(layer) => &layer.name,
        }
    }

    /// The place of the layer whose values it adds to those that it reads, if it is an addition.
    pub(crate) fn added(&self) -> Option<usize> {
        if let Self::Add(add) = self { Some(add.from) } else { None }
    }

    /// What kind it is, as the manifest says.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::BinaryDense(_) => "binary-dense",
            Self::Dense(_) => "dense",
            Self::Convolution(_) => "convolution",
            Self::XnorConvolution(_) => "xnor-convolution",
            Self::Add(_) => "add",
            Self::Scale(_) => "scale",
            Self::Relu(_) => "relu",
            Self::Clip(_) => "clip",
            Self::Table(_) => "table",
            Self::MaxPool(_) => "max-pool",
            Self::SumPool(_) => "sum-pool",
            Self::Sign(_) => "sign",
        }
    }

    /// The shape of what it gives for values of shape `input`: for an XNOR convolution, that of the picture.
    pub(crate) fn output(&self, input: Shape) -> Shape {
        match self {
            Self::BinaryDense(layer) => Shape::vector(layer.weights().rows()),
            Self::Dense(layer) => Shape::vector(layer.weights().rows()),
            Self::Convolution(layer) => layer.output(input),
            Self::XnorConvolution(layer) => layer.output(input),
            Self::Add(_)
            | Self::Scale(_)
            | Self::Relu(_)
            | Self::Clip(_)
            | Self::Table(_)
            | Self::Sign(_) => input,
            Self::MaxPool(layer) | Self::SumPool(layer) => layer.output(input),
        }
    }

    /// What it gives on values of shape `input`, where the layers of the model before it gave `given`: integers, +-1 for a binary layer.
    pub(crate) fn evaluate(&self, input: Shape, values: &[i64], given: &[Vec<i64>]) -> Vec<i64> {
        match self {
            Self::BinaryDense(layer) => signs(&layer.sums(values)),
            Self::Sign(_) => signs(values),
            Self::Dense(layer) => layer.evaluate(values),
            Self::Convolution(layer) => layer.evaluate(input, values),
            Self::XnorConvolution(layer) => layer.evaluate(input, values),
            Self::Add(layer) => layer.evaluate(values, &given[layer.from]),
            Self::Scale(layer) => {
                let area = input.height * input.width;
                values.iter().enumerate().map(|(place, &x)| layer.scaled(place / area, x)).collect()
            }
            Self::Relu(_) => values.iter().map(|&x| x.max(0)).collect(),
            Self::Clip(layer) => {
                values.iter().map(|&x| x.clamp(layer.least.into(), layer.most.into())).collect()
            }
            Self::Table(layer) => values.iter().map(|&x| layer.at(x)).collect(),
            Self::MaxPool(layer) => {
                let greatest = |window: Vec<usize>| window.iter().map(|&place| values[place]).max();
                layer.windows(input).filter_map(greatest).collect()
            }
            Self::SumPool(layer) => {
                let total = |window: Vec<usize>| window.iter().map(|&place| values[place]).sum();
                layer.windows(input).map(total).collect()
            }
        }
    }
}
