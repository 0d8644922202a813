//! A network in floating point: its *real* meaning, from which the integer one is made.

use rayon::prelude::*;
use tfhe_core::control::Control;

use crate::{client::shape::Shape, error::Result};

/// A network in floating point, read from a file.
#[derive(Debug, Clone)]
pub struct RealNetwork {
    /// Of the picture.
    pub(super) input: Shape,
    /// The last is linear, and gives the scores.
    pub(super) layers: Vec<RealLayer>,
}

/// The least and the greatest that each channel of each layer of a network gives on some pictures, and 0.
#[derive(Debug, Clone)]
pub struct ValueRanges(pub(super) Vec<Vec<(f64, f64)>>);

/// A layer, with its name in the file and the shape of what it reads.
#[derive(Debug, Clone)]
pub(super) struct RealLayer {
    pub(super) name: String,
    /// The place of the layer whose values it reads; none for the picture.
    pub(super) reads: Option<usize>,
    pub(super) input: Shape,
    pub(super) operation: Operation,
}

/// What a layer does.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Dense(Linear),
    Convolution(Linear, Window),
    /// a x + b for each channel.
    Affine {
        scales: Vec<f64>,
        offsets: Vec<f64>,
    },
    Relu,
    /// The nearest value from `least`, not above 0, to `most`, not below.
    Clip {
        least: f64,
        most: f64,
    },
    /// The nearest multiple of `step`, of two equally near ones the even, from `least` of them to `most`, between which 0 is.
    Quantised {
        step: f64,
        least: f64,
        most: f64,
    },
    Curve(Curve),
    /// What the layer at this place gives is added to what is read.
    Add {
        from: usize,
    },
    /// 1 from 0 on, else -1. (In ONNX the sign of 0 is 0.)
    Sign,
    MaxPool {
        size: usize,
    },
    AveragePool {
        size: usize,
    },
}

/// A curve that rises from one flat end to another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Curve {
    Tanh,
    /// 1 / (1 + e^-x).
    Sigmoid,
}

impl Curve {
    pub(super) fn at(self, x: f64) -> f64 {
        match self {
            Self::Tanh => x.tanh(),
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        }
    }
}

/// Weights, a row an output, and what is added to each.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    pub(super) columns: usize,
    pub(super) weights: Vec<f64>,
    pub(super) biases: Vec<f64>,
    pub(super) grid: Grid,
}

/// Which weights are likely to be multiples of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grid {
    /// Those of a layer.
    Layer,
    /// Those of each row: a factor of its own was multiplied into it, as batch normalisation has it.
    Row,
}

/// How filters lie on the values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) size: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) groups: usize,
}

impl RealLayer {
    /// The place of the layer whose values it adds, if it is an addition.
    fn added(&self) -> Option<usize> {
        if let Operation::Add { from } = self.operation { Some(from) } else { None }
    }

    /// The places of the layers whose values it reads or adds.
    pub(super) fn sources(&self) -> impl Iterator<Item = usize> {
        self.reads.into_iter().chain(self.added())
    }

    /// The shape of what it gives.
    pub(super) fn output(&self) -> Shape {
        let Shape { channels, height, width } = self.input;
        match &self.operation {
            Operation::Dense(linear) => Shape::vector(linear.biases.len()),
            Operation::Convolution(linear, window) => {
                let along = |length: usize| (length + 2 * window.padding - window.size) / window.stride + 1;
                Shape { channels: linear.biases.len(), height: along(height), width: along(width) }
            }
            Operation::Affine { .. }
            | Operation::Relu
            | Operation::Clip { .. }
            | Operation::Quantised { .. }
            | Operation::Curve(_)
            | Operation::Add { .. }
            | Operation::Sign => self.input,
            Operation::MaxPool { size } | Operation::AveragePool { size } => {
                Shape { channels, height: height / size, width: width / size }
            }
        }
    }

    /// How many numbers it has.
    pub(super) fn numbers(&self) -> usize {
        match &self.operation {
            Operation::Dense(linear) | Operation::Convolution(linear, _) => {
                linear.weights.len() + linear.biases.len()
            }
            Operation::Affine { scales, offsets } => scales.len() + offsets.len(),
            _ => 0,
        }
    }

    /// Whether all its numbers are finite.
    pub(super) fn is_finite(&self) -> bool {
        let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
        match &self.operation {
            Operation::Dense(linear) | Operation::Convolution(linear, _) => {
                finite(&linear.weights) && finite(&linear.biases)
            }
            Operation::Affine { scales, offsets } => finite(scales) && finite(offsets),
            _ => true,
        }
    }

    /// What it gives on these values, where the layers before it gave `given`.
    fn evaluate(&self, values: &[f64], given: &[Vec<f64>]) -> Vec<f64> {
        let (input, output) = (self.input, self.output());
        let area = input.height * input.width;
        match &self.operation {
            Operation::Dense(linear) => {
                let rows = linear.weights.chunks(linear.columns).zip(&linear.biases);
                rows.map(|(row, bias)| bias + dot(row, values)).collect()
            }
            Operation::Convolution(linear, window) => convolve(linear, *window, input, output, values),
            Operation::Affine { scales, offsets } => {
                let channel = |place: usize| place / area;
                values
                    .iter()
                    .enumerate()
                    .map(|(place, x)| scales[channel(place)] * x + offsets[channel(place)])
                    .collect()
            }
            Operation::Add { from } => values.iter().zip(&given[*from]).map(|(x, v)| x + v).collect(),
            Operation::Relu => values.iter().map(|x| x.max(0.0)).collect(),
            Operation::Clip { least, most } => values.iter().map(|x| x.clamp(*least, *most)).collect(),
            Operation::Quantised { step, least, most } => {
                let nearest = |x: &f64| (x / step).round_ties_even().clamp(*least, *most) * step;
                values.iter().map(nearest).collect()
            }
            Operation::Curve(curve) => values.iter().map(|&x| curve.at(x)).collect(),
            Operation::Sign => values.iter().map(|&x| if x >= 0.0 { 1.0 } else { -1.0 }).collect(),
            Operation::MaxPool { size } => {
                squares(input, output, *size, values, |square| square.fold(f64::NEG_INFINITY, f64::max))
            }
            Operation::AveragePool { size } => {
                squares(input, output, *size, values, |square| square.sum::<f64>() / (size * size) as f64)
            }
        }
    }
}

/// For each layer whether its values are read by another than the next, or added.
pub(super) fn kept(layers: &[RealLayer]) -> Vec<bool> {
    let mut kept = vec![false; layers.len()];
    for (place, layer) in layers.iter().enumerate() {
        let jump = layer.reads.filter(|reads| reads + 1 != place);
        jump.into_iter().chain(layer.added()).for_each(|read| kept[read] = true);
    }
    kept
}

/// The range that holds two.
pub(super) fn union(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.max(b.1))
}

fn convolve(linear: &Linear, window: Window, input: Shape, output: Shape, values: &[f64]) -> Vec<f64> {
    let filters = linear.biases.len();
    let channels = input.channels / window.groups;
    let mut results = vec![0.0; output.values()];
    let mut read = vec![0.0; linear.columns];
    for group in 0..window.groups {
        for (y, x) in (0..output.height).flat_map(|y| (0..output.width).map(move |x| (y, x))) {
            for (index, read) in read.iter_mut().enumerate() {
                let (channel, i, j) = (
                    index / (window.size * window.size),
                    index / window.size % window.size,
                    index % window.size,
                );
                let inside = |start: usize, length: usize| {
                    start.checked_sub(window.padding).filter(|&place| place < length)
                };
                let line = inside(y * window.stride + i, input.height);
                let column = inside(x * window.stride + j, input.width);
                *read = line.zip(column).map_or(0.0, |(line, column)| {
                    values[input.place(group * channels + channel, line, column)]
                });
            }
            for filter in group * filters / window.groups..(group + 1) * filters / window.groups {
                let row = &linear.weights[filter * linear.columns..][..linear.columns];
                results[output.place(filter, y, x)] = linear.biases[filter] + dot(row, &read);
            }
        }
    }
    results
}

/// The inner product, in several sums side by side, of which the processor has several under way.
fn dot(row: &[f64], values: &[f64]) -> f64 {
    const SUMS: usize = 8;
    let ((rows, row), (parts, rest)) = (row.as_chunks::<SUMS>(), values.as_chunks::<SUMS>());
    let mut sums = [0.0; SUMS];
    for (row, part) in rows.iter().zip(parts) {
        sums.iter_mut().zip(row.iter().zip(part)).for_each(|(sum, (w, x))| *sum += w * x);
    }
    sums.iter().sum::<f64>() + row.iter().zip(rest).map(|(w, x)| w * x).sum::<f64>()
}

/// One value of each square.
fn squares(
    input: Shape,
    output: Shape,
    size: usize,
    values: &[f64],
    value: impl Fn(&mut dyn Iterator<Item = f64>) -> f64,
) -> Vec<f64> {
    let place = |place: usize| {
        let (channel, row, column) = (
            place / (output.height * output.width),
            place / output.width % output.height,
            place % output.width,
        );
        let mut square = (0..size * size)
            .map(|cell| values[input.place(channel, row * size + cell / size, column * size + cell % size)]);
        value(&mut square)
    };
    (0..output.values()).map(place).collect()
}

impl RealNetwork {
    /// The channels, the width and the height of the pictures that it reads.
    pub fn picture(&self) -> (usize, usize, usize) {
        (self.input.channels, self.input.width, self.input.height)
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.output().values())
    }

    /// The scores of a picture of this network's size, its values from 0 (black) to 1 (white) in rows from the top left, one channel after
    /// the other.
    pub fn evaluate(&self, pixels: &[f64]) -> Vec<f64> {
        self.trace(pixels).pop().unwrap_or_default()
    }

    /// What each layer gives.
    fn trace(&self, pixels: &[f64]) -> Vec<Vec<f64>> {
        let mut given: Vec<Vec<f64>> = Vec::new();
        for layer in &self.layers {
            let read = layer.reads.map_or(pixels, |layer| &given[layer]);
            let values = layer.evaluate(read, &given);
            given.push(values);
        }
        given
    }

    /// The ranges that values have on these pictures, as [`evaluate`](Self::evaluate) reads them.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn ranges(&self, pictures: &[Vec<f64>], control: &Control) -> Result<ValueRanges> {
        let extremes = |(layer, values): (&RealLayer, &Vec<f64>)| -> Vec<(f64, f64)> {
            let channels = values.chunks((values.len() / layer.output().channels).max(1));
            channels.map(|values| values.iter().fold((0.0, 0.0), |range, &x| union(range, (x, x)))).collect()
        };
        let of_picture = |picture: &Vec<f64>| -> Result<Vec<Vec<(f64, f64)>>> {
            control.check()?;
            Ok(self.layers.iter().zip(&self.trace(picture)).map(extremes).collect())
        };
        let nothing = || self.layers.iter().map(|layer| vec![(0.0, 0.0); layer.output().channels]).collect();
        let both = |first: Vec<Vec<_>>, second: Vec<Vec<_>>| {
            let layers = first.into_iter().zip(second);
            Ok(layers.map(|(a, b)| a.into_iter().zip(b).map(|(a, b)| union(a, b)).collect()).collect())
        };
        Ok(ValueRanges(pictures.par_iter().map(of_picture).try_reduce(nothing, both)?))
    }
}
