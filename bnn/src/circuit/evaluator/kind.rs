//! What a program runs on: plain bits, counters, or ciphertexts.

use super::values::Values;
use crate::{circuit::program::Step, error::Result};

/// What a program runs on.
pub(crate) trait Evaluator {
    /// A bit.
    type Value: Clone;

    /// Integer combinations of values.
    ///
    /// # Errors
    /// Those of the values.
    fn sum(&self, step: &Step, values: &Values<Self::Value>) -> Result<Self::Value>;

    /// Signs of integer combinations of values, in the order of the steps.
    ///
    /// # Errors
    /// Those of the values.
    fn bootstrap(&self, steps: &[Step], values: &Values<Self::Value>) -> Result<Vec<Self::Value>>;

    /// A value's negation.
    ///
    /// # Errors
    /// Those of the values.
    fn negate(&self, value: &Self::Value) -> Result<Self::Value>;
}
