//! TLWE samples: LWE over polynomials mod X^N + 1.
//!
//! Under k binary polynomials S, a sample is k uniform torus polynomials A and the body B = <A, S> + M + E: it holds N
//! torus messages at once. Its coefficients are LWE samples under the *extracted* key, S read as kN bits: coefficient
//! j has the mask a[qN + i] = A_q[j - i], negated where j - i < 0 wraps. (Chillotti et al. 2020, sections 2.2 and 4.2;
//! elsewhere TLWE is called RLWE or GLWE.)
//!
//! ```
//! use tfhe_core::{backend::Backend, fft::Fft, random::{SecretSeed, StandardDeviation}, tlwe::TlweSecretKey};
//! use tfhe_core::torus::{Torus, Torus64};
//! let key = TlweSecretKey::generate(2, &Fft::new(256, Backend::Portable)?, &SecretSeed::from_os()?);
//! let messages: Vec<Torus64> = (0..256).map(|i| Torus64::from_real(f64::from(i) / 512.0)).collect();
//! let noise = StandardDeviation::from_real(1e-9);
//! // 256 messages in a seed and 256 numbers; whole, it is three polynomials.
//! let sent = key.encrypt_packed(&messages, noise, &SecretSeed::from_os()?, 0);
//! assert_eq!(sent.bodies().len(), 256);
//! let phase = key.phase(&sent.expand(2, 256));
//! assert!(phase.0.iter().zip(&messages).all(|(&x, &m)| (x - m).to_real().abs() < 1e-7));
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::fft::Fft;
use crate::lwe::{Large, LweCiphertext, LweSecretKey};
use crate::polynomial::{Polynomial, SecretMultiplier};
use crate::random::{MaskSeed, Purpose, SecretSeed, StandardDeviation};
use crate::torus::Torus;

/// A binary TLWE key with what it takes to multiply by it; wiped on drop and never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct TlweSecretKey {
    /// k N bits, 0 or 1 each.
    bits: Vec<u32>,
    #[zeroize(skip)] // its elements wipe themselves
    multipliers: Vec<SecretMultiplier>,
    #[zeroize(skip)] // public
    fft: Fft,
}

impl fmt::Debug for TlweSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlweSecretKey {{ dimension: {}, size: {}, .. }}", self.dimension(), self.fft.size())
    }
}

impl TlweSecretKey {
    /// Draws a key of `dimension` = k polynomials of N = `fft.size()` bits; a [`SecretKey`](crate::keys::SecretKey)
    /// draws its own, this is for TLWE and TGSW by themselves.
    pub fn generate(dimension: usize, fft: &Fft, seed: &SecretSeed) -> Self {
        let bits = seed.secret_bits(Purpose::LargeKey, dimension * fft.size());
        Self::from_bits(bits.to_vec(), fft.clone())
    }

    /// k N bits, for N = `fft.size()`.
    pub(crate) fn from_bits(bits: Vec<u32>, fft: Fft) -> Self {
        let multipliers = bits.chunks_exact(fft.size()).map(|s| SecretMultiplier::new(s, &fft)).collect();
        Self { bits, multipliers, fft }
    }

    pub(crate) fn bits(&self) -> &[u32] {
        &self.bits
    }

    /// k.
    pub fn dimension(&self) -> usize {
        self.multipliers.len()
    }

    /// N.
    pub fn polynomial_size(&self) -> usize {
        self.fft.size()
    }

    /// The LWE key of extracted samples, of dimension k N.
    pub fn extracted(&self) -> LweSecretKey<Large> {
        LweSecretKey::from_bits(self.bits.clone())
    }

    /// <A, S> for k mask polynomials, one after another; 64-bit torus words, exact.
    pub(crate) fn product<T: Torus>(&self, masks: &[T]) -> Zeroizing<Vec<u64>> {
        let size = self.polynomial_size();
        let mut sum = Zeroizing::new(vec![0; size]);
        for (mask, secret) in masks.chunks_exact(size).zip(&self.multipliers) {
            secret.add_product(mask, &self.fft, &mut sum);
        }
        sum
    }

    /// The phase B - <A, S> of a sample: message plus noise.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn phase<T: Torus>(&self, sample: &TlweCiphertext<T>) -> Polynomial<T> {
        assert_eq!(
            sample.words.len(),
            self.bits.len() + self.polynomial_size(),
            "TLWE sample of another shape"
        );
        let product = self.product(sample.masks());
        Polynomial(sample.body().iter().zip(product.iter()).map(|(&b, &p)| b - T::from_bits64(p)).collect())
    }

    /// Encrypts up to N torus messages into one sample, with noise of standard deviation `deviation`. Its masks are row
    /// `row` of the seed's public seed, with which [`SeededTlwe::expand`] makes it whole: samples of one seed need rows
    /// of their own.
    ///
    /// # Panics
    /// If there are more than N messages.
    pub fn encrypt_packed<T: Torus>(
        &self,
        messages: &[T],
        deviation: StandardDeviation,
        seed: &SecretSeed,
        row: usize,
    ) -> SeededTlwe<T> {
        assert!(messages.len() <= self.polynomial_size(), "more messages than coefficients");
        let masks = seed.mask_seed();
        let mut noise = seed.noise(Purpose::Ciphertexts, row as u64);
        let product = self.product::<T>(&expand_masks(masks, row, self.dimension() * self.polynomial_size()));
        let bodies = messages
            .iter()
            .zip(product.iter())
            .map(|(&message, &p)| T::from_bits64(p) + message + T::from_bits64(noise.next(deviation)));
        SeededTlwe { masks, row, bodies: bodies.collect() }
    }
}

/// The masks of a packed sample.
fn expand_masks<T: Torus>(seed: MaskSeed, row: usize, len: usize) -> Vec<T> {
    let mut masks = vec![T::default(); len];
    seed.fill(Purpose::Ciphertexts, row as u64, &mut masks);
    masks
}

/// A fresh TLWE sample as it is stored and sent: the seed and row of its masks, and the coefficients of its body that
/// carry messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeededTlwe<T> {
    masks: MaskSeed,
    row: usize,
    /// At most N.
    bodies: Vec<T>,
}

impl<T: Torus> SeededTlwe<T> {
    pub(crate) fn from_parts(masks: MaskSeed, row: usize, bodies: Vec<T>) -> Self {
        Self { masks, row, bodies }
    }

    /// The body's coefficients that carry messages, from degree 0.
    pub fn bodies(&self) -> &[T] {
        &self.bodies
    }

    /// The whole sample, of `dimension` + 1 polynomials of `size` coefficients; the rest of the body is zero, so that
    /// its phase is meaningful only where a message was put.
    ///
    /// # Panics
    /// If there are more than `size` messages.
    pub fn expand(&self, dimension: usize, size: usize) -> TlweCiphertext<T> {
        assert!(self.bodies.len() <= size, "more messages than coefficients");
        let mut words = expand_masks(self.masks, self.row, dimension * size);
        words.extend_from_slice(&self.bodies);
        words.resize((dimension + 1) * size, T::default());
        TlweCiphertext { words, size }
    }
}

/// A TLWE sample on the torus `T`, under the large key.
#[derive(Clone, PartialEq, Eq)]
pub struct TlweCiphertext<T> {
    /// k mask polynomials, then the body.
    words: Vec<T>,
    size: usize,
}

impl<T: Torus> fmt::Debug for TlweCiphertext<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlweCiphertext {{ dimension: {}, size: {}, .. }}", self.dimension(), self.size)
    }
}

impl<T: Torus> TlweCiphertext<T> {
    /// k+1 polynomials of `size` coefficients, the body last.
    pub(crate) fn from_words(words: Vec<T>, size: usize) -> Self {
        debug_assert!(words.len() >= size && words.len().is_multiple_of(size));
        Self { words, size }
    }

    /// The noiseless sample (0, `message`).
    pub fn trivial(dimension: usize, message: &Polynomial<T>) -> Self {
        let size = message.0.len();
        let mut words = vec![T::default(); dimension * size];
        words.extend_from_slice(&message.0);
        Self { words, size }
    }

    /// k.
    pub fn dimension(&self) -> usize {
        self.words.len() / self.size - 1
    }

    /// N.
    pub fn polynomial_size(&self) -> usize {
        self.size
    }

    pub(crate) fn words(&self) -> &[T] {
        &self.words
    }

    /// k polynomials of N coefficients, one after another.
    fn masks(&self) -> &[T] {
        &self.words[..self.words.len() - self.size]
    }

    /// N coefficients.
    fn body(&self) -> &[T] {
        &self.words[self.words.len() - self.size..]
    }

    /// Adds `other`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn add_assign(&mut self, other: &Self) {
        assert_eq!(
            (self.words.len(), self.size),
            (other.words.len(), other.size),
            "TLWE samples of different shapes"
        );
        self.words.iter_mut().zip(&other.words).for_each(|(x, &y)| *x += y);
    }

    /// Subtracts `other`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn sub_assign(&mut self, other: &Self) {
        assert_eq!(
            (self.words.len(), self.size),
            (other.words.len(), other.size),
            "TLWE samples of different shapes"
        );
        self.words.iter_mut().zip(&other.words).for_each(|(x, &y)| *x -= y);
    }

    /// The LWE sample of the message's coefficient `index`, exact.
    ///
    /// # Panics
    /// If `index` is not below N.
    pub fn sample_extract(&self, index: usize) -> LweCiphertext<T, Large> {
        assert!(index < self.size, "coefficient {index} of {}", self.size);
        let mut words = Vec::with_capacity(self.words.len() - self.size + 1);
        for mask in self.masks().chunks_exact(self.size) {
            words.extend(mask[..=index].iter().rev());
            words.extend(mask[index + 1..].iter().rev().map(|&a| -a));
        }
        words.push(self.body()[index]);
        LweCiphertext::from_words(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::torus::{Torus32, Torus64};

    fn key(dimension: usize, size: usize, seed: u64) -> TlweSecretKey {
        let fft = Fft::new(size, Backend::Portable).unwrap();
        TlweSecretKey::generate(dimension, &fft, &SecretSeed::deterministic_for_tests(seed))
    }

    fn extraction_matches_the_phase<T: Torus>(dimension: usize, size: usize) {
        let key = key(dimension, size, 5);
        let messages: Vec<T> = (0..size).map(|j| T::from_real(j as f64 / size as f64)).collect();
        let sigma = 2f64.powi(-25);
        let seed = SecretSeed::deterministic_for_tests(6);
        let sample = key
            .encrypt_packed(&messages, StandardDeviation::from_real(sigma), &seed, 3)
            .expand(dimension, size);
        let phase = key.phase(&sample);
        let extracted = key.extracted();
        for j in [0, 1, size / 2, size - 1] {
            assert_eq!(extracted.phase(&sample.sample_extract(j)), phase.0[j], "coefficient {j}");
        }
        let square: f64 = phase.0.iter().zip(&messages).map(|(&p, &m)| (p - m).to_real().powi(2)).sum();
        let ratio = square / size as f64 / (sigma * sigma);
        assert!((ratio - 1.0).abs() < 6.0 * (2.0 / size as f64).sqrt(), "variance ratio {ratio}");
    }

    #[test]
    fn extraction_matches_the_phase_on_both_tori() {
        extraction_matches_the_phase::<Torus32>(1, 1024);
        extraction_matches_the_phase::<Torus64>(3, 512);
    }

    #[test]
    fn samples_add_and_hold_constants() {
        let key = key(2, 256, 7);
        let message = Polynomial((0..256).map(Torus32).collect());
        let mut sum = TlweCiphertext::trivial(2, &message);
        assert_eq!(key.phase(&sum), message);
        sum.add_assign(&sum.clone());
        assert_eq!(key.phase(&sum).0[7], Torus32(14));
        sum.sub_assign(&sum.clone());
        assert_eq!(key.phase(&sum), Polynomial::zero(256));
    }
}
