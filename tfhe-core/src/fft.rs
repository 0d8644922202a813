//! The negacyclic Fourier transform, and what a backend does with it.
//!
//! Products of real polynomials mod X^N + 1 become products of M = N/2 complex points, computed by a [`Backend`]. The
//! order of the points is the backend's own business: anything in the Fourier domain lives in memory only, and files hold
//! the torus domain.
//!
//! ```
//! use tfhe_core::backend::Backend;
//! use tfhe_core::fft::Fft;
//! let fft = Fft::new(256, Backend::Portable)?;
//! let mut x = vec![0.0; 256];
//! x[255] = 1.0; // X^255
//! let mut y = vec![0.0; 256];
//! y[2] = 1.0; // X^2
//! let product = fft.multiply(&x, &y);
//! assert!((product[1] + 1.0).abs() < 1e-12); // X^257 = -X
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use std::fmt;
use std::sync::Arc;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::gadget::Gadget;
use crate::torus::{Torus, Torus64};

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod kernel;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod portable;

/// Smallest and largest N with a transform.
pub const SIZES: std::ops::RangeInclusive<usize> = 32..=4096;

/// Smallest N whose points fill a square of AVX-512 registers; below, that backend's transforms are AVX2's.
#[cfg(target_arch = "x86_64")]
const SMALLEST_AVX512: usize = 128;

/// What a backend does for one N. `data` holds N reals or, after [`forward`](Self::forward), M = N/2 complex points:
/// all real parts, then all imaginary parts.
pub(crate) trait Transform: Send + Sync {
    /// Transforms N coefficients to M points in place.
    fn forward(&self, data: &mut [f64]);

    /// Transforms M points back to N coefficients in place, times M.
    fn inverse(&self, data: &mut [f64]);

    /// sum += x y, point by point; all three in the Fourier domain.
    fn multiply_add(&self, sum: &mut [f64], x: &[f64], y: &[f64]);

    /// The digits of a polynomial of torus elements of 64 bits, level by level, as real numbers.
    fn decompose(&self, gadget: Gadget, polynomial: &[u64], digits: &mut [f64]);

    /// Puts a step's key, TGSW sample after TGSW sample, in the order and unit in which
    /// [`rotate_and_add`](Self::rotate_and_add) reads it.
    fn arrange_key(&self, shape: &StepShape, key: &mut [f64]);

    /// One step of blind rotation for a batch: acc += sum_i (X^shift_i - 1) (key_i ⊡ acc), for each accumulator with
    /// its own shifts < 2N, and one key.
    fn rotate_and_add(&self, step: &Step<'_>, accumulators: &mut [u64], shifts: &[u32], scratch: &mut [f64]);

    /// The first half of a step, for some `polynomials` of an accumulator: their digits in the Fourier domain, l rows a
    /// polynomial, [`StepShape::stride`] apart.
    fn transform_digits(&self, shape: &StepShape, polynomials: &[u64], digits: &mut [f64]);

    /// The second half, for the `polynomials` of one accumulator from number `first_column`: adds the products. `scratch`
    /// begins with the digits of all its polynomials, which are overwritten.
    fn multiply_and_add(
        &self,
        step: &Step<'_>,
        first_column: usize,
        polynomials: &mut [u64],
        shifts: &[u32],
        scratch: &mut [f64],
    );
}

/// Accumulators that share the load of a key row; so few that the digits of small sets stay in the first-level cache.
const GROUP: usize = 2;

/// Largest number of lanes of a backend.
const MAX_LANES: usize = 8;

/// The shape of what [`Transform::rotate_and_add`] applies. Its key is, for each rotation, (k+1) l rows of k+1
/// polynomials of M points, [arranged](Transform::arrange_key).
#[derive(Clone, Copy)]
pub(crate) struct StepShape {
    pub(crate) gadget: Gadget,
    /// N.
    pub(crate) size: usize,
    /// k.
    pub(crate) dimension: usize,
    /// TGSW samples in a step's key, and shifts of an accumulator.
    pub(crate) rotations: usize,
}

impl StepShape {
    /// k + 1.
    pub(crate) fn polynomials(&self) -> usize {
        self.dimension + 1
    }

    /// (k + 1) l.
    pub(crate) fn rows(&self) -> usize {
        self.polynomials() * self.gadget.levels as usize
    }

    /// Words of one accumulator: k+1 polynomials of N 64-bit torus elements.
    pub(crate) fn accumulator_len(&self) -> usize {
        self.polynomials() * self.size
    }

    /// Words of a step's key.
    pub(crate) fn key_len(&self) -> usize {
        self.rotations * self.rows() * self.accumulator_len()
    }

    /// Distance of two polynomials in the scratch space: a cache line more than N, since buffers a power of two
    /// apart compete for the same lines of the cache.
    pub(crate) fn stride(&self) -> usize {
        self.size + 8
    }

    /// `f64`s of scratch space that a step needs: the digits of a group, then products, or a register of digits times
    /// X^shift - 1 for each row of the key.
    pub(crate) fn scratch_len(&self) -> usize {
        let register_rows = GROUP * self.rotations * (self.rows() + 1) * 2 * MAX_LANES;
        GROUP * self.rows() * self.stride() + register_rows.max(2 * self.size)
    }

    /// log2 of 16 standard deviations of a product, rounded up, in torus units: what no product reaches. It sums
    /// `rotations` (k+1) l N products of a digit (variance B^2/12), a key's coefficient (1/12) and X^shift - 1, which
    /// doubles a variance.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))] // the portable backend has no integer conversion
    fn product_bits(&self) -> u32 {
        let terms = 2 * self.rotations * self.rows() * self.size;
        // The square of 16/12 sqrt(terms); half of its logarithm, rounded up. In integers, as every step asks.
        let square = (16 * terms).div_ceil(9);
        let bits = self.gadget.base_log + square.next_power_of_two().ilog2().div_ceil(2);
        assert!(bits < 50, "products beyond a double's precision");
        bits
    }
}

/// What [`Transform::rotate_and_add`] applies.
#[derive(Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) shape: &'a StepShape,
    /// The points carry the factor 1/M that the inverse transform lacks.
    pub(crate) key: &'a [f64],
    /// The key of the step to come, or nothing: it is fetched into the cache meanwhile.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))] // the portable backend does not prefetch
    pub(crate) next_key: &'a [f64],
}

impl Step<'_> {
    /// The lengths that the kernels rely on.
    fn check(&self, size: usize, accumulators: &[u64], shifts: &[u32], scratch: &[f64]) {
        let shape = self.shape;
        assert_eq!(shape.size, size);
        assert_eq!(self.key.len(), shape.key_len());
        assert!(accumulators.len().is_multiple_of(shape.accumulator_len()));
        assert_eq!(shifts.len(), accumulators.len() / shape.accumulator_len() * shape.rotations);
        assert!(scratch.len() >= shape.scratch_len());
        assert!(shifts.iter().all(|&s| (s as usize) < 2 * size));
    }
}

/// A backend's transform for one N; cheap to clone.
#[derive(Clone)]
pub struct Fft {
    size: usize,
    backend: Backend,
    transform: Arc<dyn Transform>,
}

impl fmt::Debug for Fft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fft {{ size: {}, backend: {} }}", self.size, self.backend)
    }
}

impl Fft {
    /// Plans the transform of polynomials of `size` = N coefficients.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`] if the CPU lacks the backend; [`Error::TransformSize`] unless N is a power of two
    /// in [`SIZES`].
    pub fn new(size: usize, backend: Backend) -> Result<Self> {
        if !size.is_power_of_two() || !SIZES.contains(&size) {
            return Err(Error::TransformSize { size });
        }
        let transform: Arc<dyn Transform> = match backend.checked()? {
            Backend::Portable => Arc::new(portable::Portable::new(size)),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512 if size >= SMALLEST_AVX512 => Arc::new(Avx512::new(size)),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 | Backend::Avx512 => Arc::new(Avx2::new(size)),
            #[cfg(not(target_arch = "x86_64"))]
            Backend::Avx2 | Backend::Avx512 => return Err(Error::BackendUnavailable { backend }),
        };
        Ok(Self { size, backend, transform })
    }

    /// N.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The backend in use.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Transforms N coefficients to points in place.
    ///
    /// # Panics
    /// If `data` has not N elements.
    pub fn forward(&self, data: &mut [f64]) {
        assert_eq!(data.len(), self.size);
        self.transform.forward(data);
    }

    /// Transforms points back to N coefficients in place.
    ///
    /// # Panics
    /// If `data` has not N elements.
    pub fn inverse(&self, data: &mut [f64]) {
        assert_eq!(data.len(), self.size);
        self.transform.inverse(data);
        let scale = self.scale();
        data.iter_mut().for_each(|x| *x *= scale);
    }

    /// The product of two real polynomials of N coefficients mod X^N + 1, with floating-point rounding.
    ///
    /// # Panics
    /// If a polynomial has not N coefficients.
    pub fn multiply(&self, x: &[f64], y: &[f64]) -> Vec<f64> {
        let (mut x, mut y) = (x.to_vec(), y.to_vec());
        self.forward(&mut x);
        self.forward(&mut y);
        let mut product = vec![0.0; self.size];
        self.transform.multiply_add(&mut product, &x, &y);
        self.inverse(&mut product);
        product
    }

    /// 1/M, what a round trip through the backend's transforms must be multiplied by.
    pub(crate) fn scale(&self) -> f64 {
        2.0 / self.size as f64
    }

    pub(crate) fn transform(&self) -> &dyn Transform {
        &*self.transform
    }
}

/// The real number x mod 1 as a 64-bit torus element.
pub(crate) fn real_to_torus(x: f64) -> u64 {
    Torus64::from_real(x).to_bits64()
}

/// w^t for t < 2N, where w = exp(i pi / N) and N = `size`.
fn powers_of_root(size: usize) -> Vec<(f64, f64)> {
    use std::f64::consts::PI;
    let power = |t| {
        let angle = PI * t as f64 / size as f64;
        (angle.cos(), angle.sin())
    };
    (0..2 * size).map(power).collect()
}

/// The heap of the roots r_q for 1 <= q < `points`: r_1 = sqrt(i), and the children of z = r_q^2 are r_q and -r_q.
#[cfg(target_arch = "x86_64")]
fn split_twiddles(points: usize) -> Vec<(f64, f64)> {
    use std::f64::consts::PI;
    // The angle of z at node q, in units of pi / (2 points): exact integers.
    let turn = 4 * points;
    let mut angles = vec![points; points];
    for q in 2..points {
        angles[q] = angles[q / 2] / 2 + (q % 2) * turn / 2;
    }
    let root = |&angle: &usize| {
        let half = PI * angle as f64 / (4 * points) as f64;
        (half.cos(), half.sin())
    };
    angles.iter().map(root).collect()
}

/// A backend made of the vector kernels, compiled for an instruction set.
#[cfg(target_arch = "x86_64")]
macro_rules! vector_backend {
    ($name:ident, $lanes:ty, $features:literal) => {
        #[doc = concat!("The vector kernels compiled for `", $features, "`.")]
        struct $name(kernel::Twiddles);

        #[allow(unsafe_code)] // docs/unsafe.md
        impl $name {
            /// Only for a CPU with the features: [`Fft::new`] has checked.
            fn new(size: usize) -> Self {
                Self(kernel::Twiddles::new(size, <$lanes as lanes::Lanes>::LANES))
            }

            #[target_feature(enable = $features)]
            fn forward_here(&self, data: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { kernel::forward::<$lanes>(&self.0, data) }
            }

            #[target_feature(enable = $features)]
            fn inverse_here(&self, data: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { kernel::inverse::<$lanes>(&self.0, data) }
            }

            #[target_feature(enable = $features)]
            fn multiply_add_here(&self, sum: &mut [f64], x: &[f64], y: &[f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { kernel::multiply_add::<$lanes>(&self.0, sum, x, y) }
            }

            #[target_feature(enable = $features)]
            fn decompose_here(&self, gadget: Gadget, polynomial: &[u64], digits: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { kernel::decompose::<$lanes>(gadget, polynomial, digits, polynomial.len()) }
            }

            #[target_feature(enable = $features)]
            fn rotate_here(&self, step: &Step<'_>, acc: &mut [u64], shifts: &[u32], scratch: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { kernel::rotate_and_add::<$lanes>(&self.0, step, acc, shifts, scratch) }
            }

            #[target_feature(enable = $features)]
            fn transform_digits_here(&self, shape: &StepShape, polynomials: &[u64], digits: &mut [f64]) {
                // SAFETY: the features are enabled in this function.
                unsafe { kernel::transform_digits::<$lanes>(&self.0, shape, polynomials, digits) }
            }

            #[target_feature(enable = $features)]
            fn multiply_and_add_here(
                &self,
                step: &Step<'_>,
                first: usize,
                polynomials: &mut [u64],
                shifts: &[u32],
                scratch: &mut [f64],
            ) {
                // SAFETY: the features are enabled in this function.
                unsafe {
                    kernel::multiply_and_add::<$lanes>(&self.0, step, first, polynomials, shifts, scratch)
                }
            }
        }

        #[allow(unsafe_code)] // docs/unsafe.md
        impl Transform for $name {
            fn forward(&self, data: &mut [f64]) {
                // SAFETY: a value of this type exists only where the CPU has the features.
                unsafe { self.forward_here(data) }
            }

            fn inverse(&self, data: &mut [f64]) {
                // SAFETY: as above.
                unsafe { self.inverse_here(data) }
            }

            fn multiply_add(&self, sum: &mut [f64], x: &[f64], y: &[f64]) {
                // SAFETY: as above.
                unsafe { self.multiply_add_here(sum, x, y) }
            }

            fn decompose(&self, gadget: Gadget, polynomial: &[u64], digits: &mut [f64]) {
                // SAFETY: as above.
                unsafe { self.decompose_here(gadget, polynomial, digits) }
            }

            fn arrange_key(&self, shape: &StepShape, key: &mut [f64]) {
                use lanes::Lanes;
                let unit = <$lanes>::fraction_bits(shape.product_bits());
                kernel::arrange_key(<$lanes>::LANES, unit, self.0.size(), key);
            }

            fn rotate_and_add(&self, step: &Step<'_>, acc: &mut [u64], shifts: &[u32], scratch: &mut [f64]) {
                // SAFETY: as above.
                unsafe { self.rotate_here(step, acc, shifts, scratch) }
            }

            fn transform_digits(&self, shape: &StepShape, polynomials: &[u64], digits: &mut [f64]) {
                // SAFETY: as above.
                unsafe { self.transform_digits_here(shape, polynomials, digits) }
            }

            fn multiply_and_add(
                &self,
                step: &Step<'_>,
                first: usize,
                polynomials: &mut [u64],
                shifts: &[u32],
                scratch: &mut [f64],
            ) {
                // SAFETY: as above.
                unsafe { self.multiply_and_add_here(step, first, polynomials, shifts, scratch) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
vector_backend!(Avx2, avx2::F64x4, "avx2,fma");
#[cfg(target_arch = "x86_64")]
vector_backend!(Avx512, avx512::F64x8, "avx512f,avx512dq");

#[cfg(test)]
mod tests {
    use super::*;
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
            let gadget = Gadget { base_log, levels };
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
                            fft.transform().multiply_and_add(
                                &step,
                                column,
                                polynomial,
                                &shifts,
                                &mut scratch,
                            );
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
            let gadget = Gadget { base_log: 6, levels: 2 };
            let shape = StepShape { gadget, size, dimension: 2, rotations: 3 };
            let one_level = StepShape { gadget: Gadget { base_log: 6, levels: 1 }, ..shape };
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
            let none = Gadget { base_log: 6, levels: 0 };
            refuses("no level", &mut || transform.decompose(none, &vec![7; size], &mut vec![1.0; size]));

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
                    transform.transform_digits(
                        &other_size,
                        &vec![7; other_size.accumulator_len()],
                        &mut digits,
                    );
                });

                let key = vec![1.0; shape.key_len()];
                let rotate = |key: &[f64],
                              words: usize,
                              shifts: &[u32],
                              scratch: usize,
                              shape: &StepShape| {
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
                    assert!(
                        polynomials.iter().all(|&x| x == 7),
                        "half a refused step leaves the polynomials"
                    );
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
}
