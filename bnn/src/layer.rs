//! The kinds of layer, over exact integers.
//!
//! Each layer is an affine map with plain weights, `W x + b`, so on ciphertexts it costs no bootstrap; only the sign
//! between layers does. How large a layer's sums can become decides how they are scaled onto the torus: the
//! `sum_bound` of each kind gives it exactly.

mod binary_dense;
mod dense;
mod matrix;

pub use binary_dense::{BinaryDense, InputBound};
pub use dense::Dense;
pub use matrix::Matrix;

/// A layer of a network.
#[derive(Debug, Clone)]
pub enum Layer {
    /// A hidden layer of +-1 neurons.
    BinaryDense(BinaryDense),
    /// The last layer, which gives the scores.
    Dense(Dense),
}

impl Layer {
    /// The layer's name in the manifest.
    pub fn name(&self) -> &str {
        match self {
            Self::BinaryDense(layer) => layer.name(),
            Self::Dense(layer) => layer.name(),
        }
    }
}
