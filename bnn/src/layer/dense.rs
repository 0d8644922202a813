//! A fully connected layer: `floor(V x / 2^shift) + c`, which as the last layer gives scores in units of `2^-f`.
//!
//! With a word of `bits` bits the floor is cut to its lowest `bits` bits, read as a signed number, and so is the sum with
//! the bias: what two's complement of that width does. Without, nothing is cut.

use super::Matrix;

/// An affine map with integer weights.
#[derive(Debug, Clone)]
pub struct Dense {
    pub(crate) name: String,
    pub(crate) weights: Matrix,
    /// One a row of `weights`.
    pub(crate) biases: Vec<i32>,
    pub(crate) shift: u32,
    pub(crate) bits: Option<usize>,
    pub(crate) fraction_bits: u32,
}

impl Dense {
    /// The layer's name in the manifest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `V`: a row for each output, a column for each input.
    pub fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// `c`, in units of the result: one for each output.
    pub fn biases(&self) -> &[i32] {
        &self.biases
    }

    /// Bits that `V x` loses, rounding down, before the bias is added.
    pub fn shift(&self) -> u32 {
        self.shift
    }

    /// The width of a result, if it has a fixed one.
    pub fn bits(&self) -> Option<usize> {
        self.bits
    }

    /// `f`, the fraction bits of the result where it is scores: at most 30.
    pub fn fraction_bits(&self) -> u32 {
        self.fraction_bits
    }

    /// What the layer gives.
    pub(crate) fn evaluate(&self, x: &[i64]) -> Vec<i64> {
        let sums = self.weights.times(x).into_iter().zip(&self.biases);
        sums.map(|(sum, &bias)| self.wrap(self.wrap(sum >> self.shift) + i64::from(bias))).collect()
    }

    /// The lowest bits of a number, read as a signed one.
    fn wrap(&self, value: i64) -> i64 {
        self.bits.map_or(value, |bits| value << (64 - bits) >> (64 - bits))
    }

    /// For +-1 inputs: the largest `|V h + c|` over all outputs and all `h`: `max_m (sum_j |v_mj| + |c_m|)`. Some `h`
    /// reaches it.
    pub fn sum_bound(&self) -> i64 {
        let bound = |(row, &bias): (&[i32], &i32)| {
            row.iter().map(|&v| i64::from(v).abs()).sum::<i64>() + i64::from(bias).abs()
        };
        self.weights.iter().zip(&self.biases).map(bound).max().expect("invariant: a layer has an output")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_bound_is_reached_and_not_passed(
            (columns, weights, biases) in (1..=3_usize, 1..=6_usize).prop_flat_map(|(rows, columns)| (
                Just(columns),
                proptest::collection::vec(any::<i8>(), rows * columns),
                proptest::collection::vec(-300..=300_i32, rows),
            )),
        ) {
            let weights = Matrix::new(columns, weights.into_iter().map(i32::from).collect());
            let name = "scores".into();
            let layer = Dense { name, weights, biases, shift: 0, bits: None, fraction_bits: 3 };
            let largest = (0..1_u32 << columns)
                .map(|h| (0..columns).map(|j| if h >> j & 1 == 1 { 1 } else { -1 }).collect::<Vec<i64>>())
                .flat_map(|h| layer.evaluate(&h))
                .map(i64::abs)
                .max();
            prop_assert_eq!(Some(layer.sum_bound()), largest);
        }
    }

    #[test]
    fn results_floor_and_wrap() {
        let weights = Matrix::new(1, vec![3, -3]);
        let layer = Dense {
            name: "d".into(),
            weights,
            biases: vec![1, -1],
            shift: 2,
            bits: Some(4),
            fraction_bits: 0,
        };
        // 3 * 9 / 4 = 6.75 and -6.75: 6 + 1, -7 - 1; then 7 + 1 and -8 - 1 wrap at 4 bits.
        assert_eq!(layer.evaluate(&[9]), [7, -8]);
        assert_eq!(layer.evaluate(&[10]), [-8, 7]);
        assert_eq!(Dense { bits: None, ..layer }.evaluate(&[10]), [8, -9]);
    }
}
