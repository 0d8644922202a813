//! A ciphertext between gates: an LWE sample, the bound of its noise, and whose it is.

use crate::ciphertext::shared_noise::SharedNoise;
use crate::error::{Error, Result, check_key};
use crate::key_id::KeyId;
use crate::sample::lwe::{LweCiphertext, Wire};
use crate::torus::Torus32;

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

    /// The same sample, said to have another noise.
    pub(crate) fn with_variance(self, variance: f64) -> Self {
        Self { variance, ..self }
    }

    /// Variance of the noise by the formulas of [`noise`](crate::noise), in squared torus units.
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Whose ciphertext it is.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Refuses a ciphertext of another key, or of another parameter set that claims the same key.
    pub(crate) fn check(&self, key_id: KeyId, dimension: usize) -> Result<()> {
        check_key(key_id, self.key_id)?;
        let found = self.sample.dimension();
        if found != dimension {
            return Err(Error::OtherDimension { expected: dimension, found });
        }
        Ok(())
    }

    /// The noise of sums of these ciphertexts.
    pub(crate) fn shared_noise(ciphertexts: &[&Self]) -> SharedNoise {
        SharedNoise::of(ciphertexts.iter().map(|ciphertext| (ciphertext.sample.words(), ciphertext.variance)))
    }

    /// `constant` + sum of factor x ciphertext: no bootstrap, and the noise grows with the squares of the factors (of
    /// their sum, where a ciphertext comes twice). Noise that terms share in part, as the sums of two overlapping
    /// lists do, counts as independent: bootstrap such sums before adding them.
    ///
    /// # Errors
    /// [`Error::OtherKey`] or [`Error::OtherDimension`] if the ciphertexts are of different keys; [`Error::NoTerms`]
    /// without a term.
    pub fn linear<'a>(constant: Torus32, terms: impl IntoIterator<Item = (i32, &'a Self)>) -> Result<Self> {
        let (factors, terms): (Vec<i32>, Vec<&Self>) = terms.into_iter().unzip();
        let first = *terms.first().ok_or(Error::NoTerms)?;
        let dimension = first.sample.dimension();
        let mut sample = LweCiphertext::trivial(dimension, constant);
        for (&factor, term) in factors.iter().zip(&terms) {
            term.check(first.key_id, dimension)?;
            sample.add_scaled(factor, &term.sample);
        }
        Ok(Self { sample, variance: Self::shared_noise(&terms).variance(&factors), key_id: first.key_id })
    }
}
