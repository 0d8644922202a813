//! A matrix of weights, and the affine map it belongs to.

/// A matrix of small integers: one row for each output, one column for each input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    columns: usize,
    /// Row-major, at least one, and as many as rows times columns.
    entries: Vec<i8>,
}

impl Matrix {
    /// The matrix with these entries, row-major.
    pub(crate) fn new(columns: usize, entries: Vec<i8>) -> Self {
        debug_assert!(!entries.is_empty() && entries.len().is_multiple_of(columns));
        Self { columns, entries }
    }

    /// The number of rows, that is of outputs.
    pub fn rows(&self) -> usize {
        self.entries.len() / self.columns
    }

    /// The number of columns, that is of inputs.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The rows from the first to the last, each of [`columns`](Self::columns) entries.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[i8]> {
        self.entries.chunks_exact(self.columns)
    }

    /// `W x + b`, with `x` one entry a column and `b` one a row.
    pub(crate) fn affine(&self, x: &[i8], b: &[i32]) -> Vec<i64> {
        debug_assert_eq!((x.len(), b.len()), (self.columns(), self.rows()));
        self.iter().zip(b).map(|(row, &bias)| i64::from(dot(row, x)) + i64::from(bias)).collect()
    }
}

/// The inner product. With at most 2^16 entries of at most 2^7 and inputs of at most 1, 32 bits hold it, and the
/// compiler can make vector instructions of it.
fn dot(w: &[i8], x: &[i8]) -> i32 {
    w.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum()
}
