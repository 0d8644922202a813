//! A circuit that is being run on ciphertexts.

use std::sync::Arc;

use tfhe_core::{ciphertext::Ciphertext, control::Control, evaluator::Evaluator};

use super::{encrypted::Encrypted, run::Run};
use crate::{
    circuit::program::Program,
    error::{Error, Result},
};

/// A program on encrypted bits, with a server's key.
#[derive(Debug)]
pub struct EncryptedRun {
    run: Run<Ciphertext>,
    engine: Encrypted,
}

impl EncryptedRun {
    /// A run before its first step. A bit may be as noisy as a bootstrapped one.
    ///
    /// # Errors
    /// [`Error::InputCount`] unless there is a ciphertext an input.
    pub fn new(program: Arc<Program>, evaluator: Arc<Evaluator>, inputs: Vec<Ciphertext>) -> Result<Self> {
        let (found, expected) = (inputs.len(), program.inputs);
        if found != expected {
            return Err(Error::InputCount { found, expected });
        }
        Ok(Self { run: Run::new(program, inputs), engine: Encrypted::new(evaluator) })
    }

    /// Runs on for a while: some batches for every thread of the current rayon pool. Returns how many bootstraps that took;
    /// 0 at the end.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::Crypto`] for ciphertexts of another key. An error leaves the run where it was.
    pub fn advance(&mut self, control: &Control) -> Result<usize> {
        control.check()?;
        let done = self.run.advance(&self.engine, self.engine.evaluator().portion())?;
        control.advance(done);
        Ok(done)
    }

    /// Runs to the end, and gives the encrypted outputs. The control hears of bootstraps.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn finish(mut self, control: &Control) -> Result<Vec<Ciphertext>> {
        while self.advance(control)? > 0 {}
        Ok(self.engine.ciphertexts(self.run.outputs(&self.engine)?))
    }
}
