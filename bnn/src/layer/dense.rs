//! A fully connected layer: `floor(V x / 2^shift) + c`, which as the last layer gives scores in units of `2^-f`.
//!
//! With a word of `bits` bits the floor is cut to its lowest `bits` bits, read as a signed number, and so is the sum with
//! the bias: what two's complement of that width does. Without, nothing is cut.

use std::sync::Arc;

use super::matrix::Matrix;

/// An affine map with integer weights.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    pub(crate) name: Arc<str>,
    pub(crate) weights: Matrix,
    /// One a row of `weights`.
    pub(crate) biases: Arc<[i32]>,
    pub(crate) shift: u32,
    pub(crate) bits: Option<usize>,
    pub(crate) fraction_bits: u32,
}

impl Dense {
    /// The layer's name in the manifest.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// `V`: a row for each output, a column for each input.
    pub(crate) fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// `c`, in units of the result: one for each output.
    pub(crate) fn biases(&self) -> &[i32] {
        &self.biases
    }

    /// Bits that `V x` loses, rounding down, before the bias is added.
    pub(crate) fn shift(&self) -> u32 {
        self.shift
    }

    /// The width of a result, if it has a fixed one.
    pub(crate) fn bits(&self) -> Option<usize> {
        self.bits
    }

    /// `f`, the fraction bits of the result where it is scores: at most 30.
    pub(crate) fn fraction_bits(&self) -> u32 {
        self.fraction_bits
    }

    /// `V x + 2^shift c`: the sums before bits are dropped, of words that do not wrap.
    pub(crate) fn sums(&self, x: &[i64]) -> Vec<i64> {
        let sums = self.weights.times(x).into_iter().zip(&*self.biases);
        sums.map(|(sum, &bias)| sum + (i64::from(bias) << self.shift)).collect()
    }

    /// What the layer gives.
    pub(crate) fn evaluate(&self, x: &[i64]) -> Vec<i64> {
        let sums = self.weights.times(x).into_iter().zip(&*self.biases);
        sums.map(|(sum, &bias)| self.wrap(self.wrap(sum >> self.shift) + i64::from(bias))).collect()
    }

    /// The lowest bits of a number, read as a signed one.
    fn wrap(&self, value: i64) -> i64 {
        self.bits.map_or(value, |bits| value << (64 - bits) >> (64 - bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_floor_and_wrap() {
        let weights = Matrix::new(1, [3, -3].into());
        let layer = Dense {
            name: "d".into(),
            weights,
            biases: [1, -1].into(),
            shift: 2,
            bits: Some(4),
            fraction_bits: 0,
        };
        // 3 * 9 / 4 = 6.75 and -6.75: 6 + 1, -7 - 1; then 7 + 1 and -8 - 1 wrap at 4 bits.
        assert_eq!(layer.evaluate(&[9]), [7, -8]);
        assert_eq!(layer.evaluate(&[10]), [-8, 7]);
        assert_eq!(Dense { bits: None, ..layer }.evaluate(&[10]), [8, -9]);
    }
}
