//! The uniform part of a cloud key's samples: expanded from a seed, or stored.
//!
//! Our own cloud keys hold a seed; the TFHE library's hold every word. Whoever expands a key asks for the masks of
//! a row and does not see which it is.

use crate::random::{MaskSeed, Purpose};
use crate::torus::{Torus, Torus32};

/// The masks of both parts of a cloud key, row by row.
#[derive(Clone, PartialEq)]
pub(crate) enum Masks {
    /// Expanded from a seed.
    Seeded(MaskSeed),
    /// Stored, on the 32-bit torus.
    Stored {
        /// k N words a row.
        bootstrap: Vec<Torus32>,
        /// n words a row.
        key_switch: Vec<Torus32>,
    },
}

impl Masks {
    /// Fills `masks` with those of row `row` of the bootstrapping key.
    pub(crate) fn bootstrap_row<T: Torus>(&self, row: usize, masks: &mut [T]) {
        match self {
            Self::Seeded(seed) => seed.fill(Purpose::BootstrapKey, row as u64, masks),
            Self::Stored { bootstrap, .. } => copy_row(bootstrap, row, masks),
        }
    }

    /// Fills `masks` with those of row `row` of the key-switching key.
    pub(crate) fn key_switch_row(&self, row: usize, masks: &mut [Torus32]) {
        match self {
            Self::Seeded(seed) => seed.fill(Purpose::KeySwitchKey, row as u64, masks),
            Self::Stored { key_switch, .. } => copy_row(key_switch, row, masks),
        }
    }
}

fn copy_row<T: Torus>(words: &[Torus32], row: usize, masks: &mut [T]) {
    let len = masks.len();
    for (mask, word) in masks.iter_mut().zip(&words[row * len..][..len]) {
        *mask = T::from_bits64(word.to_bits64());
    }
}
