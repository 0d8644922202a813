//! One suite for every backend.

use super::choice::Backend;
use super::fft::Fft;
use super::transform::{SIZES, Step, StepShape};
#[cfg(target_arch = "x86_64")]
use super::vector::dispatch::Avx512;
use crate::error::Error;
use crate::gadget::Gadget;
use crate::torus::{Torus, Torus64};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

fn sizes() -> impl Iterator<Item = usize> {
    SIZES.filter(|n| n.is_power_of_two())
}

fn random_reals(rng: &mut ChaCha20Rng, len: usize, magnitude: f64) -> Vec<f64> {
    (0..len).map(|_| (rng.next_u64() as i64 as f64 / 2f64.powi(63) * magnitude).round()).collect()
}

/// The product by its definition, exact in i128.
fn schoolbook(x: &[f64], y: &[f64]) -> Vec<f64> {
    let n = x.len();
    let mut product = vec![0i128; n];
    for (i, &a) in x.iter().enumerate() {
        for (j, &b) in y.iter().enumerate() {
            let term = a as i128 * b as i128;
            if i + j < n { product[i + j] += term } else { product[i + j - n] -= term }
        }
    }
    product.into_iter().map(|x| x as f64).collect()
}

#[test]
fn products_match_the_definition() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for backend in Backend::testable() {
        for size in sizes() {
            let fft = Fft::new(size, backend).unwrap();
            let x = random_reals(&mut rng, size, 2f64.powi(20));
            let y = random_reals(&mut rng, size, 2f64.powi(20));
            let product = fft.multiply(&x, &y);
            // Rounding errors are relative to the norms of the factors: 2^20 N^(1/2) each, u = 2^-53.
            let bound = 2f64.powi(40 - 53) * size as f64 * 8.0;
            for (a, b) in product.iter().zip(schoolbook(&x, &y)) {
                assert!((a - b).abs() < bound, "{backend}, N = {size}: {a} is not {b}");
            }
        }
    }
}

#[test]
fn the_inverse_undoes_the_transform() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for backend in Backend::testable() {
        for size in sizes() {
            let fft = Fft::new(size, backend).unwrap();
            let x = random_reals(&mut rng, size, 2f64.powi(30));
            let mut y = x.clone();
            fft.forward(&mut y);
            assert_ne!(x, y);
            fft.inverse(&mut y);
            for (a, b) in x.iter().zip(&y) {
                assert!((a - b).abs() < 2f64.powi(30 - 53 + 5), "{backend}, N = {size}: {a} is not {b}");
            }
        }
    }
}

/// The fused step of every backend against the portable one, for all the shapes, shifts and batch sizes in use.
#[test]
fn fused_steps_agree_with_the_portable_backend() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let shapes = [
        (512, 3, 18, 1),
        (1024, 1, 7, 3),
        (1024, 1, 10, 2),
        (2048, 1, 23, 1),
        (256, 2, 6, 4),
        (512, 2, 1, 9),
    ];
    for ((size, dimension, base_log, levels), rotations) in
        shapes.into_iter().flat_map(|shape| [(shape, 1), (shape, 3)])
    {
        let gadget = Gadget::constant(base_log, levels);
        let shape = StepShape { gadget, size, dimension, rotations };
        let coefficients: Vec<u64> = (0..shape.key_len()).map(|_| rng.next_u64()).collect();
        for batch in 1..=6 {
            let start: Vec<u64> = (0..batch * shape.accumulator_len()).map(|_| rng.next_u64()).collect();
            let mut shifts: Vec<u32> =
                (0..batch * rotations).map(|_| rng.next_u32() % (2 * size as u32)).collect();
            let special = [0, 1, size as u32 - 1, size as u32, size as u32 + 3, 2 * size as u32 - 1];
            shifts[0] = special[batch - 1];
            let run = |backend| {
                let fft = Fft::new(size, backend).unwrap();
                let mut key: Vec<f64> =
                    coefficients.iter().map(|&x| Torus64(x).to_real() * fft.scale()).collect();
                key.chunks_exact_mut(size).for_each(|p| fft.transform().forward(p));
                fft.transform().arrange_key(&shape, &mut key);
                let mut accumulators = start.clone();
                let mut scratch = vec![f64::NAN; shape.scratch_len()];
                let step = Step { shape: &shape, key: &key, next_key: &[] };
                fft.transform().rotate_and_add(&step, &mut accumulators, &shifts, &mut scratch);
                if batch == 1 {
                    // The same in two halves, one polynomial at a time.
                    let mut polynomials = start.clone();
                    let mut digits = vec![f64::NAN; shape.rows() * shape.stride()];
                    fft.transform().transform_digits(&shape, &polynomials, &mut digits);
                    for (column, polynomial) in polynomials.chunks_exact_mut(size).enumerate() {
                        scratch[..digits.len()].copy_from_slice(&digits);
                        fft.transform().multiply_and_add(&step, column, polynomial, &shifts, &mut scratch);
                    }
                    assert!(polynomials == accumulators, "{backend}, N = {size}: the halves differ");
                }
                accumulators
            };
            let reference = run(Backend::Portable);
            for backend in Backend::testable() {
                // Double precision, for the largest that a product can be.
                let bound = libm::exp2(f64::from(shape.product_bits())) * 2f64.powi(-53 + 3);
                for (j, (a, b)) in run(backend).iter().zip(&reference).enumerate() {
                    let error = Torus64(a.wrapping_sub(*b)).to_real().abs();
                    assert!(error < bound, "{backend}, N = {size}, batch {batch}, word {j}: {error} off");
                }
            }
        }
    }
}

/// Every safe function in front of a kernel, with a slice a word or a whole polynomial too short or too long, or a
/// column too many: it panics, and what it was given is as it was.
#[cfg(target_arch = "x86_64")]
#[test]
fn kernels_refuse_slices_of_other_lengths() {
    let vectors = Backend::testable().into_iter().filter(|&backend| backend != Backend::Portable);
    for (backend, size) in vectors.flat_map(|backend| [(backend, 32), (backend, 512)]) {
        let fft = Fft::new(size, backend).unwrap();
        let transform = fft.transform();
        let gadget = Gadget::constant(6, 2);
        let shape = StepShape { gadget, size, dimension: 2, rotations: 3 };
        let one_level = StepShape { gadget: Gadget::constant(6, 1), ..shape };
        let other_size = StepShape { size: 2 * size, ..shape };
        let refuses = |what: &str, call: &mut dyn FnMut()| {
            let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err();
            assert!(refused, "{backend}, N = {size}: {what}");
        };
        let near = |len: usize| [0, len - size, len - 1, len + 1, len + size];

        for len in near(size) {
            let (mut data, right) = (vec![1.0; len], vec![1.0; size]);
            refuses("forward", &mut || transform.forward(&mut data));
            refuses("inverse", &mut || transform.inverse(&mut data));
            refuses("the sum", &mut || transform.multiply_add(&mut data, &right, &right));
            let mut sum = right.clone();
            refuses("the first factor", &mut || transform.multiply_add(&mut sum, &data, &right));
            refuses("the second factor", &mut || transform.multiply_add(&mut sum, &right, &data));
            assert!(data.iter().chain(&sum).all(|&x| x == 1.0));
        }
        for len in [0, size, 2 * size - 1] {
            let mut digits = vec![1.0; len];
            refuses("digits", &mut || transform.decompose(gadget, &vec![7; size], &mut digits));
            assert!(digits.iter().all(|&x| x == 1.0));
        }
        for len in [size - 1, size + 1] {
            let mut digits = vec![1.0; 4 * size];
            refuses("a polynomial", &mut || transform.decompose(gadget, &vec![7; len], &mut digits));
        }

        for shape in [shape, one_level] {
            let digits_len = shape.rows() * shape.stride();
            for len in near(digits_len) {
                let (polynomials, mut digits) = (vec![7; shape.accumulator_len()], vec![1.0; len]);
                refuses("digits of polynomials", &mut || {
                    transform.transform_digits(&shape, &polynomials, &mut digits);
                });
                assert!(digits.iter().all(|&x| x == 1.0));
            }
            for len in near(shape.accumulator_len()) {
                let (polynomials, mut digits) = (vec![7; len], vec![1.0; digits_len]);
                refuses("polynomials", &mut || {
                    transform.transform_digits(&shape, &polynomials, &mut digits);
                });
            }
            refuses("digits in another ring", &mut || {
                let mut digits = vec![1.0; other_size.rows() * other_size.stride()];
                transform.transform_digits(&other_size, &vec![7; other_size.accumulator_len()], &mut digits);
            });

            let key = vec![1.0; shape.key_len()];
            let rotate = |key: &[f64], words: usize, shifts: &[u32], scratch: usize, shape: &StepShape| {
                let mut accumulators = vec![7; words];
                let step = Step { shape, key, next_key: &[] };
                refuses("a step", &mut || {
                    transform.rotate_and_add(&step, &mut accumulators, shifts, &mut vec![1.0; scratch]);
                });
                assert!(accumulators.iter().all(|&x| x == 7), "a refused step leaves the accumulators");
            };
            let (words, scratch) = (shape.accumulator_len(), shape.scratch_len());
            for len in near(key.len()) {
                rotate(&vec![1.0; len], 2 * words, &[1; 6], scratch, &shape);
            }
            for len in near(2 * words) {
                rotate(&key, len, &[1; 6], scratch, &shape);
            }
            // As many shifts for as many words, but no whole accumulators.
            rotate(&key, words / 3, &[1], scratch, &shape);
            rotate(&key, words + words / 3, &[1; 4], scratch, &shape);
            for count in [0, 5, 7] {
                rotate(&key, 2 * words, &vec![1; count], scratch, &shape);
            }
            rotate(&key, 2 * words, &[1, 1, 1, 1, 1, 2 * size as u32], scratch, &shape);
            rotate(&key, 2 * words, &[1; 6], scratch - 1, &shape);
            rotate(&key, 2 * words, &[1; 6], 0, &shape);
            rotate(&key, 2 * words, &[1; 6], 4 * scratch, &other_size);

            let half = |key: &[f64], first: usize, words: usize, shifts: &[u32], scratch: usize| {
                let mut polynomials = vec![7; words];
                let step = Step { shape: &shape, key, next_key: &[] };
                refuses("half a step", &mut || {
                    let mut scratch = vec![1.0; scratch];
                    transform.multiply_and_add(&step, first, &mut polynomials, shifts, &mut scratch);
                });
                assert!(polynomials.iter().all(|&x| x == 7), "half a refused step leaves the polynomials");
            };
            half(&key[1..], 0, size, &[1; 3], scratch);
            half(&key, 3, size, &[1; 3], scratch);
            half(&key, 2, 2 * size, &[1; 3], scratch);
            half(&key, usize::MAX, size, &[1; 3], scratch);
            for words in [0, size - 1, size + 1] {
                half(&key, 0, words, &[1; 3], scratch);
            }
            half(&key, 0, 4 * size, &[1; 3], scratch);
            half(&key, 0, size, &[1; 2], scratch);
            half(&key, 0, size, &[1; 4], scratch);
            half(&key, 0, size, &[1; 3], scratch - 1);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
#[should_panic(expected = "no transform of 64 in 8 lanes")]
fn no_kernel_is_planned_for_a_ring_smaller_than_its_squares() {
    let _ = Avx512::new(64);
}

#[test]
fn only_powers_of_two_in_range_have_a_transform() {
    for size in [0, 16, 768, 8192] {
        assert!(matches!(Fft::new(size, Backend::Portable), Err(Error::TransformSize { .. })), "{size}");
    }
}
