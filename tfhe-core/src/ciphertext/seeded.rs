//! Fresh encryptions of bits, as they are stored and sent.

use super::wire::Ciphertext;
use crate::key_id::KeyId;
use crate::noise;
use crate::parameters::set::Parameters;
use crate::random::{MaskSeed, Purpose};
use crate::sample::lwe::LweCiphertext;
use crate::torus::Torus32;

/// Fresh encryptions of bits, as they are stored and sent: the seed of their masks, and a body each.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededCiphertexts {
    parameters: Parameters,
    key_id: KeyId,
    masks: MaskSeed,
    bodies: Vec<Torus32>,
}

impl SeededCiphertexts {
    pub(crate) fn from_parts(
        parameters: &Parameters,
        key_id: KeyId,
        masks: MaskSeed,
        bodies: Vec<Torus32>,
    ) -> Self {
        Self { parameters: *parameters, key_id, masks, bodies }
    }

    pub(crate) fn parts(&self) -> (MaskSeed, &[Torus32]) {
        (self.masks, &self.bodies)
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Whose ciphertexts they are.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Bits it holds.
    pub fn message_count(&self) -> usize {
        self.bodies.len()
    }

    /// The ciphertexts, in the order of their bits.
    pub fn expand(&self) -> Vec<Ciphertext> {
        let dimension = self.parameters.wire_dimension();
        let variance = noise::fresh(&self.parameters);
        let expand = |(row, &body): (usize, &Torus32)| {
            let mut words = vec![Torus32::default(); dimension + 1];
            self.masks.fill(Purpose::Ciphertexts, row as u64, &mut words[..dimension]);
            words[dimension] = body;
            Ciphertext::new(LweCiphertext::from_words(words), variance, self.key_id)
        };
        self.bodies.iter().enumerate().map(expand).collect()
    }
}
