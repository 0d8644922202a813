//! The binarized convolution of the paper (after Rastegari et al., "XNOR-Net", 2016): filters of +-1 on the signs of the
//! standardised picture, scaled by the mean magnitude K of each window, which the client computes, and by a factor alpha
//! of the filter:
//!
//! ```text
//! d = sum of w s over the window           XNOR and a count of bits
//! r = floor(K d alpha / 2^f) + b           f fraction bits of alpha, and of K, r and b
//! ```

use std::sync::Arc;

use super::{convolution::window, matrix::Matrix};
use crate::client::shape::Shape;

/// Filters of `size` x `size` signs.
#[derive(Debug, Clone)]
pub(crate) struct XnorConvolution {
    pub(crate) name: Arc<str>,
    pub(crate) size: usize,
    pub(crate) fraction_bits: u32,
    /// Bits of a word in the published circuit, which holds every value.
    pub(crate) bits: usize,
    /// A row a filter, only -1 and +1.
    pub(crate) weights: Matrix,
    /// alpha, one a filter, not negative.
    pub(crate) scales: Arc<[i32]>,
    /// b, one a filter.
    pub(crate) biases: Arc<[i32]>,
}

impl XnorConvolution {
    /// The layer's name in the manifest.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A row for each filter, row-major, entries -1 and +1.
    pub(crate) fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// alpha of each filter, in units of 2^-f; not negative, so that a maximum may be taken before it is applied.
    pub(crate) fn scales(&self) -> &[i32] {
        &self.scales
    }

    /// b of each filter, in units of 2^-f.
    pub(crate) fn biases(&self) -> &[i32] {
        &self.biases
    }

    /// f, fraction bits of alpha, b and the result.
    pub(crate) fn fraction_bits(&self) -> u32 {
        self.fraction_bits
    }

    /// Bits of a word that holds every value, in two's complement.
    pub(crate) fn bits(&self) -> usize {
        self.bits
    }

    /// The shape of the result for a picture of this size.
    pub(crate) fn output(&self, picture: Shape) -> Shape {
        let along = |length: usize| length + 1 - self.size;
        Shape { channels: self.weights.rows(), height: along(picture.height), width: along(picture.width) }
    }

    /// The places of a window's signs in the picture, in the order of a filter's weights.
    pub(crate) fn window(&self, picture: Shape, row: usize, column: usize) -> Vec<usize> {
        window(picture, self.size, row, column)
    }

    /// `values`: the picture's signs as 0 and 1, then K of each window.
    pub(crate) fn evaluate(&self, picture: Shape, values: &[i64]) -> Vec<i64> {
        let output = self.output(picture);
        let products = self.products(picture, values).into_iter().enumerate();
        let finished = |(place, product): (usize, i64)| {
            let filter = place / (output.height * output.width);
            ((product * i64::from(self.scales[filter])) >> self.fraction_bits)
                + i64::from(self.biases[filter])
        };
        products.map(finished).collect()
    }

    /// `K d` of each window and filter.
    pub(crate) fn products(&self, picture: Shape, values: &[i64]) -> Vec<i64> {
        let (signs, magnitudes) = values.split_at(picture.values());
        let output = self.output(picture);
        let mut results = vec![0; output.values()];
        for (place, &magnitude) in magnitudes.iter().enumerate() {
            let (row, column) = (place / output.width, place % output.width);
            let window: Vec<i64> =
                self.window(picture, row, column).into_iter().map(|place| 2 * signs[place] - 1).collect();
            for (filter, d) in self.weights.times(&window).into_iter().enumerate() {
                results[output.place(filter, row, column)] = magnitude * d;
            }
        }
        results
    }
}
