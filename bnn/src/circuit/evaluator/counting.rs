//! Counters in place of bits.

use super::{kind::Evaluator, values::Values};
use crate::{circuit::program::Step, error::Result};

/// Evaluates nothing: counts are the run's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counting;

impl Evaluator for Counting {
    type Value = ();

    fn sum(&self, _: &Step, _: &Values<()>) -> Result<()> {
        Ok(())
    }

    fn bootstrap(&self, steps: &[Step], _: &Values<()>) -> Result<Vec<()>> {
        Ok(vec![(); steps.len()])
    }

    fn negate(&self, (): &()) -> Result<()> {
        Ok(())
    }
}
