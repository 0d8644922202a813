//! Exact products with a secret polynomial.
//!
//! Secret binary polynomials multiply torus polynomials *exactly*: the product is computed by floating-point transform
//! on 32-bit halves and rounded to the integer that it is, so keys have the same bytes on every backend.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::backend::fft::Fft;
use crate::torus::Torus;

/// A secret polynomial with coefficients 0 and 1, in the Fourier domain, wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SecretMultiplier {
    points: Vec<f64>,
}

impl SecretMultiplier {
    pub(crate) fn new(bits: &[u32], fft: &Fft) -> Self {
        let mut points: Vec<f64> = bits.iter().map(|&s| f64::from(s)).collect();
        fft.forward(&mut points);
        Self { points }
    }

    /// sum += mask * secret in (Z/2^64)[X]/(X^N+1), for torus coefficients widened to 64 bits. Exact:
    /// a half is below 2^31, so an exact coefficient is below 2^31 N <= 2^43, and the transform's error, of the order
    /// of 2^-53 log2(N) |half|_2 |secret|_2 <= 2^-53 2^4 (2^31 2^6) 2^6 < 2^-5, rounds away.
    pub(crate) fn add_product<T: Torus>(&self, mask: &[T], fft: &Fft, sum: &mut [u64]) {
        let low = |x: u64| i64::from(x as i32);
        let high = |x: u64| (x as i64).wrapping_sub(low(x)) >> 32;
        // The low half of a 32-bit torus element is zero.
        let halves: &[(&dyn Fn(u64) -> i64, u32)] =
            if T::BITS == 32 { &[(&high, 32)] } else { &[(&low, 0), (&high, 32)] };
        let mut product = vec![0.0; sum.len()];
        for (half, shift) in halves {
            let mut points: Vec<f64> = mask.iter().map(|x| half(x.to_bits64()) as f64).collect();
            fft.forward(&mut points);
            product.fill(0.0);
            fft.transform().multiply_add(&mut product, &points, &self.points);
            fft.inverse(&mut product);
            for (sum, &x) in sum.iter_mut().zip(&product) {
                *sum = sum.wrapping_add((nearest_integer(x) as u64) << shift);
            }
        }
        product.zeroize();
    }
}

/// The integer nearest to `x`, ties to even, for |x| <= 2^51. Products with a secret are secret, so by arithmetic: with
/// 1.5 x 2^52 added, a number is rounded to units and stands in the low bits. (Library functions and casts branch on
/// sign and size.)
fn nearest_integer(x: f64) -> i64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    ((x + SHIFT).to_bits() as i64).wrapping_sub(SHIFT.to_bits() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::choice::Backend;
    use crate::random::{MaskSeed, Purpose, SecretSeed};
    use crate::torus::Torus64;

    #[test]
    fn the_nearest_integer_is_rint() {
        let largest = 2f64.powi(51);
        let halves = (-9..=9).map(|i| f64::from(i) / 2.0);
        let near =
            [0.4999999, -0.5000001, 1e9 + 0.3, -1e9 - 0.7, largest - 0.5, 0.5 - largest, largest, -largest];
        for x in halves.chain(near) {
            assert_eq!(nearest_integer(x), libm::rint(x) as i64, "{x}");
        }
    }

    fn schoolbook(mask: &[Torus64], bits: &[u32]) -> Vec<u64> {
        let n = mask.len();
        let mut sum = vec![0u64; n];
        for (i, &s) in bits.iter().enumerate() {
            for (j, x) in mask.iter().enumerate() {
                let term = x.0.wrapping_mul(u64::from(s));
                let at = (i + j) % n;
                sum[at] = if i + j < n { sum[at].wrapping_add(term) } else { sum[at].wrapping_sub(term) };
            }
        }
        sum
    }

    #[test]
    fn products_with_a_secret_are_exact_on_every_backend() {
        for size in [256, 512, 2048, 4096] {
            let mut random = vec![Torus64::default(); size];
            MaskSeed([3; 32]).fill(Purpose::BootstrapKey, 0, &mut random);
            // Random operands, then the extremes: every half at its largest magnitude, every key bit set.
            let random_key = SecretSeed::deterministic_for_tests(4).secret_bits(Purpose::LargeKey, size);
            let extreme = vec![Torus64(0x8000_0000_8000_0000); size];
            for (mask, bits) in [(random, random_key.to_vec()), (extreme, vec![1; size])] {
                let expected = schoolbook(&mask, &bits);
                for backend in Backend::ALL.iter().copied().filter(|b| b.is_available()) {
                    let fft = Fft::new(size, backend).unwrap();
                    let mut sum = vec![0; size];
                    SecretMultiplier::new(&bits, &fft).add_product(&mask, &fft, &mut sum);
                    assert_eq!(sum, expected, "{backend}, N = {size}");
                }
            }
        }
    }
}
