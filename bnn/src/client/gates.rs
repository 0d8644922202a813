//! The client's side of the gate engine: a picture bit by bit, and scores as numbers in two's complement.

use tfhe_core::{keys::SecretKey, parameters::Parameters, random::SecretSeed};
use zeroize::Zeroizing;

use super::{
    encoding::encoded::EncodedImage,
    encrypted::{EncryptedImage, EncryptedScores, ImageContent},
    interface::Interface,
    scores::Scores,
};
use crate::error::{Error, Result};

/// The most bits of a score.
const MOST_BITS: usize = 63;

/// What a client needs to know of a network on the gate engine, with one parameter set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GateScheme {
    pub(crate) parameters: &'static Parameters,
    /// The number of scores.
    pub(crate) scores: usize,
}

impl GateScheme {
    /// Encrypts an encoded picture bit by bit.
    ///
    /// # Errors
    /// [`EncodingFault::Length`](crate::client::EncodingFault::Length) for a picture encoded for another model.
    pub(crate) fn encrypt(
        &self,
        model: &Interface,
        key: &SecretKey,
        image: &EncodedImage,
        seed: SecretSeed,
    ) -> Result<EncryptedImage> {
        model.input.check_value_count(image.values().len())?;
        let bits = key.encrypt(&model.input.bits(image), seed);
        Ok(EncryptedImage::new(ImageContent::Bits(bits), model.digest))
    }

    /// Decrypts scores of the model and of this parameter set.
    ///
    /// # Errors
    /// [`Error::ScoreCount`] for another number of bits, [`Error::Crypto`] for another key.
    pub(crate) fn decrypt(
        &self,
        model: &Interface,
        key: &SecretKey,
        scores: &EncryptedScores,
    ) -> Result<Scores> {
        let (found, expected) = (scores.list().ciphertexts().len(), self.scores);
        if found == 0 || found % expected != 0 || found / expected > MOST_BITS {
            return Err(Error::ScoreCount { found, expected });
        }
        // One by one: collecting results would test each bit for being an error.
        let mut bits = Zeroizing::new(Vec::with_capacity(found));
        for bit in scores.list().ciphertexts() {
            bits.push(key.decrypt(bit)?);
        }
        Ok(self.decode(&bits, model.fraction_bits))
    }

    /// Scores from their bits, all of one width.
    pub(crate) fn decode(&self, bits: &[bool], fraction_bits: u32) -> Scores {
        let integers = bits.chunks(bits.len() / self.scores).map(signed_value).collect();
        Scores::new(integers, fraction_bits)
    }
}

/// The value of bits in two's complement, least significant first.
pub(crate) fn signed_value(bits: &[bool]) -> i64 {
    let sign = bits.last().is_some_and(|&sign| sign);
    let value: i64 = bits.iter().enumerate().map(|(index, &bit)| i64::from(bit) << index).sum();
    // At 63 bits and more the subtraction wraps to the right number.
    value.wrapping_sub(i64::from(sign).wrapping_shl(bits.len() as u32))
}
