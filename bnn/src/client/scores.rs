//! The scores of the classes.

use zeroize::Zeroizing;

/// The scores of the classes, as integers in fixed point. Wiped on drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scores {
    integers: Zeroizing<Vec<i64>>,
    fraction_bits: u32,
}

impl Scores {
    /// Scores of at least one class.
    pub(crate) fn new(integers: Vec<i64>, fraction_bits: u32) -> Self {
        Self { integers: Zeroizing::new(integers), fraction_bits }
    }

    /// The scores in units of `2^-fraction_bits`, one for each class.
    pub fn integers(&self) -> &[i64] {
        &self.integers
    }

    /// The fraction bits of the scores.
    pub fn fraction_bits(&self) -> u32 {
        self.fraction_bits
    }

    /// The scores as real numbers, one for each class.
    pub fn reals(&self) -> Vec<f64> {
        // Scores stay below 2^53 and the unit is a power of two, so both steps are exact.
        let unit = f64::from(self.fraction_bits).exp2().recip();
        self.integers.iter().map(|&score| score as f64 * unit).collect()
    }

    /// The class with the highest score, the first of them where there are several.
    pub fn label(&self) -> usize {
        let highest = self.integers.iter().enumerate().rev().max_by_key(|&(_, score)| score);
        highest.expect("invariant: a model has a class").0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_scores_wins() {
        let label = |integers: &[i64]| Scores::new(integers.into(), 0).label();
        assert_eq!(label(&[-3, 5, 2, 5]), 1);
        assert_eq!(label(&[-1, -1]), 0);
        assert_eq!(label(&[-2, -1]), 1);
    }

    #[test]
    fn reals_are_in_units_of_the_fraction() {
        assert_eq!(Scores::new(vec![-3, 8], 3).reals(), [-0.375, 1.0]);
    }
}
