//! The portable backend: `rustfft`, on every machine, and the reference the vector kernels are tested against.
//!
//! N reals are folded to M = N/2 complex numbers z_j = (P_j + i P_{j+M}) w^j with w = exp(i pi / N); their M-point
//! FFT evaluates P at M of the 2M roots of X^N + 1, the other half being conjugates. (The folding is described in
//! Chillotti et al. 2020, section 6, after Bernstein's "twisted" FFT.)

use std::f64::consts::PI;
use std::sync::Arc;

use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftDirection};

use super::roots::powers_of_root;
use super::transform::{Step, StepShape, Transform};
use crate::gadget::Gadget;
use crate::torus::{Torus, Torus64};

/// The plan for one N.
pub(super) struct Portable {
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
    /// w^j for j < M.
    twist: Vec<Complex64>,
    /// w^t for t < 2N.
    powers: Vec<(f64, f64)>,
}

impl Portable {
    pub(super) fn new(size: usize) -> Self {
        let points = size / 2;
        Self {
            forward: plan(points, FftDirection::Forward),
            inverse: plan(points, FftDirection::Inverse),
            twist: (0..points).map(|j| Complex64::from_polar(1.0, PI * j as f64 / size as f64)).collect(),
            powers: powers_of_root(size),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn plan(points: usize, direction: FftDirection) -> Arc<dyn Fft<f64>> {
    rustfft::FftPlanner::new().plan_fft(points, direction)
}

/// What a planner would choose from has code for every prime, 150 KB that a browser would load for nothing: here M is a power
/// of two.
#[cfg(target_arch = "wasm32")]
fn plan(points: usize, direction: FftDirection) -> Arc<dyn Fft<f64>> {
    Arc::new(rustfft::algorithm::Radix4::new(points, direction))
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

    fn multiply_add(&self, sum: &mut [f64], x: &[f64], y: &[f64]) {
        let points = self.twist.len();
        let (sum_re, sum_im) = sum.split_at_mut(points);
        let ((x_re, x_im), (y_re, y_im)) = (x.split_at(points), y.split_at(points));
        for j in 0..points {
            sum_re[j] += x_re[j] * y_re[j] - x_im[j] * y_im[j];
            sum_im[j] += x_re[j] * y_im[j] + x_im[j] * y_re[j];
        }
    }

    fn decompose(&self, gadget: Gadget, polynomial: &[u64], digits: &mut [f64]) {
        decompose(gadget, polynomial, digits, polynomial.len());
    }

    fn arrange_key(&self, _shape: &StepShape, _key: &mut [f64]) {}

    fn rotate_and_add(&self, step: &Step<'_>, accumulators: &mut [u64], shifts: &[u32], scratch: &mut [f64]) {
        step.check(2 * self.twist.len(), accumulators, shifts, scratch);
        let shape = step.shape;
        for (accumulator, shifts) in
            accumulators.chunks_exact_mut(shape.accumulator_len()).zip(shifts.chunks_exact(shape.rotations))
        {
            self.transform_digits(shape, accumulator, &mut scratch[..shape.rows() * shape.stride()]);
            self.multiply_and_add(step, 0, accumulator, shifts, scratch);
        }
    }

    fn transform_digits(&self, shape: &StepShape, polynomials: &[u64], digits: &mut [f64]) {
        let (size, stride) = (shape.size, shape.stride());
        let levels = shape.gadget.levels() as usize;
        for (polynomial, digits) in
            polynomials.chunks_exact(size).zip(digits.chunks_exact_mut(stride * levels))
        {
            decompose(shape.gadget, polynomial, digits, stride);
            digits.chunks_exact_mut(stride).for_each(|level| self.forward(&mut level[..size]));
        }
    }

    fn multiply_and_add(
        &self,
        step: &Step<'_>,
        first_column: usize,
        polynomials: &mut [u64],
        shifts: &[u32],
        scratch: &mut [f64],
    ) {
        let (shape, points) = (step.shape, self.twist.len());
        let (size, stride, rows) = (shape.size, shape.stride(), shape.rows());
        let (digits, products) = scratch.split_at_mut(rows * stride);
        let (product, sum) = products[..2 * size].split_at_mut(size);
        for (column, target) in (first_column..).zip(polynomials.chunks_exact_mut(size)) {
            sum.fill(0.0);
            for (key, &shift) in step.key.chunks_exact(rows * shape.accumulator_len()).zip(shifts) {
                product.fill(0.0);
                for (row, digits) in digits.chunks_exact(stride).enumerate() {
                    let key = &key[(row * shape.polynomials() + column) * size..][..size];
                    self.multiply_add(product, &digits[..size], key);
                }
                // X^shift - 1 at point t, which is w^(1 - 4t).
                for t in 0..points {
                    let exponent = shift as usize * (1 + 2 * size - 4 * t % (2 * size)) % (2 * size);
                    let (re, im) = self.powers[exponent];
                    let (x, y) = (product[t], product[points + t]);
                    sum[t] += x * (re - 1.0) - y * im;
                    sum[points + t] += x * im + y * (re - 1.0);
                }
            }
            self.inverse(sum);
            for (x, &y) in target.iter_mut().zip(sum.iter()) {
                *x = x.wrapping_add(Torus64::from_real(y).to_bits64());
            }
        }
    }
}

/// The digits of each coefficient, levels `stride` apart.
fn decompose(gadget: Gadget, polynomial: &[u64], digits: &mut [f64], stride: usize) {
    for (j, &x) in polynomial.iter().enumerate() {
        gadget.digits(x, |level, digit| digits[level * stride + j] = digit as f64);
    }
}
