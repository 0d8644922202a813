//! The integers a weight may be.
//!
//! A circuit multiplies by a constant as a sum of shifts, one addition for every nonzero digit of the constant's
//! canonical signed digit form (Reitwieser, "Binary arithmetic", Advances in Computers 1, 1960): digits -1, 0 and 1,
//! no two neighbours nonzero, and no form has fewer. 7 = 8 - 1 costs two, 11 = 8 + 4 - 1 three. A grid of few digits
//! is therefore a cheap network.

use candle_core::{Result, Tensor};

use crate::straight_through::discrete;

/// A set of integers, symmetric about zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Ascending.
    values: Vec<i32>,
}

impl Grid {
    /// -1 and +1.
    pub(crate) fn signs() -> Self {
        Self { values: vec![-1, 1] }
    }

    /// The integers of magnitude at most `limit` with at most `digits` nonzero signed digits.
    pub(crate) fn new(limit: u8, digits: u32) -> Self {
        let limit = i32::from(limit);
        Self { values: (-limit..=limit).filter(|&value| signed_digits(value) <= digits).collect() }
    }

    /// The largest of the integers.
    pub(crate) fn largest(&self) -> i32 {
        self.values.last().copied().unwrap_or_default()
    }

    /// The integer nearest to every element of `x`; the gradient passes where `|x|` is at most the largest.
    pub(crate) fn nearest(&self, x: &Tensor) -> Result<Tensor> {
        let values = self.values.clone();
        discrete(x, self.largest() as f32, move |x| nearest(&values, x))
    }
}

/// The one of ascending `values` nearest to `x`, the larger of two.
fn nearest(values: &[i32], x: f32) -> f32 {
    let above = values.partition_point(|&value| (value as f32) <= x);
    let [below, above] = [above.saturating_sub(1), above.min(values.len() - 1)].map(|at| values[at] as f32);
    if x - below < above - x { below } else { above }
}

/// Nonzero digits of the canonical signed digit form of `value`, of magnitude below 2^29.
pub(crate) const fn signed_digits(value: i32) -> u32 {
    // Digit i is nonzero where the bits i + 1 of n and 3 n differ.
    let magnitude = value.unsigned_abs();
    (magnitude ^ (3 * magnitude)).count_ones()
}

/// [`signed_digits`] of all of `values`.
pub(crate) fn total_signed_digits<'a>(values: impl IntoIterator<Item = &'a i32>) -> u32 {
    values.into_iter().map(|&value| signed_digits(value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits by the definition: an odd number takes the digit that makes the rest divisible by four.
    fn by_definition(value: i32) -> u32 {
        match value {
            0 => 0,
            _ if value % 2 == 0 => by_definition(value / 2),
            _ => 1 + by_definition((value - (2 - value.rem_euclid(4))) / 2),
        }
    }

    #[test]
    fn signed_digits_are_those_of_the_definition() {
        assert_eq!([0, 1, -4, 7, 11, 12].map(signed_digits), [0, 1, 1, 2, 3, 2]);
        (-5000..5000).for_each(|value| assert_eq!(signed_digits(value), by_definition(value), "{value}"));
    }

    #[test]
    fn a_grid_holds_what_its_digits_allow() {
        assert_eq!(Grid::new(8, 1).values, [-8, -4, -2, -1, 0, 1, 2, 4, 8]);
        assert_eq!(Grid::new(3, 2).values, [-3, -2, -1, 0, 1, 2, 3]);
        assert_eq!(Grid::new(12, 2).values[12..], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]);
    }

    #[test]
    fn the_nearest_is_nearest() {
        let powers = Grid::new(8, 1).values;
        let x = [-20.0, -6.1, -3.0, -0.4, 0.5, 1.4, 5.9, 6.1, 9.0];
        assert_eq!(x.map(|x| nearest(&powers, x)), [-8.0, -8.0, -2.0, 0.0, 1.0, 1.0, 4.0, 8.0, 8.0]);
        assert_eq!([-0.1, 0.0, 3.0].map(|x| nearest(&Grid::signs().values, x)), [-1.0, 1.0, 1.0]);
    }
}
