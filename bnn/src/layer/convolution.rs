//! A convolution with small filters of integers: `floor(sum w x / 2^shift) + b` for each window of each filter.

use std::sync::Arc;

use super::matrix::Matrix;
use crate::client::shape::Shape;

/// Filters of `size` x `size` over all channels, every `stride` values, without padding.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    pub(crate) name: Arc<str>,
    pub(crate) size: usize,
    pub(crate) stride: usize,
    pub(crate) shift: u32,
    /// A row a filter: channel, row, column.
    pub(crate) weights: Matrix,
    /// One a filter.
    pub(crate) biases: Arc<[i32]>,
}

impl Convolution {
    /// The layer's name in the manifest.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A row for each filter: its channels' rows of `size` weights.
    pub(crate) fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// One for each filter, in units of the result.
    pub(crate) fn biases(&self) -> &[i32] {
        &self.biases
    }

    /// Bits that the sum loses, rounding down, before the bias is added.
    pub(crate) fn shift(&self) -> u32 {
        self.shift
    }

    pub(crate) fn output(&self, input: Shape) -> Shape {
        let along = |length: usize| (length - self.size) / self.stride + 1;
        Shape { channels: self.weights.rows(), height: along(input.height), width: along(input.width) }
    }

    /// The places of a window's inputs, in the order of a filter's weights.
    pub(crate) fn window(&self, input: Shape, row: usize, column: usize) -> Vec<usize> {
        window(input, self.size, row * self.stride, column * self.stride)
    }

    pub(crate) fn evaluate(&self, input: Shape, values: &[i64]) -> Vec<i64> {
        let output = self.output(input);
        let mut results = vec![0; output.values()];
        for (row, column) in
            (0..output.height).flat_map(|row| (0..output.width).map(move |column| (row, column)))
        {
            let window: Vec<i64> =
                self.window(input, row, column).into_iter().map(|place| values[place]).collect();
            let sums = self.weights.times(&window);
            for (filter, (sum, &bias)) in sums.into_iter().zip(&*self.biases).enumerate() {
                results[output.place(filter, row, column)] = (sum >> self.shift) + i64::from(bias);
            }
        }
        results
    }
}

/// The places of a square of values in every channel, whose first row and column are given.
pub(crate) fn window(input: Shape, size: usize, row: usize, column: usize) -> Vec<usize> {
    let mut places = Vec::with_capacity(input.channels * size * size);
    for channel in 0..input.channels {
        for i in 0..size {
            places.extend((0..size).map(|j| input.place(channel, row + i, column + j)));
        }
    }
    places
}
