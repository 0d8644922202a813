//! Ciphertexts as they travel between gates: an LWE sample, the bound of its noise, and whose it is.

use crate::error::{Error, Result};
use crate::keys::KeyId;
use crate::lwe::{LweCiphertext, Wire};
use crate::noise;
use crate::parameters::Parameters;
use crate::random::{MaskSeed, Purpose};
use crate::tlwe::SeededTlwe;
use crate::torus::{Torus, Torus32};

/// An encrypted torus value (for gates: 1/8 for true, -1/8 for false) that knows its noise and its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Ciphertext {
    sample: LweCiphertext<Torus32, Wire>,
    variance: f64,
    key_id: KeyId,
}

impl Ciphertext {
    pub(crate) fn new(sample: LweCiphertext<Torus32, Wire>, variance: f64, key_id: KeyId) -> Self {
        Self { sample, variance, key_id }
    }

    pub(crate) fn sample(&self) -> &LweCiphertext<Torus32, Wire> {
        &self.sample
    }

    /// Variance of the noise by the formulas of [`noise`], in squared torus units.
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Whose ciphertext it is.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// `constant` + sum of factor x ciphertext: no bootstrap, and the noise grows with the squares of the factors (of
    /// their sum, where a ciphertext comes twice).
    ///
    /// # Errors
    /// [`Error::OtherKey`] if the ciphertexts are of different keys; [`Error::NoTerms`] without a term.
    pub fn linear<'a>(constant: Torus32, terms: impl IntoIterator<Item = (i32, &'a Self)>) -> Result<Self> {
        let mut terms = terms.into_iter();
        let (factor, first) = terms.next().ok_or(Error::NoTerms)?;
        let mut sample = LweCiphertext::trivial(first.sample.dimension(), constant);
        sample.add_scaled(factor, &first.sample);
        let mut variance = f64::from(factor).powi(2) * first.variance;
        for (factor, term) in terms {
            first.key_id.check(term.key_id)?;
            sample.add_scaled(factor, &term.sample);
            variance += f64::from(factor).powi(2) * term.variance;
        }
        Ok(Self { sample, variance, key_id: first.key_id })
    }
}

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

/// Torus messages packed in one TLWE sample, as they are stored and sent.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedCiphertext {
    parameters: Parameters,
    key_id: KeyId,
    sample: SeededTlwe<Torus32>,
}

impl PackedCiphertext {
    pub(crate) fn from_parts(parameters: &Parameters, key_id: KeyId, sample: SeededTlwe<Torus32>) -> Self {
        Self { parameters: *parameters, key_id, sample }
    }

    pub(crate) fn sample(&self) -> &SeededTlwe<Torus32> {
        &self.sample
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
        self.sample.bodies().len()
    }

    /// One ciphertext a message, by sample extraction.
    pub fn unpack(&self) -> Vec<Ciphertext> {
        let p = &self.parameters;
        let whole = self.sample.expand(p.tlwe_dimension, p.polynomial_size);
        let variance = noise::fresh(p);
        let extract =
            |index| Ciphertext::new(whole.sample_extract(index).rename_key(), variance, self.key_id);
        (0..self.message_count()).map(extract).collect()
    }
}

/// The representable values of a list of real messages.
pub fn encode_reals(messages: &[f64]) -> Vec<Torus32> {
    messages.iter().map(|&x| Torus32::from_real(x)).collect()
}
