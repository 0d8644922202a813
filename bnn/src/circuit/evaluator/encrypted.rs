//! Ciphertexts: a level's bootstraps as one batch over all threads, whatever gates they are.

use std::sync::Arc;

use rayon::prelude::*;
use tfhe_core::{bootstrap::LookupTable, ciphertext::Ciphertext, evaluator, torus::Torus32};

use super::{
    kind::Evaluator,
    values::{Held, Values},
};
use crate::{circuit::program::Step, error::Result};

/// Evaluates on ciphertexts, on all threads of the current rayon pool.
#[derive(Clone, Debug)]
pub(crate) struct Encrypted {
    evaluator: Arc<evaluator::Evaluator>,
    sign: Arc<LookupTable>,
}

impl Encrypted {
    /// With a cloud key.
    pub(crate) fn new(evaluator: Arc<evaluator::Evaluator>) -> Self {
        let sign = LookupTable::sign(evaluator.parameters().polynomial_size(), Torus32::from_bit(true));
        Self { evaluator, sign: Arc::new(sign) }
    }

    /// The cloud key.
    pub(crate) fn evaluator(&self) -> &evaluator::Evaluator {
        &self.evaluator
    }

    /// The ciphertexts of bits, without noise where a bit is known.
    pub(crate) fn ciphertexts(&self, bits: Vec<Held<Ciphertext>>) -> Vec<Ciphertext> {
        let ciphertext = |bit| match bit {
            Held::Known(bit) => self.evaluator.trivial(Torus32::from_bit(bit)),
            Held::Value(ciphertext) => ciphertext,
        };
        bits.into_iter().map(ciphertext).collect()
    }
}

impl Evaluator for Encrypted {
    type Value = Ciphertext;

    fn sum(&self, step: &Step, values: &Values<Ciphertext>) -> Result<Ciphertext> {
        let constant = Torus32::from_bit(true) * i64::from(step.constant());
        Ok(Ciphertext::linear(constant, step.terms().map(|(factor, wire)| (factor, values.read(wire))))?)
    }

    fn bootstrap(&self, steps: &[Step], values: &Values<Ciphertext>) -> Result<Vec<Ciphertext>> {
        let sums = steps.par_iter().map(|step| self.sum(step, values)).collect::<Result<Vec<_>>>()?;
        Ok(self.evaluator.bootstrap(&sums, &vec![&*self.sign; sums.len()])?)
    }

    fn negate(&self, value: &Ciphertext) -> Result<Ciphertext> {
        Ok(Ciphertext::linear(Torus32(0), [(-1, value)])?)
    }
}
