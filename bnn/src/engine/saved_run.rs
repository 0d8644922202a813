//! A saved run as it describes itself, without its model, picture and key.

use tfhe_core::{ciphertext::CiphertextList, parameters::Parameters, serial::Stored};

use super::{functional, gates, state};
use crate::{circuit::netlist::Style, client::engine::Engine, error::Result};

/// A saved run of either engine.
#[derive(Debug)]
pub struct SavedRun {
    model: [u8; 32],
    /// None on the functional engine.
    style: Option<Style>,
    bootstraps: usize,
    ciphertexts: Stored<CiphertextList>,
}

impl SavedRun {
    /// Reads a saved run.
    ///
    /// # Errors
    /// [`Error::State`](crate::Error::State) where the bytes are none of this version, or are damaged;
    /// [`Error::Crypto`](crate::Error::Crypto) where the list of ciphertexts is.
    pub fn read(saved: &[u8]) -> Result<Self> {
        if functional::state::is_of_functional(saved) {
            let (index, ciphertexts) = state::read::<functional::state::Index>(saved)?;
            return Ok(Self { model: index.model, style: None, bootstraps: index.bootstraps, ciphertexts });
        }
        let (index, ciphertexts) = state::read::<gates::state::Index>(saved)?;
        let style = if index.published { Style::AsPublished } else { Style::Optimized };
        Ok(Self { model: index.model, style: Some(style), bootstraps: index.bootstraps, ciphertexts })
    }

    /// The digest of the model that runs.
    pub fn model_digest(&self) -> [u8; 32] {
        self.model
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        if self.style.is_some() { Engine::Gates } else { Engine::Functional }
    }

    /// How its circuits are built; none on the functional engine.
    pub fn style(&self) -> Option<Style> {
        self.style
    }

    /// How many bootstraps are done.
    pub fn bootstraps(&self) -> usize {
        self.bootstraps
    }

    /// The parameter set of its ciphertexts.
    pub fn parameters(&self) -> &'static Parameters {
        self.ciphertexts.header.parameters
    }

    /// The ciphertexts that the rest of the run reads.
    pub fn ciphertexts(&self) -> &CiphertextList {
        &self.ciphertexts.content
    }
}
