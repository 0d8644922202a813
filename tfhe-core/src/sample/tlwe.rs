//! TLWE samples: LWE over polynomials mod X^N + 1.
//!
//! Under k binary polynomials S, a sample is k uniform torus polynomials A and the body B = <A, S> + M + E: it holds N
//! torus messages at once. Its coefficients are LWE samples under the *extracted* key, S read as kN bits: coefficient
//! j has the mask a[qN + i] = A_q[j - i], negated where j - i < 0 wraps. (Chillotti et al. 2020, sections 2.2 and 4.2;
//! elsewhere TLWE is called RLWE or GLWE.)

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::backend::fft::Fft;
use crate::random::{MaskSeed, Purpose, SecretSeed, StandardDeviation};
use crate::sample::lwe::{Large, LweCiphertext, LweSecretKey};
use crate::secret_multiplier::SecretMultiplier;
use crate::torus::Torus;

/// A binary TLWE key with what it takes to multiply by it; wiped on drop and never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct TlweSecretKey {
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
    /// k N bits, for N = `fft.size()`.
    pub(crate) fn from_bits(bits: Vec<u32>, fft: Fft) -> Self {
        let multipliers = bits.chunks_exact(fft.size()).map(|s| SecretMultiplier::new(s, &fft)).collect();
        Self { bits, multipliers, fft }
    }

    pub(crate) fn bits(&self) -> &[u32] {
        &self.bits
    }

    /// k.
    pub(crate) fn dimension(&self) -> usize {
        self.multipliers.len()
    }

    /// N.
    pub(crate) fn polynomial_size(&self) -> usize {
        self.fft.size()
    }

    /// The LWE key of extracted samples, of dimension k N.
    pub(crate) fn extracted(&self) -> LweSecretKey<Large> {
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

    /// Encrypts up to N torus messages into one sample, with noise of standard deviation `deviation`. Its masks are row
    /// `row` of the seed's public seed, with which [`SeededTlwe::expand`] makes it whole: samples of one seed need rows
    /// of their own.
    ///
    /// # Panics
    /// If there are more than N messages.
    pub(crate) fn encrypt_packed<T: Torus>(
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
pub(crate) struct SeededTlwe<T> {
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
    pub(crate) fn bodies(&self) -> &[T] {
        &self.bodies
    }

    /// The whole sample, of `dimension` + 1 polynomials of `size` coefficients; the rest of the body is zero, so that
    /// its phase is meaningful only where a message was put.
    ///
    /// # Panics
    /// If there are more than `size` messages.
    pub(crate) fn expand(&self, dimension: usize, size: usize) -> TlweCiphertext<T> {
        assert!(self.bodies.len() <= size, "more messages than coefficients");
        let mut words = expand_masks(self.masks, self.row, dimension * size);
        words.extend_from_slice(&self.bodies);
        words.resize((dimension + 1) * size, T::default());
        TlweCiphertext { words, size }
    }
}

/// A TLWE sample on the torus `T`, under the large key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TlweCiphertext<T> {
    /// k mask polynomials, then the body.
    pub(super) words: Vec<T>,
    pub(super) size: usize,
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

    /// k.
    pub(crate) fn dimension(&self) -> usize {
        self.words.len() / self.size - 1
    }

    pub(crate) fn words(&self) -> &[T] {
        &self.words
    }

    /// k polynomials of N coefficients, one after another.
    pub(super) fn masks(&self) -> &[T] {
        &self.words[..self.words.len() - self.size]
    }

    /// N coefficients.
    pub(super) fn body(&self) -> &[T] {
        &self.words[self.words.len() - self.size..]
    }

    /// The LWE sample of the message's coefficient `index`, exact.
    ///
    /// # Panics
    /// If `index` is not below N.
    pub(crate) fn sample_extract(&self, index: usize) -> LweCiphertext<T, Large> {
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
