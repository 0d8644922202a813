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

/// The nearest value from `least` to `most`: a rectifier with an end, or a hard tangent.
#[derive(Debug, Clone)]
pub(crate) struct Clip {
    pub(crate) name: Arc<str>,
    /// Not above 0.
    pub(crate) least: i32,
    /// Not below 0.
    pub(crate) most: i32,
}

/// A curve, by its values: of x it gives the entry x - `least`, and beyond its ends the first or the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: Arc<str>,
    pub(crate) least: i32,
    /// At least one, and none less than the one before it, so that a maximum may be taken before or after.
    pub(crate) entries: Arc<[i32]>,
}

impl Table {
    pub(crate) fn at(&self, x: i64) -> i64 {
        let last = self.entries.len() as i64 - 1;
        // Within the entries by the clamp.
        self.entries[x.saturating_sub(self.least.into()).clamp(0, last) as usize].into()
    }
}
