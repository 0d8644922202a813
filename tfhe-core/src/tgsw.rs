//! TGSW samples, their external product with TLWE samples, and CMux.
//!
//! A TGSW sample of a small integer m is a matrix of (k+1) l TLWE rows: row (p, i) has the phase m B^-i times the
//! key polynomial -S_p (for p < k), or times 1 (for p = k). With D(C) the digits of a TLWE sample C, the *external
//! product* D(C) times the matrix is a TLWE sample of m times the message of C, with a little noise more. CMux(c, C1,
//! C0) = C0 + c ⊡ (C1 - C0) chooses with an encrypted bit. (Chillotti et al. 2020, sections 3.1 to 3.3; TGSW is the
//! ring GSW of Gentry, Sahai and Waters, CRYPTO 2013.)
//!
//! A row is stored as its body alone: the masks are expanded from a seed, and m B^-i is put in the body through the
//! key (m B^-i S_p is subtracted, where the textbook adds m B^-i to the mask A_p).
//!
//! ```
//! use tfhe_core::{backend::Backend, fft::Fft, gadget::Gadget, random::{SecretSeed, StandardDeviation}};
//! use tfhe_core::{polynomial::Polynomial, tgsw::FourierTgsw, tlwe::{TlweCiphertext, TlweSecretKey}};
//! use tfhe_core::torus::{Torus, Torus64};
//! let fft = Fft::new(256, Backend::Portable)?;
//! let key = TlweSecretKey::generate(1, &fft, &SecretSeed::from_os()?);
//! let (gadget, noise) = (Gadget { base_log: 8, levels: 3 }, StandardDeviation::from_real(1e-12));
//! let bit = FourierTgsw::encrypt::<Torus64>(&key, true, gadget, noise, &fft, &SecretSeed::from_os()?);
//! // CMux of two samples that hold 1/4 and -1/4 in every coefficient.
//! let [then, otherwise] =
//!     [0.25, -0.25].map(|x| TlweCiphertext::trivial(1, &Polynomial(vec![Torus64::from_real(x); 256])));
//! let chosen = key.phase(&bit.cmux(&then, &otherwise));
//! assert!(chosen.0.iter().all(|x| (x.to_real() - 0.25).abs() < 1e-4));
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use crate::buffer::AlignedBuffer;
use crate::fft::{Fft, real_to_torus};
use crate::gadget::Gadget;
use crate::keys::Masks;
use crate::random::{MaskSeed, Purpose, SecretSeed, StandardDeviation};
use crate::tlwe::{TlweCiphertext, TlweSecretKey};
use crate::torus::Torus;

/// The bodies of the rows of a TGSW sample of the bit `message`: (k+1) l polynomials of N coefficients. `message`
/// (0 or 1) is secret. The rows of sample `index` of a key take the masks and noise numbered from `index` times their
/// count.
pub(crate) fn encrypt_bodies<T: Torus>(
    key: &TlweSecretKey,
    message: u32,
    gadget: Gadget,
    deviation: StandardDeviation,
    index: usize,
    masks: MaskSeed,
    seed: &SecretSeed,
) -> Vec<T> {
    let (dimension, size) = (key.dimension(), key.polynomial_size());
    let rows = (dimension + 1) * gadget.levels as usize;
    let mut mask = vec![T::default(); dimension * size];
    let mut bodies = Vec::with_capacity(rows * size);
    for row in 0..rows {
        let number = (index * rows + row) as u64;
        masks.fill(Purpose::BootstrapKey, number, &mut mask);
        let mut noise = seed.noise(Purpose::BootstrapKey, number);
        let mut body = key.product(&mask);
        let (polynomial, level) = (row / gadget.levels as usize, row % gadget.levels as usize);
        let weight = gadget.weight(level).wrapping_mul(u64::from(message));
        if polynomial == dimension {
            body[0] = body[0].wrapping_add(weight);
        } else {
            for (b, &s) in body.iter_mut().zip(&key.bits()[polynomial * size..]) {
                *b = b.wrapping_sub(weight.wrapping_mul(u64::from(s)));
            }
        }
        bodies.extend(body.iter().map(|b| T::from_bits64(b.wrapping_add(noise.next(deviation)))));
    }
    bodies
}

/// Writes the Fourier form of a TGSW sample, given the bodies of its rows, to `points`: (k+1) l rows of k+1
/// polynomials, scaled by the 1/M that the fused inverse transform lacks.
pub(crate) fn transform_rows<T: Torus>(
    bodies: &[T],
    index: usize,
    masks: &Masks,
    dimension: usize,
    fft: &Fft,
    points: &mut [f64],
) {
    let size = fft.size();
    let rows = bodies.len() / size;
    let mut row_words = vec![T::default(); (dimension + 1) * size];
    for (row, (body, points)) in
        bodies.chunks_exact(size).zip(points.chunks_exact_mut((dimension + 1) * size)).enumerate()
    {
        let (mask, target) = row_words.split_at_mut(dimension * size);
        masks.bootstrap_row(index * rows + row, mask);
        target.copy_from_slice(body);
        for (point, &word) in points.iter_mut().zip(&row_words) {
            *point = word.to_real() * fft.scale();
        }
        points.chunks_exact_mut(size).for_each(|polynomial| fft.forward(polynomial));
    }
}

/// A TGSW sample in the Fourier domain of one backend.
pub struct FourierTgsw {
    points: AlignedBuffer<f64>,
    gadget: Gadget,
    dimension: usize,
    fft: Fft,
}

impl FourierTgsw {
    /// Encrypts the secret bit `message` on the torus `T` (which decides the precision of the rows), for use with the
    /// transform `fft`. The bootstrapping key makes its samples in bulk; this is for single ones.
    pub fn encrypt<T: Torus>(
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
    pub fn external_product<T: Torus>(&self, sample: &TlweCiphertext<T>) -> TlweCiphertext<T> {
        let size = self.fft.size();
        assert_eq!(
            (sample.dimension(), sample.polynomial_size()),
            (self.dimension, size),
            "TLWE of another shape"
        );
        let levels = self.gadget.levels as usize;
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
            words.extend(product.iter().map(|&x| T::from_bits64(real_to_torus(x))));
        }
        TlweCiphertext::from_words(words, size)
    }

    /// `then` if the encrypted bit is 1, else `otherwise`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn cmux<T: Torus>(
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
    use crate::backend::Backend;
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
        products_have_the_right_phase::<Torus64>(3, 512, Gadget { base_log: 18, levels: 1 }, -36);
        products_have_the_right_phase::<Torus64>(1, 2048, Gadget { base_log: 23, levels: 1 }, -49);
        products_have_the_right_phase::<Torus32>(1, 1024, Gadget { base_log: 7, levels: 3 }, -25);
        products_have_the_right_phase::<Torus32>(1, 1024, Gadget { base_log: 10, levels: 2 }, -27);
    }
}
