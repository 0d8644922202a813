//! The hidden layer of a binarized network: `h = sign(W x + b + 1/2)` with `W` in {-1, +1} and integer `b`.
//!
//! The half keeps the argument of the sign from being 0, so `h` is always -1 or +1, and it keeps an encrypted
//! sum at least half a unit away from the step. Batch normalisation is folded into `b` at export
//! (Courbariaux et al., "Binarized Neural Networks", 2016).

use std::sync::Arc;

use super::matrix::Matrix;

/// A layer of +-1 neurons: `h = sign(W x + b + 1/2)`.
#[derive(Debug, Clone)]
pub(crate) struct BinaryDense {
    pub(crate) name: Arc<str>,
    /// Only -1 and +1.
    pub(crate) weights: Matrix,
    /// One a row of `weights`.
    pub(crate) biases: Arc<[i32]>,
}

impl BinaryDense {
    pub(crate) fn new(name: Arc<str>, weights: Matrix, biases: Arc<[i32]>) -> Self {
        debug_assert_eq!(weights.rows(), biases.len());
        debug_assert!(weights.iter().flatten().all(|w| w.unsigned_abs() == 1));
        Self { name, weights, biases }
    }

    /// The layer's name in the manifest.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// `W`: a row for each neuron, a column for each input, entries -1 and +1.
    pub(crate) fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// `b`: one bias for each neuron.
    pub(crate) fn biases(&self) -> &[i32] {
        &self.biases
    }

    /// `W x + b`.
    pub(crate) fn sums(&self, x: &[i64]) -> Vec<i64> {
        self.weights
            .times(x)
            .into_iter()
            .zip(&*self.biases)
            .map(|(sum, &bias)| sum + i64::from(bias))
            .collect()
    }
}
