//! Ciphertexts as they travel between gates: an LWE sample, the bound of its noise, and whose it is.
//!
//! ```
//! use tfhe_core::{ciphertext::Ciphertext, keys::SecretKey, parameters::GATES_DEFAULT, random::SecretSeed, torus::Torus32};
//! let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
//! let bits = key.encrypt(&[true, false, true], SecretSeed::from_os()?).expand();
//! // 1/8 + 1/8 + 1/8 without a bootstrap: only the noise grows.
//! let sum = Ciphertext::linear(Torus32::default(), [(1, &bits[0]), (-1, &bits[1]), (1, &bits[2])])?;
//! assert!(key.decrypt(&sum)?);
//! assert!(sum.variance() > bits[0].variance());
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::keys::KeyId;
use crate::lwe::{LweCiphertext, Wire};
use crate::noise;
use crate::parameters::Parameters;
use crate::random::{MaskSeed, Purpose};
use crate::tlwe::{SeededTlwe, TlweCiphertext};
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

    /// Variance of the noise by the formulas of [`noise`], in squared torus units.
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Whose ciphertext it is.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Refuses a ciphertext of another key, or of another parameter set that claims the same key.
    pub(crate) fn check(&self, key_id: KeyId, dimension: usize) -> Result<()> {
        key_id.check(self.key_id)?;
        let found = self.sample.dimension();
        if found != dimension {
            return Err(Error::OtherDimension { expected: dimension, found });
        }
        Ok(())
    }

    /// `constant` + sum of factor x ciphertext: no bootstrap, and the noise grows with the squares of the factors (of
    /// their sum, where a ciphertext comes twice). Noise that terms share in part, as the sums of two overlapping
    /// lists do, counts as independent: bootstrap such sums before adding them.
    ///
    /// # Errors
    /// [`Error::OtherKey`] or [`Error::OtherDimension`] if the ciphertexts are of different keys; [`Error::NoTerms`]
    /// without a term.
    pub fn linear<'a>(constant: Torus32, terms: impl IntoIterator<Item = (i32, &'a Self)>) -> Result<Self> {
        let terms: Vec<(i32, &Self)> = terms.into_iter().collect();
        let &(_, first) = terms.first().ok_or(Error::NoTerms)?;
        let dimension = first.sample.dimension();
        let mut sample = LweCiphertext::trivial(dimension, constant);
        for &(factor, term) in &terms {
            term.check(first.key_id, dimension)?;
            sample.add_scaled(factor, &term.sample);
        }
        Ok(Self { sample, variance: combined_variance(&terms), key_id: first.key_id })
    }
}

/// Variance of a sum of factor x ciphertext. A ciphertext that comes again, as it is or negated, has the same noise: its
/// factors add before they are squared.
pub(crate) fn combined_variance(terms: &[(i32, &Ciphertext)]) -> f64 {
    let mut factors: HashMap<[u32; 3], (i64, f64)> = HashMap::with_capacity(terms.len());
    for &(factor, term) in terms {
        // Three words of a sample tell it from every other (a collision has probability 2^-96), up to its sign.
        let words = term.sample.words();
        let print = [words[0].0, words[words.len() / 2].0, words[words.len() - 1].0];
        let negated = print.map(u32::wrapping_neg);
        let (print, sign) = if print <= negated { (print, 1) } else { (negated, -1) };
        factors.entry(print).or_insert((0, term.variance)).0 += sign * i64::from(factor);
    }
    factors.values().map(|&(factor, variance)| (factor as f64).powi(2) * variance).sum()
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
