//! An inference on the gate engine.

use std::sync::Arc;

use tfhe_core::{
    ciphertext::{Ciphertext, CiphertextList},
    control::Control,
    evaluator::Evaluator,
};

use super::{
    circuits::Circuits,
    execution::{Execution, held_inputs},
    state,
};
use crate::{circuit::evaluator::encrypted::Encrypted, client::encrypted::EncryptedScores, error::Result};

/// An inference on an encrypted picture, which can be left and taken up between any two bootstraps.
#[derive(Debug)]
pub(crate) struct Inference {
    execution: Execution<Encrypted>,
    /// The digest of the picture.
    image: [u8; 32],
}

impl Inference {
    /// An inference on the bits of a picture, not yet begun.
    pub(super) fn start(
        circuits: Arc<Circuits>,
        evaluator: Arc<Evaluator>,
        bits: Vec<Ciphertext>,
        image: [u8; 32],
    ) -> Self {
        let inputs = held_inputs(&circuits, bits);
        Self { execution: Execution::new(circuits, Encrypted::new(evaluator), inputs), image }
    }

    /// An inference where [`save`](Self::save) left it.
    pub(super) fn resume(
        circuits: &Arc<Circuits>,
        evaluator: Arc<Evaluator>,
        image: [u8; 32],
        saved: &[u8],
    ) -> Result<Self> {
        Ok(Self { execution: state::load(circuits, evaluator, image, saved)?, image })
    }

    /// Runs on for a while: some batches for every thread of the current rayon pool. Returns the bootstraps it took, of which
    /// the control hears; 0 at the end.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled), with which the inference stays where it was.
    pub(crate) fn advance(&mut self, control: &Control) -> Result<usize> {
        control.check()?;
        let portion = self.execution.evaluator().evaluator().portion();
        let done = self.execution.advance(portion)?;
        control.advance(done);
        Ok(done)
    }

    /// Bootstraps done, those before a resumption included.
    pub(crate) fn bootstraps(&self) -> usize {
        self.execution.bootstraps()
    }

    /// The layer it is at, by name; `None` at the end.
    pub(crate) fn layer(&self) -> Option<&str> {
        self.execution.layer()
    }

    /// What is needed to go on.
    ///
    /// # Errors
    /// [`Error::State`](crate::Error::State) where that would be longer than what is read.
    pub(crate) fn save(&self) -> Result<Vec<u8>> {
        state::save(&self.execution, self.image)
    }

    /// The scores, at the end.
    ///
    /// # Errors
    /// [`Error::Unfinished`](crate::Error::Unfinished) before.
    pub(crate) fn scores(&self) -> Result<EncryptedScores> {
        let (circuits, engine) = (self.execution.circuits(), self.execution.evaluator());
        let bits = engine.ciphertexts(self.execution.scores()?);
        let list = CiphertextList::new(circuits.parameters, engine.evaluator().key_id(), bits)?;
        Ok(EncryptedScores::new(list, circuits.model.digest()))
    }
}
