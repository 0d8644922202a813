//! The hidden layer of a binarized network: `h = sign(W x + b + 1/2)` with `W` in {-1, +1} and integer `b`.
//!
//! The half keeps the argument of the sign from being 0, so `h` is always -1 or +1, and it keeps an encrypted
//! sum at least half a unit away from the step. Batch normalisation is folded into `b` at export
//! (Courbariaux et al., "Binarized Neural Networks", 2016).

use super::Matrix;

/// What is known of a layer's inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputBound {
    /// Zeros and ones, of which at most `active` are ones.
    Bits {
        /// The most ones.
        active: usize,
    },
    /// Any of -1 and +1.
    Signs,
}

/// A layer of +-1 neurons: `h = sign(W x + b + 1/2)`.
#[derive(Debug, Clone)]
pub struct BinaryDense {
    name: String,
    /// Only -1 and +1.
    weights: Matrix,
    /// One a row of `weights`.
    biases: Vec<i32>,
}

impl BinaryDense {
    pub(crate) fn new(name: String, weights: Matrix, biases: Vec<i32>) -> Self {
        debug_assert_eq!(weights.rows(), biases.len());
        debug_assert!(weights.iter().flatten().all(|w| w.unsigned_abs() == 1));
        Self { name, weights, biases }
    }

    /// The layer's name in the manifest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `W`: a row for each neuron, a column for each input, entries -1 and +1.
    pub fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// `b`: one bias for each neuron.
    pub fn biases(&self) -> &[i32] {
        &self.biases
    }

    /// The largest `|2 (W x + b) + 1|` over all neurons and all inputs within the bound: twice what the sign is
    /// taken of, so an integer. Some input reaches it.
    ///
    /// For zeros and ones, `x` can pick up to `active` weights of one sign and none of the other, so a neuron's
    /// sum goes from `-min(active, minuses)` to `min(active, pluses)`; for signs, from minus to plus its fan-in.
    pub fn sum_bound(&self, inputs: InputBound) -> i64 {
        let bound = |(row, &bias): (&[i32], &i32)| {
            let pluses = row.iter().filter(|&&w| w > 0).count();
            let (least, most) = match inputs {
                InputBound::Bits { active } => (active.min(row.len() - pluses), active.min(pluses)),
                InputBound::Signs => (row.len(), row.len()),
            };
            let offset = 2 * i64::from(bias) + 1;
            // A row has at most 2^16 entries, so the casts are exact.
            (2 * most as i64 + offset).max(2 * least as i64 - offset)
        };
        self.weights.iter().zip(&self.biases).map(bound).max().expect("invariant: a layer has a neuron")
    }

    /// `W x + b`.
    pub(crate) fn sums(&self, x: &[i64]) -> Vec<i64> {
        self.weights
            .times(x)
            .into_iter()
            .zip(&self.biases)
            .map(|(sum, &bias)| sum + i64::from(bias))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Layers of one to three neurons on one to six inputs.
    fn layers() -> impl Strategy<Value = BinaryDense> {
        (1..=3_usize, 1..=6_usize).prop_flat_map(|(rows, columns)| {
            let weights = proptest::collection::vec(prop_oneof![Just(-1_i32), Just(1)], rows * columns);
            let biases = proptest::collection::vec(-8..=8_i32, rows);
            (weights, biases)
                .prop_map(move |(w, b)| BinaryDense::new("hidden".into(), Matrix::new(columns, w), b))
        })
    }

    /// The largest `|2 (W x + b) + 1|` over the given inputs, by trying them all.
    fn largest(layer: &BinaryDense, inputs: impl Iterator<Item = Vec<i64>>) -> Option<i64> {
        inputs.flat_map(|x| layer.sums(&x)).map(|sum| (2 * sum + 1).abs()).max()
    }

    /// All vectors of two values.
    fn all(columns: usize, [zero, one]: [i64; 2]) -> impl Iterator<Item = Vec<i64>> {
        (0..1_u32 << columns)
            .map(move |x| (0..columns).map(|i| if x >> i & 1 == 1 { one } else { zero }).collect())
    }

    proptest! {
        #[test]
        fn the_bound_on_bits_is_reached_and_not_passed(layer in layers(), active in 0..=7_usize) {
            let inputs = all(layer.weights().columns(), [0, 1])
                .filter(|x| x.iter().filter(|&&bit| bit == 1).count() <= active);
            prop_assert_eq!(Some(layer.sum_bound(InputBound::Bits { active })), largest(&layer, inputs));
        }

        #[test]
        fn the_bound_on_signs_is_reached_and_not_passed(layer in layers()) {
            let inputs = all(layer.weights().columns(), [-1, 1]);
            prop_assert_eq!(Some(layer.sum_bound(InputBound::Signs)), largest(&layer, inputs));
        }
    }

    #[test]
    fn extreme_biases_do_not_overflow() {
        let layer = BinaryDense::new("hidden".into(), Matrix::new(1, vec![1, -1]), vec![i32::MAX, i32::MIN]);
        assert_eq!(layer.sum_bound(InputBound::Signs), 2 + (1 << 32) - 1);
    }
}
