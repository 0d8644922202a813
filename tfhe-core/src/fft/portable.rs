//! The portable backend: `rustfft`, on every machine, and the reference the vector kernels are tested against.
//!
//! N reals are folded to M = N/2 complex numbers z_j = (P_j + i P_{j+M}) w^j with w = exp(i pi / N); their M-point
//! FFT evaluates P at M of the 2M roots of X^N + 1, the other half being conjugates. (The folding is described in
//! Chillotti et al. 2020, section 6, after Bernstein's "twisted" FFT.)

use std::f64::consts::PI;
use std::sync::Arc;

use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

use super::{RotateStep, Transform};

/// The plan for one N.
pub(super) struct Portable {
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
    /// w^j for j < M.
    twist: Vec<Complex64>,
}

impl Portable {
    pub(super) fn new(size: usize) -> Self {
        let points = size / 2;
        let mut planner = FftPlanner::new();
        Self {
            forward: planner.plan_fft_forward(points),
            inverse: planner.plan_fft_inverse(points),
            twist: (0..points).map(|j| Complex64::from_polar(1.0, PI * j as f64 / size as f64)).collect(),
        }
    }
}

impl Transform for Portable {
    fn forward(&self, data: &mut [f64]) {
        let (re, im) = data.split_at_mut(self.twist.len());
        let mut z: Vec<Complex64> = self
            .twist
            .iter()
            .zip(re.iter().zip(im.iter()))
            .map(|(w, (&a, &b))| Complex64::new(a, b) * w)
            .collect();
        self.forward.process(&mut z);
        for (z, (re, im)) in z.iter().zip(re.iter_mut().zip(im)) {
            (*re, *im) = (z.re, z.im);
        }
    }

    fn inverse(&self, data: &mut [f64]) {
        let (re, im) = data.split_at_mut(self.twist.len());
        let mut z: Vec<Complex64> = re.iter().zip(im.iter()).map(|(&a, &b)| Complex64::new(a, b)).collect();
        self.inverse.process(&mut z);
        for ((z, w), (re, im)) in z.iter().zip(&self.twist).zip(re.iter_mut().zip(im)) {
            let untwisted = z * w.conj();
            (*re, *im) = (untwisted.re, untwisted.im);
        }
    }

    fn arrange_key(&self, _key: &mut [f64]) {}

    fn rotate_and_add(
        &self,
        step: &RotateStep<'_>,
        accumulators: &mut [u64],
        shifts: &[u32],
        scratch: &mut [f64],
    ) {
        step.check(2 * self.twist.len(), accumulators, shifts, scratch);
        let (size, stride, rows) = (step.size, step.stride(), step.rows());
        let (digits, products) = scratch.split_at_mut(rows * stride);
        for (accumulator, &shift) in accumulators.chunks_exact_mut(step.accumulator_len()).zip(shifts) {
            for (source, digits) in accumulator
                .chunks_exact(size)
                .zip(digits.chunks_exact_mut(stride * step.gadget.levels as usize))
            {
                for j in 0..size {
                    let difference = rotated(source, shift, j).wrapping_sub(source[j]);
                    step.gadget.digits(difference, |level, digit| digits[level * stride + j] = digit as f64);
                }
            }
            for digits in digits.chunks_exact_mut(stride) {
                self.forward(&mut digits[..size]);
            }
            let product = &mut products[..size];
            for (column, target) in accumulator.chunks_exact_mut(size).enumerate() {
                product.fill(0.0);
                for (row, digits) in digits.chunks_exact(stride).enumerate() {
                    let key = &step.key[(row * step.polynomials() + column) * size..][..size];
                    super::multiply_add(product, &digits[..size], key);
                }
                self.inverse(product);
                for (x, &y) in target.iter_mut().zip(product.iter()) {
                    *x = x.wrapping_add(super::real_to_torus(y));
                }
            }
        }
    }
}

/// Coefficient j of X^shift p in the ring Z[X]/(X^N+1), shift < 2N.
fn rotated(p: &[u64], shift: u32, j: usize) -> u64 {
    let size = p.len();
    // X^-shift = X^(2N - shift): coefficient j comes from j - shift mod 2N, negated in the upper half.
    let from = (j + 2 * size - shift as usize) % (2 * size);
    if from < size { p[from] } else { p[from - size].wrapping_neg() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polynomial::Polynomial;
    use crate::torus::Torus64;

    #[test]
    fn rotation_is_the_product_with_a_power_of_x() {
        let p: Vec<u64> = (1..=16).collect();
        let polynomial = Polynomial(p.iter().copied().map(Torus64).collect());
        for shift in 0..32 {
            let expected = polynomial.rotate(i64::from(shift));
            for j in 0..16 {
                assert_eq!(rotated(&p, shift, j), expected.0[j].0, "X^{shift}, coefficient {j}");
            }
        }
    }
}
