//! The client's side of the functional engine: a picture as multiples of a unit of the torus, and scores from phases.
//!
//! A score comes in *parts*, which the client adds up:
//!
//! ```text
//! score = floor((sum of factor x (phase / unit + centre) over its parts + bias 2^shift) / 2^shift)
//! ```
//!
//! The sum over the parts is rounded to an integer first. Rectifiers behind the scores are the client's too.

use tfhe_core::{keys::SecretKey, parameters::Parameters, random::SecretSeed, torus::Torus32};
use zeroize::Zeroizing;

use super::{
    encoding::{
        encoded::EncodedImage,
        input::{InputEncoding, PixelEncoding},
    },
    encrypted::{EncryptedImage, EncryptedScores, ImageContent},
    interface::Interface,
    scores::Scores,
    unit::Unit,
};
use crate::error::{Error, Result};

/// The most parts of a score.
pub(crate) const MOST_PARTS: usize = 8;

/// What a client needs to know of a network on the functional engine, with one parameter set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FunctionalScheme {
    pub(crate) parameters: &'static Parameters,
    /// The unit of the picture's values.
    pub(crate) unit: Unit,
    /// Values of the picture in a row, that is in one TLWE sample.
    pub(crate) row_len: usize,
    pub(crate) scores: ScoreLayout,
}

/// How scores are read off the phases of their parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScoreLayout {
    /// One unit of a part's sum.
    pub(crate) unit: Unit,
    pub(crate) parts: Vec<ScorePart>,
    /// One a class.
    pub(crate) biases: Vec<i32>,
    /// Bits that a sum loses, rounding down.
    pub(crate) shift: u32,
    /// Whether negative scores become 0.
    pub(crate) rectified: bool,
}

/// What is sent of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScorePart {
    /// Whose score.
    pub(crate) class: usize,
    /// What the part is multiplied by.
    pub(crate) factor: i64,
    /// The sum that is at phase 0, in half units.
    pub(crate) centre_halves: i64,
}

impl FunctionalScheme {
    /// Values of a picture in a TLWE sample: all of them or as many as it has places, and for planes those of one.
    ///
    /// # Errors
    /// [`Error::TooManyInputs`] where the windows of a picture do not fit one sample.
    pub(crate) fn row_len(input: &InputEncoding, parameters: &Parameters) -> Result<usize> {
        let most = parameters.polynomial_size();
        match input.pixels() {
            PixelEncoding::SignAndScale { window, .. } => {
                let inputs = (input.width() + 1 - window) * (input.height() + 1 - window);
                if inputs <= most { Ok(inputs) } else { Err(Error::TooManyInputs { inputs, most }) }
            }
            _ => Ok(input.value_count().min(most)),
        }
    }

    /// Messages that are encrypted for a picture.
    pub(crate) fn message_count(&self, input: &InputEncoding) -> usize {
        match input.pixels() {
            PixelEncoding::SignAndScale { window, .. } => window * window * self.row_len,
            _ => input.value_count(),
        }
    }

    /// What is encrypted: the values, or the planes of products of signs and means, at the unit.
    pub(crate) fn messages(
        &self,
        input: &InputEncoding,
        image: &EncodedImage,
    ) -> Result<Zeroizing<Vec<Torus32>>> {
        input.check_value_count(image.values().len())?;
        let mut messages = Zeroizing::new(Vec::new());
        let message = |value: i64| Torus32(self.unit.scaled(value));
        match input.pixels() {
            PixelEncoding::Threshold { .. } | PixelEncoding::Grey { .. } => {
                messages.reserve_exact(image.values().len());
                messages.extend(image.values().iter().map(|&value| message(value)));
            }
            PixelEncoding::SignAndScale { window, .. } => {
                let picture = input.shape();
                let (signs, means) = image.values().split_at(picture.values());
                let across = picture.width + 1 - window;
                messages.reserve_exact(window * window * means.len());
                for (i, j) in (0..window).flat_map(|i| (0..window).map(move |j| (i, j))) {
                    messages.extend(means.iter().enumerate().map(|(place, mean)| {
                        let pixel = picture.place(0, place / across + i, place % across + j);
                        message(mean * (2 * signs[pixel] - 1))
                    }));
                }
            }
        }
        Ok(messages)
    }

    /// Encrypts an encoded picture.
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
        let packed = key.encrypt_packed(&self.messages(&model.input, image)?, self.row_len, seed)?;
        Ok(EncryptedImage::new(ImageContent::Packed(packed), model.digest))
    }

    /// Decrypts scores of the model and of this parameter set.
    ///
    /// # Errors
    /// [`Error::ScoreCount`] for another number of them, [`Error::Crypto`] for another key.
    pub(crate) fn decrypt(
        &self,
        model: &Interface,
        key: &SecretKey,
        scores: &EncryptedScores,
    ) -> Result<Scores> {
        let (found, expected) = (scores.list().ciphertexts().len(), self.scores.parts.len());
        if found != expected {
            return Err(Error::ScoreCount { found, expected });
        }
        let mut phases = Zeroizing::new(Vec::with_capacity(found));
        for part in scores.list().ciphertexts() {
            phases.push(key.phase(part)?.to_real());
        }
        Ok(self.scores.decode(&phases, model.fraction_bits))
    }
}

impl ScoreLayout {
    /// The scores of the phases of their parts.
    pub(crate) fn decode(&self, phases: &[f64], fraction_bits: u32) -> Scores {
        let least = if self.rectified { 0 } else { i64::MIN };
        let sums = Zeroizing::new(self.sums(phases));
        let finished = sums.iter().zip(&self.biases).map(|(sum, &bias)| {
            // What wraps is no sum of the model's, but the phase of a ciphertext that somebody made up.
            (sum.wrapping_add(i64::from(bias) << self.shift) >> self.shift).max(least)
        });
        Scores::new(finished.collect(), fraction_bits)
    }

    /// The sums of the scores' weights and inputs, of the parts' phases in torus units: the integers that are nearest. They are
    /// the client's secret, so they are rounded by arithmetic: with 1.5 x 2^52 added, a number below 2^51 (a model's sums
    /// stay below 2^50) stands in the low bits.
    pub(crate) fn sums(&self, phases: &[f64]) -> Vec<i64> {
        const SHIFT: f64 = 6_755_399_441_055_744.0;
        let mut sums = Zeroizing::new(vec![0.0; self.biases.len()]);
        for (part, phase) in self.parts.iter().zip(phases) {
            let sum = phase / self.unit.real() + part.centre_halves as f64 / 2.0;
            sums[part.class] += part.factor as f64 * sum;
        }
        let nearest = |sum: f64| ((sum + SHIFT).to_bits() as i64).wrapping_sub(SHIFT.to_bits() as i64);
        sums.iter().copied().map(nearest).collect()
    }
}
