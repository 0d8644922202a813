//! Torus messages packed in TLWE samples, as they are stored and sent.

use super::wire::Ciphertext;
use crate::error::{Error, Result};
use crate::key_id::KeyId;
use crate::noise;
use crate::parameters::set::Parameters;
use crate::random::MaskSeed;
use crate::sample::tlwe::{SeededTlwe, TlweCiphertext};
use crate::torus::Torus32;

/// Torus messages packed in TLWE samples, as they are stored and sent: the seed of the masks, and a body each. The
/// messages are in rows, of one length but for the last, and a row is a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedCiphertext {
    parameters: Parameters,
    key_id: KeyId,
    masks: MaskSeed,
    /// From 1 to N.
    row_len: usize,
    bodies: Vec<Torus32>,
}

impl PackedCiphertext {
    pub(crate) fn from_parts(
        parameters: &Parameters,
        key_id: KeyId,
        masks: MaskSeed,
        row_len: usize,
        bodies: Vec<Torus32>,
    ) -> Self {
        debug_assert!((1..=parameters.polynomial_size).contains(&row_len));
        Self { parameters: *parameters, key_id, masks, row_len, bodies }
    }

    pub(crate) fn parts(&self) -> (MaskSeed, &[Torus32]) {
        (self.masks, &self.bodies)
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Whose ciphertext it is.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Messages it holds.
    pub fn message_count(&self) -> usize {
        self.bodies.len()
    }

    /// Messages of a row: from 1 to N.
    pub fn row_len(&self) -> usize {
        self.row_len
    }

    /// The rows, with the number of messages in each.
    fn rows(&self) -> impl ExactSizeIterator<Item = (TlweCiphertext<Torus32>, usize)> {
        let p = &self.parameters;
        self.bodies.chunks(self.row_len).enumerate().map(|(row, bodies)| {
            let seeded = SeededTlwe::from_parts(self.masks, row, bodies.to_vec());
            (seeded.expand(p.tlwe_dimension, p.polynomial_size), bodies.len())
        })
    }

    /// The first `count` messages of a sample, by sample extraction.
    fn extract(
        &self,
        sample: &TlweCiphertext<Torus32>,
        count: usize,
        variance: f64,
    ) -> impl Iterator<Item = Ciphertext> {
        (0..count).map(move |index| {
            Ciphertext::new(sample.sample_extract(index).rename_key(), variance, self.key_id)
        })
    }

    /// One ciphertext a message.
    pub fn unpack(&self) -> Vec<Ciphertext> {
        let variance = noise::fresh(&self.parameters);
        let mut ciphertexts = Vec::with_capacity(self.bodies.len());
        for (sample, count) in self.rows() {
            ciphertexts.extend(self.extract(&sample, count, variance));
        }
        ciphertexts
    }

    /// For each place of a row, the sum over the rows of `factors` times messages: as many sums of samples as there are
    /// rows, where the sums of unpacked messages would be as many as there are messages.
    ///
    /// # Errors
    /// [`Error::RowCount`] unless there is a factor for each row, and all rows have one length.
    pub fn sum_rows(&self, factors: &[i32]) -> Result<Vec<Ciphertext>> {
        let p = &self.parameters;
        if factors.len() * self.row_len != self.bodies.len() || factors.is_empty() {
            let found = self.bodies.len() as f64 / self.row_len as f64;
            return Err(Error::RowCount { found, expected: factors.len() });
        }
        let mut sum = vec![Torus32::default(); (p.tlwe_dimension + 1) * p.polynomial_size];
        let mut squares = 0.0;
        for ((row, _), &factor) in self.rows().zip(factors) {
            sum.iter_mut().zip(row.words()).for_each(|(sum, &word)| *sum += word * i64::from(factor));
            squares += f64::from(factor).powi(2);
        }
        let sum = TlweCiphertext::from_words(sum, p.polynomial_size);
        Ok(self.extract(&sum, self.row_len, squares * noise::fresh(p)).collect())
    }
}
