//! Boolean functions as integer linear combinations of bits, and the rule that says how noisy they may be.
//!
//! Bits are 1/8 (true) and -1/8 (false). The function is the sign of the combination, which a bootstrap looks up, or for
//! [`SUM2`](Combination::SUM2) and [`SUM3`](Combination::SUM3) the combination itself. (Chillotti et al. 2020, section 5.)

use super::kinds::BinaryGate;
use crate::ciphertext::wire::Ciphertext;
use crate::error::Result;
use crate::noise;
use crate::parameters::set::Parameters;
use crate::torus::Torus32;

/// A constant plus the sum of factor x bit, in eighths of the torus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Combination {
    constant: i32,
    factors: &'static [i32],
    margin: u32,
}

impl Combination {
    /// sign(a + b + c): whether at least two are true.
    pub const MAJ: Self = Self::new(0, &[1, 1, 1], 1);
    /// sign(-2 (a + b + c)): whether one or three are true.
    pub const XOR3: Self = Self::new(0, &[-2, -2, -2], 2);
    /// The first half of a MUX of (select, otherwise): (not select) and otherwise.
    pub(crate) const MUX_GUARD: Self = Self::new(-1, &[-1, 1], 1);
    /// The second half of a MUX of (select, then, guard), with the guard brought out at +-1/4.
    pub(crate) const MUX_SUM: Self = Self::new(1, &[1, 1, 1], 1);
    /// A MUX of (select, then, otherwise, then and otherwise), the last of which does not wait for `select`.
    pub const MUX: Self = Self::new(0, &[1, 1, -1, 2], 1);
    /// XOR of (a, b, a and b), exactly and without a bootstrap: a + b - 1 - 2 (a and b).
    pub const SUM2: Self = Self::new(-1, &[1, 1, -2], 1);
    /// XOR3 of (a, b, c, MAJ(a, b, c)), exactly and without a bootstrap: a + b + c - 2 MAJ.
    pub const SUM3: Self = Self::new(0, &[1, 1, 1, -2], 1);

    const fn new(constant: i32, factors: &'static [i32], margin: u32) -> Self {
        Self { constant, factors, margin }
    }

    /// The combination whose sign a gate of two inputs is.
    pub const fn of(gate: BinaryGate) -> Self {
        match gate {
            BinaryGate::Nand => Self::new(1, &[-1, -1], 1),
            BinaryGate::And => Self::new(-1, &[1, 1], 1),
            BinaryGate::Or => Self::new(1, &[1, 1], 1),
            BinaryGate::Nor => Self::new(-1, &[-1, -1], 1),
            BinaryGate::Xor => Self::new(2, &[2, 2], 2),
            BinaryGate::Xnor => Self::new(-2, &[-2, -2], 2),
            BinaryGate::AndNY => Self::new(-1, &[-1, 1], 1),
            BinaryGate::AndYN => Self::new(-1, &[1, -1], 1),
            BinaryGate::OrNY => Self::new(1, &[-1, 1], 1),
            BinaryGate::OrYN => Self::new(1, &[1, -1], 1),
        }
    }

    /// The constant, in eighths of the torus.
    pub fn constant(&self) -> i32 {
        self.constant
    }

    /// The factors of the operands, in their order.
    pub fn factors(&self) -> &'static [i32] {
        self.factors
    }

    /// The distance of the noiseless values from the two edges of the sign, in eighths of the torus.
    pub fn margin(&self) -> u32 {
        self.margin
    }

    /// The combination of ciphertexts, one a factor.
    ///
    /// # Errors
    /// Those of [`Ciphertext::linear`].
    pub(super) fn apply(&self, operands: &[&Ciphertext]) -> Result<Ciphertext> {
        debug_assert_eq!(operands.len(), self.factors.len());
        let constant = Torus32::from_bit(true) * i64::from(self.constant);
        Ciphertext::linear(constant, self.factors.iter().copied().zip(operands.iter().copied()))
    }
}

/// log2 of the bound on the probability that a bootstrap reads a wrong sign off a combination with noise of this
/// `variance`, in squared torus units, whose noiseless values are `margin` eighths of the torus away from the sign's edges.
///
/// This is the one rule by which gates and circuits are refused or bootstrapped.
pub fn log2_failure(parameters: &Parameters, margin: u32, variance: f64) -> f64 {
    noise::log2_failure(f64::from(margin) / 8.0, noise::decision(parameters, variance))
}
