//! The fused step of blind rotation, once for every instruction set: digits, transforms, products with the key, and the
//! sums that are added to the accumulators.
//!
//! # Safety
//! Every function is generic over [`Lanes`] and inherits its contract; slices are checked where they come in.

#![allow(unsafe_code)] // docs/unsafe.md

use std::ops::Range;

use super::complex::Complex;
use super::decompose::decompose;
use super::lanes::Lanes;
use super::streams::{Digits, Parts, TorusSum};
use super::transform::{forward, forward_from, inverse_to};
use super::twiddles::Twiddles;
use crate::backend::transform::{GROUP, Step, StepShape};

/// `f64`s in a cache line.
const LINE: usize = 8;

/// The fused step that [`Transform::rotate_and_add`](crate::backend::transform::Transform::rotate_and_add) documents.
#[inline(always)]
pub(in crate::backend) unsafe fn rotate_and_add<V: Lanes>(
    twiddles: &Twiddles,
    step: &Step<'_>,
    accumulators: &mut [u64],
    shifts: &[u32],
    scratch: &mut [f64],
) {
    step.check(twiddles.size(), accumulators, shifts, scratch);
    let shape = step.shape;
    let accumulator_len = shape.accumulator_len();
    let count = accumulators.len() / accumulator_len;
    let (paired, single) = accumulators.split_at_mut(count / GROUP * GROUP * accumulator_len);
    let (paired_shifts, single_shifts) = shifts.split_at(count / GROUP * GROUP * shape.rotations);
    // The groups fetch different rows of the next key.
    let fetch = |group| Fetch { first: group, every: count.div_ceil(GROUP) };
    // SAFETY: the contract of `Lanes` is inherited; `Step::check` has found the lengths right.
    unsafe {
        for (group, (accumulators, shifts)) in paired
            .chunks_exact_mut(GROUP * accumulator_len)
            .zip(paired_shifts.chunks_exact(GROUP * shape.rotations))
            .enumerate()
        {
            rotate_group::<V, GROUP>(twiddles, step, fetch(group), accumulators, shifts, scratch);
        }
        if !single.is_empty() {
            rotate_group::<V, 1>(twiddles, step, fetch(count / GROUP), single, single_shifts, scratch);
        }
    }
}

/// Which rows of the next step's key to fetch: every `every`-th one, from `first`.
#[derive(Clone, Copy)]
struct Fetch {
    first: usize,
    every: usize,
}

/// The step for `COUNT` accumulators.
#[inline(always)]
unsafe fn rotate_group<V: Lanes, const COUNT: usize>(
    twiddles: &Twiddles,
    step: &Step<'_>,
    fetch: Fetch,
    accumulators: &mut [u64],
    shifts: &[u32],
    scratch: &mut [f64],
) {
    let shape = step.shape;
    let columns = 0..shape.polynomials();
    let (digits, scaled) = scratch.split_at_mut(COUNT * shape.rows() * shape.stride());
    // SAFETY: the contract of `Lanes` is inherited.
    unsafe {
        transform_digits::<V>(twiddles, shape, accumulators, digits);
        multiply::<V, COUNT>(twiddles, step, fetch, columns.clone(), shifts, digits, scaled);
        add_products::<V>(twiddles, shape, columns.len(), digits, accumulators);
    }
}

/// What [`Transform::transform_digits`](crate::backend::transform::Transform::transform_digits) documents.
#[inline(always)]
pub(in crate::backend) unsafe fn transform_digits<V: Lanes>(
    twiddles: &Twiddles,
    shape: &StepShape,
    polynomials: &[u64],
    digits: &mut [f64],
) {
    let (size, points, stride) = (twiddles.size(), twiddles.points, shape.stride());
    let levels = shape.gadget.levels() as usize;
    assert!(shape.size == size && polynomials.len() * levels * stride == digits.len() * size);
    for (polynomial, digits) in polynomials.chunks_exact(size).zip(digits.chunks_exact_mut(levels * stride)) {
        // SAFETY: the contract of `Lanes` is inherited; the polynomial and each level of digits have N words.
        unsafe {
            if levels == 1 {
                let re = digits.as_mut_ptr();
                let source = Digits { words: polynomial.as_ptr(), points, base_log: shape.gadget.base_log() };
                forward_from::<V>(twiddles, &source, Parts { re, im: re.add(points) });
            } else {
                decompose::<V>(shape.gadget, polynomial, digits, stride);
                for level in digits.chunks_exact_mut(stride) {
                    forward::<V>(twiddles, &mut level[..size]);
                }
            }
        }
    }
}

/// What [`Transform::multiply_and_add`](crate::backend::transform::Transform::multiply_and_add) documents.
#[inline(always)]
pub(in crate::backend) unsafe fn multiply_and_add<V: Lanes>(
    twiddles: &Twiddles,
    step: &Step<'_>,
    first_column: usize,
    polynomials: &mut [u64],
    shifts: &[u32],
    scratch: &mut [f64],
) {
    let shape = step.shape;
    assert!(scratch.len() >= shape.scratch_len() && step.key.len() == shape.key_len());
    assert!(polynomials.len().is_multiple_of(twiddles.size()), "whole polynomials");
    let columns = first_column..first_column + polynomials.len() / twiddles.size();
    let (digits, scaled) = scratch.split_at_mut(shape.rows() * shape.stride());
    // SAFETY: the contract of `Lanes` is inherited.
    unsafe {
        let fetch = Fetch { first: 0, every: 1 };
        multiply::<V, 1>(twiddles, step, fetch, columns.clone(), shifts, digits, scaled);
        add_products::<V>(twiddles, shape, columns.len(), digits, polynomials);
    }
}

/// Adds the products in the first `columns` rows of each accumulator's digits to its `columns` polynomials.
#[inline(always)]
unsafe fn add_products<V: Lanes>(
    twiddles: &Twiddles,
    shape: &StepShape,
    columns: usize,
    digits: &mut [f64],
    polynomials: &mut [u64],
) {
    let (size, points, stride) = (twiddles.size(), twiddles.points, shape.stride());
    let fraction_bits = V::fraction_bits(shape.product_bits());
    for (polynomials, products) in
        polynomials.chunks_exact_mut(columns * size).zip(digits.chunks_exact_mut(shape.rows() * stride))
    {
        for (target, product) in polynomials.chunks_exact_mut(size).zip(products.chunks_exact_mut(stride)) {
            let re = product.as_mut_ptr();
            // SAFETY: the contract of `Lanes` is inherited; `target` and `product` have N words.
            unsafe {
                let sink = TorusSum { words: target.as_mut_ptr(), points, fraction_bits };
                inverse_to::<V>(twiddles, Parts { re, im: re.add(points) }, &sink);
            }
        }
    }
}

/// Puts the polynomials of a step's key, of `size` words each, in the order in which [`multiply`] reads them: at each
/// register of points all rows and columns, real and imaginary parts, so that a step reads its key in one stream. The
/// products come out as multiples of 2^-`fraction_bits`.
pub(in crate::backend) fn arrange_key(lanes: usize, fraction_bits: u32, size: usize, key: &mut [f64]) {
    let points = size / 2;
    let unit = libm::exp2(f64::from(fraction_bits));
    let mut stream = Vec::with_capacity(key.len());
    for j in (0..points).step_by(lanes) {
        for polynomial in key.chunks_exact(size) {
            stream.extend_from_slice(&polynomial[j..j + lanes]);
            stream.extend_from_slice(&polynomial[points + j..points + j + lanes]);
        }
    }
    key.iter_mut().zip(&stream).for_each(|(x, y)| *x = y * unit);
}

/// (digits of each ciphertext, times X^shift - 1 for each of its shifts) x (`columns` of the key matrix) at every point,
/// in place: the products take the place of the first rows of digits.
#[inline(always)]
unsafe fn multiply<V: Lanes, const COUNT: usize>(
    twiddles: &Twiddles,
    step: &Step<'_>,
    fetch: Fetch,
    columns: Range<usize>,
    shifts: &[u32],
    digits: &mut [f64],
    scaled: &mut [f64],
) {
    let Step { shape, key, next_key } = *step;
    let (stride, rows, rotations) = (shape.stride(), shape.rows(), shape.rotations);
    let points = shape.size / 2;
    let key_rows = rotations * rows;
    assert!(
        columns.end <= shape.polynomials()
            && columns.len() <= rows
            && shape.size == twiddles.size()
            && key.len() == shape.key_len()
            && digits.len() >= COUNT * rows * stride
            && scaled.len() >= COUNT * (key_rows + rotations) * 2 * V::LANES
            && shifts.len() == COUNT * rotations
    );
    let (scaled, lane_powers) = scaled.split_at_mut(COUNT * key_rows * 2 * V::LANES);
    for (&shift, powers) in shifts.iter().zip(lane_powers.chunks_exact_mut(2 * V::LANES)) {
        for (lane, &exponent) in twiddles.lane_exponents.iter().enumerate() {
            (powers[lane], powers[V::LANES + lane]) = twiddles.power(shift * exponent);
        }
    }
    // Words of the key for one row, and for one register of points.
    let row_len = shape.polynomials() * 2 * V::LANES;
    let register_len = key_rows * row_len;
    let fetched =
        if next_key.is_empty() { 0..0 } else { columns.start * 2 * V::LANES..columns.end * 2 * V::LANES };
    let next_key = next_key.as_ptr();
    let (key, digits, scaled) = (key.as_ptr(), digits.as_mut_ptr(), scaled.as_mut_ptr());
    let lane_powers = lane_powers.as_ptr();
    // SAFETY: the contract of `Lanes` is inherited; the assertion bounds all offsets. The next key is only prefetched.
    unsafe {
        let one = V::splat(1.0);
        for (register, &exponent) in twiddles.register_exponents.iter().enumerate() {
            for row in (fetch.first..key_rows).step_by(fetch.every) {
                for line in fetched.clone().step_by(LINE) {
                    V::prefetch(next_key.wrapping_add(register * register_len + row * row_len + line));
                }
            }
            let j = register * V::LANES;
            for c in 0..COUNT {
                for rotation in 0..rotations {
                    let shift = c * rotations + rotation;
                    let lane_power = lane_powers.add(shift * 2 * V::LANES);
                    let mut factor = Complex::<V>::load(lane_power, lane_power.add(V::LANES), 0)
                        .times(Complex::splat(twiddles.power(shifts[shift] * exponent)));
                    factor.re = factor.re.sub(one);
                    for row in 0..rows {
                        let from = digits.add((c * rows + row) * stride + j);
                        let to = scaled.add(((rotation * rows + row) * COUNT + c) * 2 * V::LANES);
                        Complex::load(from, from.add(points), 0).times(factor).store(to, to.add(V::LANES), 0);
                    }
                }
            }
            let key = key.add(register * register_len);
            // As many columns at a time as leave the sums in registers.
            let mut column = columns.start;
            while column < columns.end {
                let key = key.add(column * 2 * V::LANES);
                let to = digits.add((column - columns.start) * stride + j);
                match columns.end - column {
                    4.. if V::COLUMNS == 4 => {
                        multiply_columns::<V, COUNT, 4>(shape, key, scaled, to);
                        column += 4;
                    }
                    2.. => {
                        multiply_columns::<V, COUNT, 2>(shape, key, scaled, to);
                        column += 2;
                    }
                    _ => {
                        multiply_columns::<V, COUNT, 1>(shape, key, scaled, to);
                        column += 1;
                    }
                }
            }
        }
    }
}

/// [`multiply`] at one register of points, for `WIDTH` of the key's columns, from the one that `key` points at.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // the iterators of nested arrays are not always inlined
unsafe fn multiply_columns<V: Lanes, const COUNT: usize, const WIDTH: usize>(
    shape: &StepShape,
    key: *const f64,
    scaled: *const f64,
    to: *mut f64,
) {
    let (stride, rows, points) = (shape.stride(), shape.rows(), shape.size / 2);
    let columns = shape.polynomials();
    // SAFETY: the contract of `Lanes` is inherited; `multiply` has checked the lengths.
    unsafe {
        let zero = Complex { re: V::splat(0.0), im: V::splat(0.0) };
        let mut sums = [[zero; COUNT]; WIDTH];
        for row in 0..shape.rotations * rows {
            let mut d = [zero; COUNT];
            for c in 0..COUNT {
                let from = scaled.add((row * COUNT + c) * 2 * V::LANES);
                d[c] = Complex::load(from, from.add(V::LANES), 0);
            }
            for column in 0..WIDTH {
                let from = key.add((row * columns + column) * 2 * V::LANES);
                let k = Complex::load(from, from.add(V::LANES), 0);
                for c in 0..COUNT {
                    sums[column][c] = sums[column][c].add_product(d[c], k);
                }
            }
        }
        for column in 0..WIDTH {
            for c in 0..COUNT {
                let to = to.add((c * rows + column) * stride);
                sums[column][c].store(to, to.add(points), 0);
            }
        }
    }
}
