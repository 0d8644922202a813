//! Key switching through a ring, to a small key made of polynomials.
//!
//! Here the small key is n/N' polynomials mod X^N' + 1. The kN masks of a sample are read as kN/N' polynomials
//!
//! ```text
//! A_m = a_(mN') - sum_{j=1}^{N'-1} a_(mN'+j) X^(N'-j)        S_m = sum_j S_(mN'+j) X^j
//! ```
//!
//! so that the constant coefficient of A_m S_m is the sum of a_(mN'+j) S_(mN'+j): sample extraction undone. With K_mj a
//! TLWE sample under the small key of S_m B^-j, and d_mj the digits of A_m, the TLWE sample (0, b) - sum_mj d_mj K_mj
//! holds the phase of the input in its constant coefficient, which is extracted. The noise is that of the unstructured
//! key switch; the key has N' times fewer words, and products go through the Fourier transform. (Bergerat, Chillotti,
//! Ligier, Orfila, Roux-Langlois, Tap, "New secret keys for enhanced performance in (T)FHE", CCS 2024, "FFT-based
//! LWE-to-LWE key switch". What the structure means for security is in docs/security.md.)
//!
//! The sums are integers in units of 2^-32: of kN t products of a digit, at most B/2, and 2^31, below 2^46 in the named sets. The
//! transform's error is of the order of 2^-53 log2(N') times the sum's typical size, 2^-10 or less, so that rounding makes
//! them exact, and every backend gives the same result.

use crate::backend::buffer::AlignedBuffer;
use crate::backend::choice::Backend;
use crate::backend::fft::Fft;
use crate::error::Result;
use crate::gadget::Gadget;
use crate::keys::cloud::CloudKey;
use crate::parallel;
use crate::parameters::set::Parameters;
use crate::random::{Purpose, Rows};
use crate::sample::lwe::{Large, LweCiphertext, LweSecretKey, Small};
use crate::sample::tlwe::{TlweCiphertext, TlweSecretKey};
use crate::torus::{Torus, Torus32};

/// The bodies of the key's rows, (m, j) in order, of N' coefficients each.
pub(super) fn encrypt_bodies(
    large: &LweSecretKey<Large>,
    small: &LweSecretKey<Small>,
    parameters: &Parameters,
    rows: Rows<'_>,
) -> Vec<Torus32> {
    let gadget = parameters.key_switch_gadget;
    let size = parameters.lwe_polynomial_size;
    let deviation = parameters.lwe_noise();
    let fft = Fft::new(size, Backend::Portable).expect("invariant: a named set's rings have a transform");
    let small = TlweSecretKey::from_bits(small.bits().to_vec(), fft);
    let levels = gadget.levels() as usize;
    parallel::flat_map(large.dimension() / size, |m| {
        let mut bodies = Vec::with_capacity(levels * size);
        if rows.control.is_cancelled() {
            return bodies;
        }
        let bits = &large.bits()[m * size..][..size];
        let mut mask = vec![Torus32::default(); parameters.lwe_dimension];
        for level in 0..levels {
            let row = (m * levels + level) as u64;
            rows.masks.fill(Purpose::KeySwitchKey, row, &mut mask);
            let mut noise = rows.seed.noise(Purpose::KeySwitchKey, row);
            let weight = Torus32::from_bits64(gadget.weight(level));
            let product = small.product(&mask);
            bodies.extend(product.iter().zip(bits).map(|(&p, &bit)| {
                Torus32::from_bits64(p)
                    + weight * i64::from(bit)
                    + Torus32::from_bits64(noise.next(deviation))
            }));
        }
        rows.control.advance(1);
        bodies
    })
}

/// The key, expanded for use.
pub(super) struct RingKeySwitchKey {
    /// For each polynomial of the large key and each level, n/N' + 1 polynomials in the Fourier domain; the points carry
    /// 2^32, and the 1/M that the inverse transform lacks.
    points: AlignedBuffer<f64>,
    /// n/N' + 1.
    columns: usize,
    gadget: Gadget,
    fft: Fft,
}

impl RingKeySwitchKey {
    /// Expands the masks, for a `backend` that the CPU has.
    pub(super) fn expand(key: &CloudKey, backend: Backend) -> Result<Self> {
        let CloudKey { parameters, masks, key_switch: bodies, .. } = key;
        let size = parameters.lwe_polynomial_size;
        let fft = Fft::new(size, backend)?;
        let columns = parameters.lwe_dimension / size + 1;
        let mut points = AlignedBuffer::large(bodies.len() * columns)?;
        parallel::for_each_chunk(&mut points, columns * size, |row, points: &mut [f64]| {
            let mut words = vec![Torus32::default(); columns * size];
            let (mask, target) = words.split_at_mut(parameters.lwe_dimension);
            masks.key_switch_row(row, mask);
            target.copy_from_slice(&bodies[row * size..][..size]);
            for (point, word) in points.iter_mut().zip(&words) {
                *point = f64::from(word.0 as i32) * fft.scale();
            }
            points.chunks_exact_mut(size).for_each(|polynomial| fft.forward(polynomial));
        });
        Ok(Self { points, columns, gadget: parameters.key_switch_gadget, fft })
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.points)
    }

    /// Switches every sample of `batch`, of the large key's dimension, on this thread.
    pub(super) fn switch(
        &self,
        batch: &[LweCiphertext<Torus32, Large>],
    ) -> Vec<LweCiphertext<Torus32, Small>> {
        let (size, transform) = (self.fft.size(), self.fft.transform());
        let levels = self.gadget.levels() as usize;
        let output_len = self.columns * size;
        let mut sums = AlignedBuffer::<f64>::zeroed(batch.len() * output_len);
        let mut polynomial = AlignedBuffer::<u64>::zeroed(size);
        let mut digits = AlignedBuffer::<f64>::zeroed(levels * size);
        // The key's rows for one polynomial stay in the cache for the batch.
        for (m, key) in self.points.chunks_exact(levels * output_len).enumerate() {
            for (sample, sums) in batch.iter().zip(sums.chunks_exact_mut(output_len)) {
                let masks = &sample.mask()[m * size..][..size];
                polynomial[0] = masks[0].to_bits64();
                for (x, &a) in polynomial[1..].iter_mut().zip(masks[1..].iter().rev()) {
                    *x = (-a).to_bits64();
                }
                transform.decompose(self.gadget, &polynomial, &mut digits);
                for (digits, key) in digits.chunks_exact_mut(size).zip(key.chunks_exact(output_len)) {
                    transform.forward(digits);
                    for (sum, key) in sums.chunks_exact_mut(size).zip(key.chunks_exact(size)) {
                        transform.multiply_add(sum, digits, key);
                    }
                }
            }
        }
        let outputs = batch.iter().zip(sums.chunks_exact_mut(output_len)).map(|(sample, sums)| {
            sums.chunks_exact_mut(size).for_each(|sum| transform.inverse(sum));
            // Exact integers by their size, once rounded; the low 32 bits are the torus element.
            let mut words: Vec<Torus32> =
                sums.iter().map(|&x| -Torus32(libm::rint(x) as i64 as u32)).collect();
            words[output_len - size] += sample.body();
            TlweCiphertext::from_words(words, size).sample_extract(0).rename_key()
        });
        outputs.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::secret::SecretKey;
    use crate::parameters::{FUNCTIONAL_2048, GATES_BLOCK_BINARY, GATES_DEFAULT};
    use crate::random::SecretSeed;

    /// The sums are exact, so that a fast backend's result is the portable one's, word for word.
    #[test]
    fn every_backend_gives_the_same_words() {
        for parameters in [&GATES_DEFAULT, &GATES_BLOCK_BINARY, &FUNCTIONAL_2048] {
            let secret = SecretKey::generate(parameters, SecretSeed::deterministic_for_tests(1));
            let cloud = CloudKey::generate(&secret, SecretSeed::deterministic_for_tests(2)).unwrap();
            let bits = secret.encrypt(&[true, false, true], SecretSeed::deterministic_for_tests(3)).expand();
            let batch: Vec<_> = bits.iter().map(|bit| bit.sample().clone().rename_key()).collect();
            let switch = |backend| RingKeySwitchKey::expand(&cloud, backend).unwrap().switch(&batch);
            let reference = switch(Backend::Portable);
            for backend in Backend::testable() {
                assert!(switch(backend) == reference, "{backend}, {}", parameters.name);
            }
        }
    }
}
