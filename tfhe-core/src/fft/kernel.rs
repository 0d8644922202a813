//! The vector kernels, once for every instruction set: transform, multiply-accumulate, and the fused blind-rotation
//! step.
//!
//! # The transform
//! A polynomial P of R[X]/(X^N+1) is read as the complex polynomial of degree < M = N/2 whose coefficient j is
//! P_j + i P_{j+M}: that is P in C[X]/(X^M - i), and since the real and imaginary parts stay in separate arrays, the
//! coefficients already lie in the right order. A block C[X]/(X^m - z) splits by the root r = sqrt(z):
//!
//! ```text
//! A + X^{m/2} B   ->   A + r B  mod (X^{m/2} - r),     A - r B  mod (X^{m/2} + r)
//! ```
//!
//! down to m = 1, so there is no separate twist, no bit reversal, and a butterfly is six fused multiply-adds. The
//! roots form a binary heap: node 1 has z = i, node q has the children 2q (z = r_q) and 2q+1 (z = -r_q); an entry of
//! the table is r_q. The last log2(L) splits, L the number of lanes, act inside a register: squares of L registers
//! are transposed before them and never transposed back, for the order of the points is the backend's own business.
//! The inverse undoes the same splits in reverse, up to the factor M. (Bernstein, "Multidigit multiplication for
//! mathematicians", 2001, section on twisted and untwisted splits.)
//!
//! # Safety
//! Every function is generic over [`Lanes`] and inherits its contract; slices are checked where they come in.

use super::lanes::Lanes;
use super::{Gadget, RotateStep, split_twiddles};

/// Largest vector length of any backend.
const MAX_LANES: usize = 8;
/// Largest group of ciphertexts that share the load of a key row.
const MAX_GROUP: usize = 4;

/// The roots of one ring, laid out for L lanes.
pub(super) struct Twiddles {
    /// M: complex points.
    points: usize,
    /// Roots r_q of the heap nodes q < M / L, as (re, im); entry 0 is unused.
    nodes: Vec<(f64, f64)>,
    /// For the splits inside a register: for each square, stage and node of the stage, L real parts (one a lane), then
    /// L imaginary parts.
    squares: Vec<f64>,
}

impl Twiddles {
    pub(super) fn new(size: usize, lanes: usize) -> Self {
        let points = size / 2;
        let heap = split_twiddles(points);
        let mut squares = Vec::new();
        let first = points / lanes; // first node whose block is one register
        for square in 0..points / (lanes * lanes) {
            let mut nodes = 1;
            while nodes < lanes {
                for node in 0..nodes {
                    let of_lane = |lane| heap[nodes * (first + square * lanes + lane) + node];
                    squares.extend((0..lanes).map(|lane| of_lane(lane).0));
                    squares.extend((0..lanes).map(|lane| of_lane(lane).1));
                }
                nodes *= 2;
            }
        }
        Self { points, nodes: heap[..first].to_vec(), squares }
    }
}

/// A complex register.
#[derive(Clone, Copy)]
struct Complex<V> {
    re: V,
    im: V,
}

impl<V: Lanes> Complex<V> {
    #[inline(always)]
    unsafe fn load(re: *const f64, im: *const f64, at: usize) -> Self {
        // SAFETY: the contract of `Lanes` is inherited; the caller gives L words at `re + at` and `im + at`.
        unsafe { Self { re: V::load(re.add(at)), im: V::load(im.add(at)) } }
    }

    #[inline(always)]
    unsafe fn store(self, re: *mut f64, im: *mut f64, at: usize) {
        // SAFETY: the contract of `Lanes` is inherited; the caller gives L words at `re + at` and `im + at`.
        unsafe {
            self.re.store(re.add(at));
            self.im.store(im.add(at));
        }
    }

    #[inline(always)]
    unsafe fn splat((re, im): (f64, f64)) -> Self {
        // SAFETY: the contract of `Lanes` is inherited.
        unsafe { Self { re: V::splat(re), im: V::splat(im) } }
    }

    /// i times this.
    #[inline(always)]
    unsafe fn times_i(self) -> Self {
        // SAFETY: the contract of `Lanes` is inherited.
        unsafe { Self { re: V::splat(0.0).sub(self.im), im: self.re } }
    }

    /// (a, b) -> (a + r b, a - r b).
    #[inline(always)]
    unsafe fn split(a: Self, b: Self, r: Self) -> (Self, Self) {
        // SAFETY: the contract of `Lanes` is inherited.
        unsafe {
            let re = b.im.neg_mul_add(r.im, b.re.mul_add(r.re, a.re));
            let im = b.im.mul_add(r.re, b.re.mul_add(r.im, a.im));
            let two = V::splat(2.0);
            (Self { re, im }, Self { re: a.re.mul_sub(two, re), im: a.im.mul_sub(two, im) })
        }
    }

    /// (u, v) -> (u + v, (u - v) / r), for |r| = 1: twice the inverse of [`split`](Self::split).
    #[inline(always)]
    unsafe fn join(u: Self, v: Self, r: Self) -> (Self, Self) {
        // SAFETY: the contract of `Lanes` is inherited.
        unsafe {
            let (re, im) = (u.re.sub(v.re), u.im.sub(v.im));
            (
                Self { re: u.re.add(v.re), im: u.im.add(v.im) },
                Self { re: re.mul_add(r.re, im.mul(r.im)), im: im.mul_sub(r.re, re.mul(r.im)) },
            )
        }
    }
}

/// Transforms `data` (N reals) in place to M complex points, real parts first.
#[inline(always)]
pub(super) unsafe fn forward<V: Lanes>(twiddles: &Twiddles, data: &mut [f64]) {
    let points = twiddles.points;
    assert_eq!(data.len(), 2 * points);
    let re = data.as_mut_ptr();
    // SAFETY: the contract of `Lanes` is inherited; the blocks tile the `points` words at `re` and the `points` at `im`,
    // which the assertion above says are there.
    unsafe {
        let im = re.add(points);
        let square = V::LANES * V::LANES;
        let mut block = points;
        let mut node = 1;
        while block >= 4 * square {
            for b in 0..node {
                split_twice::<V>(&twiddles.nodes, node + b, re.add(b * block), im.add(b * block), block);
            }
            block /= 4;
            node *= 4;
        }
        if block == 2 * square {
            for b in 0..node {
                let root = Complex::splat(twiddles.nodes[node + b]);
                let (re, im) = (re.add(b * block), im.add(b * block));
                for j in (0..square).step_by(V::LANES) {
                    let (low, high) = Complex::<V>::split(
                        Complex::load(re, im, j),
                        Complex::load(re, im, j + square),
                        root,
                    );
                    low.store(re, im, j);
                    high.store(re, im, j + square);
                }
            }
            node *= 2;
        }
        for b in 0..node {
            split_square::<V>(twiddles, b, re.add(b * square), im.add(b * square));
        }
    }
}

/// Undoes [`forward`], times M.
#[inline(always)]
pub(super) unsafe fn inverse<V: Lanes>(twiddles: &Twiddles, data: &mut [f64]) {
    let points = twiddles.points;
    assert_eq!(data.len(), 2 * points);
    let re = data.as_mut_ptr();
    // SAFETY: as in `forward`.
    unsafe {
        let im = re.add(points);
        let square = V::LANES * V::LANES;
        let mut node = points / square;
        let mut block = square;
        for b in 0..node {
            join_square::<V>(twiddles, b, re.add(b * square), im.add(b * square));
        }
        if node.trailing_zeros() % 2 == 1 {
            block *= 2;
            node /= 2;
            for b in 0..node {
                let root = Complex::splat(twiddles.nodes[node + b]);
                let (re, im) = (re.add(b * block), im.add(b * block));
                for j in (0..square).step_by(V::LANES) {
                    let (low, high) =
                        Complex::<V>::join(Complex::load(re, im, j), Complex::load(re, im, j + square), root);
                    low.store(re, im, j);
                    high.store(re, im, j + square);
                }
            }
        }
        while node > 1 {
            block *= 4;
            node /= 4;
            for b in 0..node {
                join_twice::<V>(&twiddles.nodes, node + b, re.add(b * block), im.add(b * block), block);
            }
        }
    }
}

/// Two levels of splits of one block of `block` points, the radix-4 pass.
#[inline(always)]
unsafe fn split_twice<V: Lanes>(nodes: &[(f64, f64)], node: usize, re: *mut f64, im: *mut f64, block: usize) {
    let quarter = block / 4;
    // SAFETY: the contract of `Lanes` is inherited; the caller gives `block` words at `re` and at `im`.
    unsafe {
        let root = Complex::splat(nodes[node]);
        let left = Complex::splat(nodes[2 * node]);
        let right = left.times_i();
        for j in (0..quarter).step_by(V::LANES) {
            let [a, b, c, d] = [0, 1, 2, 3].map(|q| Complex::<V>::load(re, im, j + q * quarter));
            let ((a, c), (b, d)) = (Complex::split(a, c, root), Complex::split(b, d, root));
            let ((a, b), (c, d)) = (Complex::split(a, b, left), Complex::split(c, d, right));
            a.store(re, im, j);
            b.store(re, im, j + quarter);
            c.store(re, im, j + 2 * quarter);
            d.store(re, im, j + 3 * quarter);
        }
    }
}

/// Undoes [`split_twice`], times 4.
#[inline(always)]
unsafe fn join_twice<V: Lanes>(nodes: &[(f64, f64)], node: usize, re: *mut f64, im: *mut f64, block: usize) {
    let quarter = block / 4;
    // SAFETY: as in `split_twice`.
    unsafe {
        let root = Complex::splat(nodes[node]);
        let left = Complex::splat(nodes[2 * node]);
        let right = left.times_i();
        for j in (0..quarter).step_by(V::LANES) {
            let [a, b, c, d] = [0, 1, 2, 3].map(|q| Complex::<V>::load(re, im, j + q * quarter));
            let ((a, b), (c, d)) = (Complex::join(a, b, left), Complex::join(c, d, right));
            let ((a, c), (b, d)) = (Complex::join(a, c, root), Complex::join(b, d, root));
            a.store(re, im, j);
            b.store(re, im, j + quarter);
            c.store(re, im, j + 2 * quarter);
            d.store(re, im, j + 3 * quarter);
        }
    }
}

/// The last 2 log2(L) splits, of block `index` of L x L points: all in registers.
#[inline(always)]
unsafe fn split_square<V: Lanes>(twiddles: &Twiddles, index: usize, re: *mut f64, im: *mut f64) {
    let lanes = V::LANES;
    // SAFETY: the contract of `Lanes` is inherited; the caller gives L x L words at `re` and at `im`, and the table
    // holds 2 L (L - 1) words for each of the points / L^2 squares.
    unsafe {
        let zero = V::splat(0.0);
        let (mut x, mut y) = ([zero; MAX_LANES], [zero; MAX_LANES]);
        for v in 0..lanes {
            x[v] = V::load(re.add(v * lanes));
            y[v] = V::load(im.add(v * lanes));
        }
        let mut node = twiddles.points / (lanes * lanes) + index;
        let mut half = lanes / 2;
        while half > 0 {
            for b in 0..lanes / (2 * half) {
                split_registers(&mut x, &mut y, 2 * half * b, half, Complex::splat(twiddles.nodes[node + b]));
            }
            half /= 2;
            node *= 2;
        }
        V::transpose(&mut x[..lanes]);
        V::transpose(&mut y[..lanes]);
        let mut table = twiddles.squares.as_ptr().add(index * 2 * lanes * (lanes - 1));
        let mut half = lanes / 2;
        while half > 0 {
            for b in 0..lanes / (2 * half) {
                split_registers(
                    &mut x,
                    &mut y,
                    2 * half * b,
                    half,
                    Complex::load(table, table.add(lanes), 0),
                );
                table = table.add(2 * lanes);
            }
            half /= 2;
        }
        for v in 0..lanes {
            x[v].store(re.add(v * lanes));
            y[v].store(im.add(v * lanes));
        }
    }
}

/// Undoes [`split_square`], times L^2.
#[inline(always)]
unsafe fn join_square<V: Lanes>(twiddles: &Twiddles, index: usize, re: *mut f64, im: *mut f64) {
    let lanes = V::LANES;
    // SAFETY: as in `split_square`.
    unsafe {
        let zero = V::splat(0.0);
        let (mut x, mut y) = ([zero; MAX_LANES], [zero; MAX_LANES]);
        for v in 0..lanes {
            x[v] = V::load(re.add(v * lanes));
            y[v] = V::load(im.add(v * lanes));
        }
        let squares = twiddles.squares.as_ptr().add(index * 2 * lanes * (lanes - 1));
        let mut half = 1;
        while half < lanes {
            let nodes = lanes / (2 * half);
            for b in 0..nodes {
                let table = squares.add(2 * lanes * (nodes - 1 + b));
                join_registers(&mut x, &mut y, 2 * half * b, half, Complex::load(table, table.add(lanes), 0));
            }
            half *= 2;
        }
        V::transpose(&mut x[..lanes]);
        V::transpose(&mut y[..lanes]);
        let first = twiddles.points / (lanes * lanes) + index;
        let mut half = 1;
        while half < lanes {
            let nodes = lanes / (2 * half);
            for b in 0..nodes {
                let root = Complex::splat(twiddles.nodes[first * nodes + b]);
                join_registers(&mut x, &mut y, 2 * half * b, half, root);
            }
            half *= 2;
        }
        for v in 0..lanes {
            x[v].store(re.add(v * lanes));
            y[v].store(im.add(v * lanes));
        }
    }
}

/// Splits the registers `from..from + 2 * half` of a square by one root.
#[inline(always)]
unsafe fn split_registers<V: Lanes>(x: &mut [V], y: &mut [V], from: usize, half: usize, root: Complex<V>) {
    for v in from..from + half {
        let (a, b) = (Complex { re: x[v], im: y[v] }, Complex { re: x[v + half], im: y[v + half] });
        // SAFETY: the contract of `Lanes` is inherited.
        let (low, high) = unsafe { Complex::split(a, b, root) };
        (x[v], y[v], x[v + half], y[v + half]) = (low.re, low.im, high.re, high.im);
    }
}

/// Undoes [`split_registers`], times 2.
#[inline(always)]
unsafe fn join_registers<V: Lanes>(x: &mut [V], y: &mut [V], from: usize, half: usize, root: Complex<V>) {
    for v in from..from + half {
        let (a, b) = (Complex { re: x[v], im: y[v] }, Complex { re: x[v + half], im: y[v + half] });
        // SAFETY: the contract of `Lanes` is inherited.
        let (low, high) = unsafe { Complex::join(a, b, root) };
        (x[v], y[v], x[v + half], y[v + half]) = (low.re, low.im, high.re, high.im);
    }
}

/// The fused step that [`Transform::rotate_and_add`](super::Transform::rotate_and_add) documents.
#[inline(always)]
pub(super) unsafe fn rotate_and_add<V: Lanes>(
    twiddles: &Twiddles,
    step: &RotateStep<'_>,
    accumulators: &mut [u64],
    shifts: &[u32],
    scratch: &mut [f64],
) {
    step.check(twiddles.points * 2, accumulators, shifts, scratch);
    for (accumulators, shifts) in
        accumulators.chunks_mut(V::GROUP * step.accumulator_len()).zip(shifts.chunks(V::GROUP))
    {
        // A group of known size keeps its sums in registers.
        // SAFETY: the contract of `Lanes` is inherited; `RotateStep::check` has found the lengths right.
        unsafe {
            match shifts.len() {
                4 => rotate_group::<V, 4>(twiddles, step, accumulators, shifts, scratch),
                3 => rotate_group::<V, 3>(twiddles, step, accumulators, shifts, scratch),
                2 => rotate_group::<V, 2>(twiddles, step, accumulators, shifts, scratch),
                _ => rotate_group::<V, 1>(twiddles, step, accumulators, shifts, scratch),
            }
        }
    }
}

#[inline(always)]
unsafe fn rotate_group<V: Lanes, const GROUP: usize>(
    twiddles: &Twiddles,
    step: &RotateStep<'_>,
    accumulators: &mut [u64],
    shifts: &[u32],
    scratch: &mut [f64],
) {
    const { assert!(GROUP <= MAX_GROUP) };
    let size = 2 * twiddles.points;
    let stride = step.stride();
    let rows = step.rows();
    let polynomials = step.polynomials();
    let (digits, products) = scratch.split_at_mut(GROUP * rows * stride);
    // SAFETY: the contract of `Lanes` is inherited; `target` and `product` have `size` words, a multiple of L.
    unsafe {
        for (c, &shift) in shifts.iter().enumerate() {
            for p in 0..polynomials {
                let source = &accumulators[(c * polynomials + p) * size..][..size];
                let first = (c * rows + p * step.gadget.levels as usize) * stride;
                decompose_rotation::<V>(step.gadget, source, shift, &mut digits[first..], stride);
            }
            for row in 0..rows {
                forward::<V>(twiddles, &mut digits[(c * rows + row) * stride..][..size]);
            }
        }
        for column in 0..polynomials {
            multiply_column::<V, GROUP>(step, column, digits, products);
            for c in 0..GROUP {
                let product = &mut products[c * stride..][..size];
                inverse::<V>(twiddles, product);
                let target = accumulators[(c * polynomials + column) * size..][..size].as_mut_ptr();
                for j in (0..size).step_by(V::LANES) {
                    let sum =
                        V::int_add(V::int_load(target.add(j)), V::load(product.as_ptr().add(j)).to_torus());
                    V::int_store(sum, target.add(j));
                }
            }
        }
    }
}

/// Column `column` of (digits of each ciphertext) x (key matrix), at every point.
#[inline(always)]
unsafe fn multiply_column<V: Lanes, const GROUP: usize>(
    step: &RotateStep<'_>,
    column: usize,
    digits: &[f64],
    products: &mut [f64],
) {
    let (size, stride, rows) = (step.size, step.stride(), step.rows());
    let points = size / 2;
    let row_len = step.polynomials() * size;
    let key = step.key[column * size..].as_ptr();
    assert!(digits.len() >= GROUP * rows * stride && products.len() >= GROUP * stride);
    // SAFETY: the contract of `Lanes` is inherited; the assertion and the slice of the key bound all offsets.
    unsafe {
        for j in (0..points).step_by(V::LANES) {
            let zero = V::splat(0.0);
            let mut sums = [Complex { re: zero, im: zero }; GROUP];
            for row in 0..rows {
                let k = key.add(row * row_len + j);
                let k = Complex::<V>::load(k, k.add(points), 0);
                for (c, sum) in sums.iter_mut().enumerate() {
                    let d = digits.as_ptr().add((c * rows + row) * stride + j);
                    let d = Complex::<V>::load(d, d.add(points), 0);
                    sum.re = d.im.neg_mul_add(k.im, d.re.mul_add(k.re, sum.re));
                    sum.im = d.im.mul_add(k.re, d.re.mul_add(k.im, sum.im));
                }
            }
            for (c, sum) in sums.iter().enumerate() {
                let to = products.as_mut_ptr().add(c * stride + j);
                sum.store(to, to.add(points), 0);
            }
        }
    }
}

/// The digits of (X^shift - 1) `source`, level by level (`stride` apart), as real numbers.
#[inline(always)]
unsafe fn decompose_rotation<V: Lanes>(
    gadget: Gadget,
    source: &[u64],
    shift: u32,
    digits: &mut [f64],
    stride: usize,
) {
    let size = source.len();
    assert!(digits.len() >= (gadget.levels as usize - 1) * stride + size);
    let (from, flip) = (shift as usize % size, shift as usize >= size);
    // X^shift p has coefficient j equal to p[j - from], negated where it wrapped round, and all negated by `flip`.
    let negate = |wrapped: bool| if wrapped != flip { u64::MAX } else { 0 };
    let to = digits.as_mut_ptr();
    // SAFETY: the contract of `Lanes` is inherited; a load at `at` or `j` ends within the `size` words of `source`
    // (the straddling case is apart), and the digits have room by the assertion.
    unsafe {
        for j in (0..size).step_by(V::LANES) {
            let wrapped = j < from;
            let (rotated, mask) = if wrapped && j + V::LANES > from {
                let mut straddling = [0u64; MAX_LANES];
                for (lane, x) in straddling[..V::LANES].iter_mut().enumerate() {
                    let at = j + lane;
                    let wrapped = at < from;
                    let value = source[if wrapped { size + at - from } else { at - from }];
                    *x = (value ^ negate(wrapped)).wrapping_sub(negate(wrapped));
                }
                (V::int_load(straddling.as_ptr()), V::int_splat(0))
            } else {
                let at = if wrapped { size + j - from } else { j - from };
                (V::int_load(source.as_ptr().add(at)), V::int_splat(negate(wrapped)))
            };
            let rotated = V::int_sub(V::int_xor(rotated, mask), mask);
            let difference = V::int_sub(rotated, V::int_load(source.as_ptr().add(j)));
            store_digits::<V>(gadget, difference, to.add(j), stride);
        }
    }
}

/// [`Gadget::digits`] on a register of torus elements.
#[inline(always)]
unsafe fn store_digits<V: Lanes>(gadget: Gadget, x: V::Int, to: *mut f64, stride: usize) {
    let (base_log, levels) = (gadget.base_log, gadget.levels);
    let bits = base_log * levels;
    // SAFETY: the contract of `Lanes` is inherited; the caller gives L words at `to` and at each stride of a level.
    unsafe {
        // Shifts are logical, so the sign is carried by an offset: 2^63 before, 2^bits after (see `Gadget::digits`).
        let unsigned = V::int_xor(x, V::int_splat(1 << 63));
        let halves = V::int_shr(unsigned, 63 - bits);
        let rounded = V::int_shr(V::int_add(halves, V::int_splat(1)), 1);
        let mut state = V::int_add(rounded, V::int_splat(1 << (bits - 1)));
        for level in (1..levels).rev() {
            let residue = V::int_and(state, V::int_splat((1 << base_log) - 1));
            state = V::int_shr(state, base_log);
            let upper = V::int_or(V::int_sub(residue, V::int_splat(1)), state);
            let carry = V::int_shr(V::int_and(upper, residue), base_log - 1);
            state = V::int_add(state, carry);
            let digit = V::int_sub(residue, V::int_shl(carry, base_log));
            V::int_to_real(digit).store(to.add(level as usize * stride));
        }
        V::int_to_real(V::int_sub(state, V::int_splat(1 << base_log))).store(to);
    }
}
