//! A dense layer of integers, and the label its scores stand for.

use crate::grid::total_signed_digits;

/// `y = floor(W x / 2^shift) + b`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dense {
    /// `[outputs, inputs]`
    pub(crate) weights: Vec<i32>,
    /// `[outputs]`
    pub(crate) biases: Vec<i32>,
    /// Bits dropped from the product.
    pub(crate) shift: u32,
}

impl Dense {
    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.biases.len()
    }

    /// The outputs, exactly, for `[inputs]` integers.
    pub(crate) fn of(&self, x: &[i32]) -> Vec<i64> {
        let rows = self.weights.chunks_exact(x.len()).zip(&self.biases);
        rows.map(|(row, &bias)| {
            let product: i64 = row.iter().zip(x).map(|(&w, &x)| i64::from(w) * i64::from(x)).sum();
            (product >> self.shift) + i64::from(bias)
        })
        .collect()
    }

    /// Nonzero signed digits of all weights.
    pub(crate) fn signed_digits(&self) -> u32 {
        total_signed_digits(&self.weights)
    }

    /// Largest magnitude of a weight.
    pub(crate) fn largest_weight(&self) -> u32 {
        self.weights.iter().map(|weight| weight.unsigned_abs()).max().unwrap_or_default()
    }
}

/// The first label with the largest score.
pub(crate) fn first_largest<T: PartialOrd>(scores: impl IntoIterator<Item = T>) -> u8 {
    let scores = (0..).zip(scores);
    let first_largest = scores.reduce(|best, next| if next.1 > best.1 { next } else { best });
    first_largest.map_or(0, |(label, _)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_floored_before_the_bias() {
        let layer = Dense { weights: vec![1, 2, 3, -1, 0, -2], biases: vec![10, -10], shift: 2 };
        assert_eq!(layer.outputs(), 2);
        assert_eq!(layer.of(&[1, 1, 1]), [10 + 1, -10 - 1]);
        assert_eq!(layer.of(&[i32::MAX; 3])[0], 10 + (6 * i64::from(i32::MAX)) / 4);
    }

    #[test]
    fn the_first_of_equal_scores_wins() {
        assert_eq!(first_largest([1, 3, 2, 3]), 1);
        assert_eq!(first_largest([0; 10]), 0);
    }
}
