//! The external product of a TGSW sample with a TLWE sample, and CMux, by themselves.
//!
//! A blind rotation computes the same in batches, fused with its transforms; this is what that is checked against.
//! (Chillotti et al. 2020, section 3.3.)

use super::tgsw::{encrypt_bodies, transform_rows};
use super::tlwe::{TlweCiphertext, TlweSecretKey};
use crate::backend::buffer::AlignedBuffer;
use crate::backend::fft::Fft;
use crate::gadget::Gadget;
use crate::keys::masks::Masks;
use crate::random::{SecretSeed, StandardDeviation};
use crate::torus::Torus;

/// A TGSW sample in the Fourier domain of one backend.
pub(crate) struct FourierTgsw {
    points: AlignedBuffer<f64>,
    gadget: Gadget,
    dimension: usize,
    fft: Fft,
}

impl FourierTgsw {
    /// Encrypts the secret bit `message` on the torus `T` (which decides the precision of the rows), for use with the
    /// transform `fft`. The bootstrapping key makes its samples in bulk; this is for single ones.
    pub(crate) fn encrypt<T: Torus>(
        key: &TlweSecretKey,
        message: bool,
        gadget: Gadget,
        deviation: StandardDeviation,
        fft: &Fft,
        seed: &SecretSeed,
    ) -> Self {
        let masks = seed.mask_seed();
        let bodies = encrypt_bodies::<T>(key, u32::from(message), gadget, deviation, 0, masks, seed);
        Self::from_bodies(&bodies, 0, &Masks::Seeded(masks), gadget, key.dimension(), fft)
    }

    /// Sample `index` of a key, given the bodies of its rows.
    pub(crate) fn from_bodies<T: Torus>(
        bodies: &[T],
        index: usize,
        masks: &Masks,
        gadget: Gadget,
        dimension: usize,
        fft: &Fft,
    ) -> Self {
        let mut points = AlignedBuffer::zeroed(bodies.len() * (dimension + 1));
        transform_rows(bodies, index, masks, dimension, fft, &mut points);
        Self { points, gadget, dimension, fft: fft.clone() }
    }

    /// The external product with `sample`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub(crate) fn external_product<T: Torus>(&self, sample: &TlweCiphertext<T>) -> TlweCiphertext<T> {
        let size = self.fft.size();
        assert_eq!(
            (sample.dimension(), sample.polynomial_size()),
            (self.dimension, size),
            "TLWE of another shape"
        );
        let levels = self.gadget.levels() as usize;
        let mut digits = vec![0.0; (self.dimension + 1) * levels * size];
        for (polynomial, digits) in
            sample.words().chunks_exact(size).zip(digits.chunks_exact_mut(levels * size))
        {
            let words: Vec<u64> = polynomial.iter().map(|x| x.to_bits64()).collect();
            self.fft.transform().decompose(self.gadget, &words, digits);
        }
        digits.chunks_exact_mut(size).for_each(|row| self.fft.forward(row));
        let mut words = Vec::with_capacity((self.dimension + 1) * size);
        for column in 0..=self.dimension {
            let mut product = vec![0.0; size];
            for (row, digits) in digits.chunks_exact(size).enumerate() {
                let key = &self.points[(row * (self.dimension + 1) + column) * size..][..size];
                self.fft.transform().multiply_add(&mut product, digits, key);
            }
            // The points carry the scale already.
            self.fft.transform().inverse(&mut product);
            words.extend(product.iter().map(|&x| T::from_real(x)));
        }
        TlweCiphertext::from_words(words, size)
    }

    /// `then` if the encrypted bit is 1, else `otherwise`.
    ///
    /// # Panics
    /// If the shapes differ.
    #[cfg(test)]
    pub(crate) fn cmux<T: Torus>(
        &self,
        then: &TlweCiphertext<T>,
        otherwise: &TlweCiphertext<T>,
    ) -> TlweCiphertext<T> {
        let mut difference = then.clone();
        difference.sub_assign(otherwise);
        let mut choice = self.external_product(&difference);
        choice.add_assign(otherwise);
        choice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::choice::Backend;
    use crate::torus::{Torus32, Torus64};

    fn key(dimension: usize, fft: &Fft) -> TlweSecretKey {
        TlweSecretKey::generate(dimension, fft, &SecretSeed::deterministic_for_tests(11))
    }

    fn messages<T: Torus>(size: usize, step: f64) -> Vec<T> {
        (0..size).map(|j| T::from_real(j as f64 * step)).collect()
    }

    /// Products with 0 and 1 and CMux, against the noise that the formula gives (largest of N errors: 6 deviations).
    fn products_have_the_right_phase<T: Torus>(
        dimension: usize,
        size: usize,
        gadget: Gadget,
        sigma_log2: i32,
    ) {
        for backend in Backend::testable() {
            let fft = Fft::new(size, backend).unwrap();
            let key = key(dimension, &fft);
            let sigma = StandardDeviation::from_real(2f64.powi(sigma_log2));
            let seed = SecretSeed::deterministic_for_tests;
            let sample = |step: f64, number| {
                key.encrypt_packed(&messages::<T>(size, step), sigma, &seed(number), 0)
                    .expand(dimension, size)
            };
            let (c0, c1) = (sample(0.01, 12), sample(0.017, 13));
            let products = ((dimension + 1) * size) as f64;
            let rounding = (1.0 + (dimension * size) as f64 / 2.0) * gadget.rounding_variance();
            let fresh = sigma.to_real().powi(2);
            let bound = 6.0 * (products * fresh * gadget.digits_variance() + rounding + fresh).sqrt();
            for bit in [false, true] {
                let tgsw = FourierTgsw::encrypt::<T>(&key, bit, gadget, sigma, &fft, &seed(14));
                let product = key.phase(&tgsw.external_product(&c1));
                let choice = key.phase(&tgsw.cmux(&c1, &c0));
                for j in 0..size {
                    let one = T::from_real(j as f64 * 0.017);
                    let zero = T::from_real(j as f64 * 0.01);
                    let error = (product.0[j] - if bit { one } else { T::default() }).to_real();
                    assert!(error.abs() < bound, "{backend}: external product with {bit} is off by {error}");
                    let error = (choice.0[j] - if bit { one } else { zero }).to_real();
                    assert!(error.abs() < bound * 1.5, "{backend}: CMux with {bit} is off by {error}");
                }
            }
        }
    }

    #[test]
    fn products_have_the_right_phase_on_both_tori() {
        products_have_the_right_phase::<Torus64>(3, 512, Gadget::constant(18, 1), -36);
        products_have_the_right_phase::<Torus64>(1, 2048, Gadget::constant(23, 1), -49);
        products_have_the_right_phase::<Torus32>(1, 1024, Gadget::constant(7, 3), -25);
        products_have_the_right_phase::<Torus32>(1, 1024, Gadget::constant(10, 2), -27);
    }
}
