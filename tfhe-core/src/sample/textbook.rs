//! What the textbook has of TLWE samples and a bootstrap does not need: keys by themselves, phases, sums and trivial samples.

use super::tlwe::{TlweCiphertext, TlweSecretKey};
use crate::backend::fft::Fft;
use crate::polynomial::Polynomial;
use crate::random::{Purpose, SecretSeed};
use crate::torus::Torus;

impl TlweSecretKey {
    /// Draws a key of `dimension` = k polynomials of N = `fft.size()` bits; a [`SecretKey`](crate::keys::SecretKey)
    /// draws its own, this is for TLWE and TGSW by themselves.
    pub(crate) fn generate(dimension: usize, fft: &Fft, seed: &SecretSeed) -> Self {
        let bits = seed.secret_bits(Purpose::LargeKey, dimension * fft.size());
        Self::from_bits(bits.to_vec(), fft.clone())
    }

    /// The phase B - <A, S> of a sample: message plus noise.
    ///
    /// # Panics
    /// If the shapes differ.
    pub(crate) fn phase<T: Torus>(&self, sample: &TlweCiphertext<T>) -> Polynomial<T> {
        assert_eq!(
            sample.words.len(),
            self.bits().len() + self.polynomial_size(),
            "TLWE sample of another shape"
        );
        let product = self.product(sample.masks());
        Polynomial(sample.body().iter().zip(product.iter()).map(|(&b, &p)| b - T::from_bits64(p)).collect())
    }
}

impl<T: Torus> TlweCiphertext<T> {
    /// N.
    pub(crate) fn polynomial_size(&self) -> usize {
        self.size
    }

    /// The noiseless sample (0, `message`).
    #[cfg(test)]
    pub(crate) fn trivial(dimension: usize, message: &Polynomial<T>) -> Self {
        let size = message.0.len();
        let mut words = vec![T::default(); dimension * size];
        words.extend_from_slice(&message.0);
        Self { words, size }
    }

    /// Adds `other`.
    ///
    /// # Panics
    /// If the shapes differ.
    #[cfg(test)]
    pub(crate) fn add_assign(&mut self, other: &Self) {
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
    #[cfg(test)]
    pub(crate) fn sub_assign(&mut self, other: &Self) {
        assert_eq!(
            (self.words.len(), self.size),
            (other.words.len(), other.size),
            "TLWE samples of different shapes"
        );
        self.words.iter_mut().zip(&other.words).for_each(|(x, &y)| *x -= y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::choice::Backend;
    use crate::random::StandardDeviation;
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
        assert_eq!(key.phase(&sum), Polynomial(vec![Torus32(0); 256]));
    }
}
