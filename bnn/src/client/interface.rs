//! What client and server must agree on, whatever engine runs the network.

use super::encoding::input::InputEncoding;
use crate::error::{Error, Result};

/// A model as it looks from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interface {
    /// The model's name, one line.
    pub(crate) name: String,
    /// The SHA-256 by which images and scores name the model.
    pub(crate) digest: [u8; 32],
    pub(crate) input: InputEncoding,
    /// Fraction bits of the scores.
    pub(crate) fraction_bits: u32,
}

impl Interface {
    /// Refuses what belongs to the model of another digest.
    pub(crate) fn check(&self, what: &'static str, found: [u8; 32]) -> Result<()> {
        if found == self.digest {
            return Ok(());
        }
        Err(Error::OtherModel { what, found, name: self.name.clone(), expected: self.digest })
    }
}
