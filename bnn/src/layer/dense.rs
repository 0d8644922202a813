//! The last layer of a binarized network: the scores `s = (V h + c) / 2^f` of the classes.
//!
//! `V` and `c` are fixed-point numbers with `f` fraction bits, and `h` is the +-1 vector of the layer before.

use super::Matrix;

/// The layer of scores: `s = (V h + c) / 2^f` with `h` in {-1, +1}.
#[derive(Debug, Clone)]
pub struct Dense {
    name: String,
    weights: Matrix,
    /// One a row of `weights`.
    biases: Vec<i32>,
    fraction_bits: u32,
}

impl Dense {
    pub(crate) fn new(name: String, weights: Matrix, biases: Vec<i32>, fraction_bits: u32) -> Self {
        debug_assert_eq!(weights.rows(), biases.len());
        Self { name, weights, biases, fraction_bits }
    }

    /// The layer's name in the manifest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `V`, in units of `2^-f`: a row for each class, a column for each input.
    pub fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// `c`, in units of `2^-f`: one for each class.
    pub fn biases(&self) -> &[i32] {
        &self.biases
    }

    /// `f`, the fraction bits of weights and biases, and so of the scores: at most 30.
    pub fn fraction_bits(&self) -> u32 {
        self.fraction_bits
    }

    /// The largest `|V h + c|` over all classes and all `h`, in units of `2^-f`: `max_m (sum_j |v_mj| + |c_m|)`.
    /// Some `h` reaches it.
    pub fn sum_bound(&self) -> i64 {
        let bound = |(row, &bias): (&[i8], &i32)| {
            row.iter().map(|&v| i64::from(v).abs()).sum::<i64>() + i64::from(bias).abs()
        };
        self.weights.iter().zip(&self.biases).map(bound).max().expect("invariant: a layer has an output")
    }

    /// `V h + c`.
    pub(crate) fn sums(&self, h: &[i8]) -> Vec<i64> {
        self.weights.affine(h, &self.biases)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_bound_is_reached_and_not_passed(
            (columns, weights, biases) in (1..=3_usize, 1..=6_usize).prop_flat_map(|(rows, columns)| (
                Just(columns),
                proptest::collection::vec(any::<i8>(), rows * columns),
                proptest::collection::vec(-300..=300_i32, rows),
            )),
        ) {
            let layer = Dense::new("scores".into(), Matrix::new(columns, weights), biases, 3);
            let largest = (0..1_u32 << columns)
                .map(|h| (0..columns).map(|j| if h >> j & 1 == 1 { 1 } else { -1 }).collect::<Vec<i8>>())
                .flat_map(|h| layer.sums(&h))
                .map(i64::abs)
                .max();
            prop_assert_eq!(Some(layer.sum_bound()), largest);
        }
    }
}
