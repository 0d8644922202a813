//! An inference that can be left and taken up.

use tfhe_core::control::Control;

use super::{functional, gates};
use crate::{client::encrypted::EncryptedScores, error::Result};

/// An inference on an encrypted picture: on the gate engine it can be left between any two bootstraps, on the functional engine between any
/// two stages (a linear layer with what follows it).
#[derive(Debug)]
pub struct Inference(pub(super) OfEngine);

#[derive(Debug)]
pub(super) enum OfEngine {
    Functional(functional::inference::Inference),
    Gates(gates::inference::Inference),
}

impl Inference {
    /// Runs on for a while: a stage, or some batches of gates for every thread of the current rayon pool. Returns the bootstraps it took, of
    /// which the control hears; 0 at the end.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled), with which the inference stays where it was.
    pub fn advance(&mut self, control: &Control) -> Result<usize> {
        match &mut self.0 {
            OfEngine::Functional(inference) => inference.advance(control),
            OfEngine::Gates(inference) => inference.advance(control),
        }
    }

    /// Bootstraps done, those before a resumption included.
    pub fn bootstraps(&self) -> usize {
        match &self.0 {
            OfEngine::Functional(inference) => inference.bootstraps(),
            OfEngine::Gates(inference) => inference.bootstraps(),
        }
    }

    /// The layer it is at, by name; `None` at the end.
    pub fn layer(&self) -> Option<&str> {
        match &self.0 {
            OfEngine::Functional(inference) => inference.layer(),
            OfEngine::Gates(inference) => inference.layer(),
        }
    }

    /// What is needed to go on.
    ///
    /// # Errors
    /// [`Error::State`](crate::Error::State) where that would be longer than what is read.
    pub fn save(&self) -> Result<Vec<u8>> {
        match &self.0 {
            OfEngine::Functional(inference) => inference.save(),
            OfEngine::Gates(inference) => inference.save(),
        }
    }

    /// The scores, at the end.
    ///
    /// # Errors
    /// [`Error::Unfinished`](crate::Error::Unfinished) before.
    pub fn scores(&self) -> Result<EncryptedScores> {
        match &self.0 {
            OfEngine::Functional(inference) => inference.scores(),
            OfEngine::Gates(inference) => inference.scores(),
        }
    }
}
