//! Ciphertexts: a level's bootstraps as one batch over all threads, whatever gates they are.

use rayon::prelude::*;
use tfhe_core::{bootstrap::LookupTable, ciphertext::Ciphertext, evaluator, torus::Torus32};

use super::{Evaluator, Step, Values};
use crate::Result;

/// Evaluates on ciphertexts, on all threads of the current rayon pool.
#[derive(Debug)]
pub struct Encrypted<'a> {
    evaluator: &'a evaluator::Evaluator,
    sign: LookupTable,
}

/// An eighth of the torus.
const EIGHTH: Torus32 = Torus32(1 << 29);

impl<'a> Encrypted<'a> {
    /// With a cloud key.
    pub fn new(evaluator: &'a evaluator::Evaluator) -> Self {
        let sign = LookupTable::sign(evaluator.parameters().polynomial_size, EIGHTH);
        Self { evaluator, sign }
    }
}

impl Evaluator for Encrypted<'_> {
    type Value = Ciphertext;

    fn sum(&self, step: &Step, values: &Values<Ciphertext>) -> Result<Ciphertext> {
        let constant = EIGHTH * i64::from(step.constant());
        Ok(Ciphertext::linear(constant, step.terms().map(|(factor, wire)| (factor, values.read(wire))))?)
    }

    fn bootstrap(&self, steps: &[Step], values: &Values<Ciphertext>) -> Result<Vec<Ciphertext>> {
        let sums = steps.par_iter().map(|step| self.sum(step, values)).collect::<Result<Vec<_>>>()?;
        Ok(self.evaluator.bootstrap(&sums, &vec![&self.sign; sums.len()])?)
    }

    fn negate(&self, value: &Ciphertext) -> Result<Ciphertext> {
        Ok(Ciphertext::linear(Torus32(0), [(-1, value)])?)
    }
}
