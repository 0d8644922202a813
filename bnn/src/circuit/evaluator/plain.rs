//! Plain bits, as the eighths of the torus that a ciphertext would hold without its noise.

use super::{kind::Evaluator, values::Values};
use crate::{circuit::program::Step, error::Result};

/// Evaluates in the clear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain;

/// A bit in the clear: 1 or -1, in eighths of the torus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainBit(i8);

impl From<bool> for PlainBit {
    fn from(bit: bool) -> Self {
        Self(if bit { 1 } else { -1 })
    }
}

impl From<PlainBit> for bool {
    fn from(bit: PlainBit) -> Self {
        bit.0 > 0
    }
}

/// The combination on the torus: from -4 to 3 eighths.
fn eighths(step: &Step, values: &Values<PlainBit>) -> i32 {
    let sum: i32 = step.terms().map(|(factor, wire)| factor * i32::from(values.read(wire).0)).sum();
    (step.constant() + sum + 4).rem_euclid(8) - 4
}

impl Evaluator for Plain {
    type Value = PlainBit;

    /// # Panics
    /// If the combination is no bit: the program would be wrong.
    fn sum(&self, step: &Step, values: &Values<PlainBit>) -> Result<PlainBit> {
        let value = eighths(step, values);
        assert!(value.abs() == 1, "invariant: a sum that is not bootstrapped is a bit, not {value} eighths");
        Ok(PlainBit(value as i8))
    }

    /// # Panics
    /// If a combination is on an edge of the sign, where noise would decide.
    fn bootstrap(&self, steps: &[Step], values: &Values<PlainBit>) -> Result<Vec<PlainBit>> {
        let sign = |step| {
            let value = eighths(step, values);
            assert!(value % 4 != 0, "invariant: what is bootstrapped is not on an edge ({value} eighths)");
            PlainBit::from(value > 0)
        };
        Ok(steps.iter().map(sign).collect())
    }

    fn negate(&self, value: &PlainBit) -> Result<PlainBit> {
        Ok(PlainBit(-value.0))
    }
}
