//! LWE samples: the ciphertexts of the scheme.
//!
//! Under a binary key s of dimension n, a sample is (a, b) with a uniform in T^n and b = <a, s> + m + e; its *phase*
//! b - <a, s> = m + e is the message and its noise. Samples add, and multiply by integers. (Chillotti et al. 2020,
//! section 2.2.)
//!
//! Which key a sample is under is part of its type: [`Small`], [`Large`] or [`Wire`].

use std::fmt;
use std::marker::PhantomData;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::parallel;
use crate::random::{MaskSeed, NoiseStream, Purpose, SecretSeed, StandardDeviation};
use crate::torus::Torus;

/// Marks what is under the small LWE key, of dimension n: where modulus switch and blind rotation begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Small {}

/// Marks what is under the large key, of dimension k N: the TLWE key's coefficients, where sample extraction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Large {}

/// Marks what is under the key of the ciphertexts between gates: [`Large`] or [`Small`], as the set's
/// [`Order`](crate::parameters::Order) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {}

/// A binary LWE key, wiped on drop and never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct LweSecretKey<K> {
    /// 0 or 1 each.
    bits: Vec<u32>,
    key: PhantomData<K>,
}

impl<K> fmt::Debug for LweSecretKey<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LweSecretKey {{ dimension: {}, .. }}", self.bits.len())
    }
}

impl<K> LweSecretKey<K> {
    pub(crate) fn from_bits(bits: Vec<u32>) -> Self {
        Self { bits, key: PhantomData }
    }

    pub(crate) fn bits(&self) -> &[u32] {
        &self.bits
    }

    /// n.
    pub(crate) fn dimension(&self) -> usize {
        self.bits.len()
    }

    /// <`mask`, s>, without a branch or an index that depends on the key.
    pub(crate) fn product<T: Torus>(&self, mask: &[T]) -> T {
        debug_assert_eq!(mask.len(), self.bits.len());
        mask.iter().zip(&self.bits).fold(T::default(), |sum, (&a, &s)| sum + a * i64::from(s))
    }

    /// The phase of a sample: message plus noise.
    pub(crate) fn phase<T: Torus>(&self, sample: &LweCiphertext<T, K>) -> T {
        sample.body() - self.product(sample.mask())
    }

    /// The bodies of fresh samples of `messages`, whose masks are those of rows 0, 1, .. of `masks`.
    pub(crate) fn encrypt_bodies<T: Torus>(
        &self,
        messages: &[T],
        deviation: StandardDeviation,
        seed: &SecretSeed,
        masks: MaskSeed,
    ) -> Vec<T>
    where
        K: Sync,
    {
        // Masks and products take the time, and are independent of one another; noise is drawn in the order of the messages.
        let mut products = Zeroizing::new(vec![T::default(); messages.len()]);
        parallel::for_each_chunk(&mut products, 1, |row, product: &mut [T]| {
            let mut mask = vec![T::default(); self.dimension()];
            masks.fill(Purpose::Ciphertexts, row as u64, &mut mask);
            product[0] = self.product(&mask);
        });
        let mut noise = seed.noise(Purpose::Ciphertexts, 0);
        let body = |(&product, &message)| product + message + T::from_bits64(noise.next(deviation));
        products.iter().zip(messages).map(body).collect()
    }

    /// The body of a fresh sample with this mask.
    pub(crate) fn encrypt_body<T: Torus>(
        &self,
        mask: &[T],
        message: T,
        deviation: StandardDeviation,
        noise: &mut NoiseStream,
    ) -> T {
        self.product(mask) + message + T::from_bits64(noise.next(deviation))
    }
}

/// An LWE sample on the torus `T` under the key `K`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LweCiphertext<T, K> {
    /// n masks, then the body.
    words: Vec<T>,
    key: PhantomData<K>,
}

impl<T: Torus, K> fmt::Debug for LweCiphertext<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LweCiphertext {{ dimension: {}, body: {:?}, .. }}", self.dimension(), self.body())
    }
}

impl<T: Torus, K> LweCiphertext<T, K> {
    /// n masks, then the body: `words` is not empty.
    pub(crate) fn from_words(words: Vec<T>) -> Self {
        debug_assert!(!words.is_empty());
        Self { words, key: PhantomData }
    }

    /// The noiseless sample (0, `message`), the same under every key of `dimension` bits.
    pub(crate) fn trivial(dimension: usize, message: T) -> Self {
        let mut words = vec![T::default(); dimension + 1];
        words[dimension] = message;
        Self::from_words(words)
    }

    /// n.
    pub(crate) fn dimension(&self) -> usize {
        self.words.len() - 1
    }

    /// a, of n torus elements.
    pub(crate) fn mask(&self) -> &[T] {
        &self.words[..self.dimension()]
    }

    /// b.
    pub(crate) fn body(&self) -> T {
        self.words[self.dimension()]
    }

    /// a, then b.
    pub(crate) fn words(&self) -> &[T] {
        &self.words
    }

    /// Adds `factor` times `other`; the phases add likewise, the noise variance grows by `factor`^2 times the other's.
    ///
    /// # Panics
    /// If the dimensions differ.
    pub(crate) fn add_scaled(&mut self, factor: i32, other: &Self) {
        assert_eq!(self.words.len(), other.words.len(), "LWE samples of different dimensions");
        match factor {
            1 => self.words.iter_mut().zip(&other.words).for_each(|(x, &y)| *x += y),
            -1 => self.words.iter_mut().zip(&other.words).for_each(|(x, &y)| *x -= y),
            _ => self.words.iter_mut().zip(&other.words).for_each(|(x, &y)| *x += y * i64::from(factor)),
        }
    }

    /// The same sample under another name of its key; for the places where the set's order of key switch and
    /// bootstrap decides what [`Wire`] means.
    pub(crate) fn rename_key<L>(self) -> LweCiphertext<T, L> {
        LweCiphertext { words: self.words, key: PhantomData }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torus::{Torus32, Torus64};

    fn key(dimension: usize, seed: u64) -> LweSecretKey<Small> {
        let bits = SecretSeed::deterministic_for_tests(seed).secret_bits(Purpose::SmallKey, dimension);
        LweSecretKey::from_bits(bits.to_vec())
    }

    fn encrypt<T: Torus>(
        key: &LweSecretKey<Small>,
        messages: &[T],
        sigma: f64,
    ) -> Vec<LweCiphertext<T, Small>> {
        let seed = SecretSeed::deterministic_for_tests(99);
        let masks = seed.mask_seed();
        let bodies = key.encrypt_bodies(messages, StandardDeviation::from_real(sigma), &seed, masks);
        let samples = bodies.into_iter().enumerate().map(|(row, body)| {
            let mut words = vec![T::default(); key.dimension() + 1];
            masks.fill(Purpose::Ciphertexts, row as u64, &mut words[..key.dimension()]);
            words[key.dimension()] = body;
            LweCiphertext::from_words(words)
        });
        samples.collect()
    }

    fn phases_follow_linear_operations<T: Torus>() {
        let key = key(300, 1);
        let samples = encrypt(&key, &[T::from_real(0.125), T::from_real(-0.25)], 2f64.powi(-25));
        let mut sum = samples[0].clone();
        sum.add_scaled(3, &samples[1]);
        sum.add_scaled(-1, &samples[0]);
        sum.add_scaled(1, &samples[0]);
        sum.add_scaled(1, &LweCiphertext::trivial(300, T::from_real(0.5)));
        let error = (key.phase(&sum) - T::from_real(0.125 - 0.75 + 0.5)).to_real();
        assert!(error != 0.0 && error.abs() < 2f64.powi(-20), "{error}");
        assert_eq!(key.phase(&LweCiphertext::trivial(300, T::from_real(0.3))), T::from_real(0.3));
    }

    #[test]
    fn phases_follow_linear_operations_on_both_tori() {
        phases_follow_linear_operations::<Torus32>();
        phases_follow_linear_operations::<Torus64>();
    }

    #[test]
    fn fresh_noise_has_the_stated_deviation() {
        let (key, sigma) = (key(200, 2), 2f64.powi(-15));
        let count = 20_000;
        let samples = encrypt(&key, &vec![Torus32::default(); count], sigma);
        let square: f64 = samples.iter().map(|s| key.phase(s).to_real().powi(2)).sum();
        // The variance of a sample variance is 2/count of its square: 6 standard errors are 6 %.
        let ratio = square / count as f64 / (sigma * sigma);
        assert!((ratio - 1.0).abs() < 6.0 * (2.0 / count as f64).sqrt(), "{ratio}");
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", key(8, 3)), "LweSecretKey { dimension: 8, .. }");
    }
}
