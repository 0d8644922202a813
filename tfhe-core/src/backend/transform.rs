//! What a backend computes: the negacyclic Fourier transform, and the fused step of blind rotation that is made of it.
//!
//! Products of real polynomials mod X^N + 1 become products of M = N/2 complex points. The order of the points is the
//! backend's own business: anything in the Fourier domain lives in memory only, and files hold the torus domain.

use crate::gadget::Gadget;

/// Smallest and largest N with a transform.
pub(crate) const SIZES: std::ops::RangeInclusive<usize> = 32..=4096;

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
pub(crate) const GROUP: usize = 2;

/// Bits of a product that a double still holds with room for its fraction.
pub(crate) const MOST_PRODUCT_BITS: u32 = 49;

/// Largest number of lanes of a backend.
pub(crate) const MAX_LANES: usize = 8;

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
        self.polynomials() * self.gadget.levels() as usize
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
    /// doubles a variance. [`Parameters`](crate::parameters::Parameters) are checked to keep it below
    /// [`MOST_PRODUCT_BITS`].
    pub(crate) fn product_bits(&self) -> u32 {
        let terms = 2 * self.rotations * self.rows() * self.size;
        // The square of 16/12 sqrt(terms); half of its logarithm, rounded up. In integers, as every step asks.
        let square = (16 * terms).div_ceil(9);
        self.gadget.base_log() + square.next_power_of_two().ilog2().div_ceil(2)
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
    pub(super) fn check(&self, size: usize, accumulators: &[u64], shifts: &[u32], scratch: &[f64]) {
        let shape = self.shape;
        assert_eq!(shape.size, size);
        assert_eq!(self.key.len(), shape.key_len());
        assert!(accumulators.len().is_multiple_of(shape.accumulator_len()));
        assert_eq!(shifts.len(), accumulators.len() / shape.accumulator_len() * shape.rotations);
        assert!(scratch.len() >= shape.scratch_len());
        assert!(shifts.iter().all(|&s| (s as usize) < 2 * size));
    }
}
