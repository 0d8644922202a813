//! An addition: what another layer gave, times a factor, to what the layer before gave. `y = x + m v`.
//!
//! It is what joins the two ways of a residual block. (He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2015, section 3.)

use std::sync::Arc;

/// The addition of another layer's values.
#[derive(Debug, Clone)]
pub(crate) struct Add {
    pub(crate) name: Arc<str>,
    /// The place in the model of the layer whose values are added.
    pub(crate) from: usize,
    /// What one of them counts, at least 1.
    pub(crate) factor: i32,
}

impl Add {
    pub(crate) fn evaluate(&self, values: &[i64], added: &[i64]) -> Vec<i64> {
        values.iter().zip(added).map(|(x, v)| x + i64::from(self.factor) * v).collect()
    }
}
