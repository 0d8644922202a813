//! A matrix of weights.

use std::sync::Arc;

/// A matrix of integers: one row for each output, one column for each input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matrix {
    columns: usize,
    /// Row-major, at least one, and as many as rows times columns.
    entries: Arc<[i32]>,
}

impl Matrix {
    /// The matrix with these entries, row-major.
    pub(crate) fn new(columns: usize, entries: Arc<[i32]>) -> Self {
        debug_assert!(!entries.is_empty() && entries.len().is_multiple_of(columns));
        Self { columns, entries }
    }

    /// The number of rows, that is of outputs.
    pub(crate) fn rows(&self) -> usize {
        self.entries.len() / self.columns
    }

    /// The number of columns, that is of inputs.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The rows from the first to the last, each of `columns` entries.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[i32]> {
        self.entries.chunks_exact(self.columns)
    }

    /// A row, the first being 0.
    pub(crate) fn row(&self, index: usize) -> &[i32] {
        &self.entries[index * self.columns..][..self.columns]
    }

    /// All entries, row-major.
    pub(super) fn entries(&self) -> &[i32] {
        &self.entries
    }

    /// The entries in 16 bits, row-major, if they and these values have so few and no sum of their products passes 31.
    pub(super) fn narrow(&self, values: &[i64]) -> Option<Vec<i16>> {
        let largest = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
        let widest = self.entries.iter().map(|entry| entry.unsigned_abs()).max().unwrap_or(0);
        let most = u128::from(largest) * u128::from(widest) * self.columns as u128;
        let fits = largest < 1 << 15 && widest < 1 << 15 && most < 1 << 31;
        fits.then(|| self.entries.iter().map(|&entry| entry as i16).collect())
    }

    /// `W x`. The model's check of ranges keeps it within 64 bits.
    pub(crate) fn times(&self, x: &[i64]) -> Vec<i64> {
        debug_assert_eq!(x.len(), self.columns());
        self.iter().map(|row| dot(row, x)).collect()
    }
}

/// The inner product of what [`Matrix::narrow`] gives: several times as fast.
pub(super) fn narrow_dot(w: &[i16], x: &[i16]) -> i64 {
    w.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum::<i32>().into()
}

/// The inner product.
pub(super) fn dot(w: &[i32], x: &[i64]) -> i64 {
    w.iter().zip(x).map(|(&w, &x)| i64::from(w) * x).sum()
}
