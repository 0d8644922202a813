//! Layers that change each value by itself.

use std::sync::Arc;

/// +1 where x >= 0, else -1: what [`BinaryDense`](super::binary_dense::BinaryDense) has built in, for a layer of another kind
/// before it.
#[derive(Debug, Clone)]
pub(crate) struct Sign {
    pub(crate) name: Arc<str>,
}

pub(super) fn signs(values: &[i64]) -> Vec<i64> {
    values.iter().map(|&x| if x >= 0 { 1 } else { -1 }).collect()
}

/// max(x, 0).
#[derive(Debug, Clone)]
pub(crate) struct Relu {
    pub(crate) name: Arc<str>,
}
