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
//! # Powers of X
//! Point i is w^(1 + 4 rev(i)), w = exp(i pi / N), rev reversing log2(M) bits. An index is the disjoint union of a
//! register's part and a lane's, and so is its reverse: X^e on a register of points is one power of w, the same in
//! every lane, times a register of powers of w that is the same everywhere.
//!
//! # Safety
//! Every function is generic over [`Lanes`] and inherits its contract; slices are checked where they come in.

#![allow(unsafe_code)] // docs/unsafe.md

use std::ops::Range;

use super::lanes::{Lanes, Square};
use super::{GROUP, Gadget, Step, StepShape, powers_of_root, split_twiddles};

/// `f64`s in a cache line.
const LINE: usize = 8;

/// The roots of one ring, laid out for L lanes.
pub(super) struct Twiddles {
    /// M: complex points.
    points: usize,
    /// Roots r_q of the heap nodes q < M / L, as (re, im); entry 0 is unused.
    nodes: Vec<(f64, f64)>,
    /// For the splits inside a register: for each square, stage and node of the stage, L real parts (one a lane), then
    /// L imaginary parts.
    squares: Vec<f64>,
    /// w^t for t < 2N.
    powers: Vec<(f64, f64)>,
    /// For each register of points, the exponent of w that all its lanes share.
    register_exponents: Vec<u32>,
    /// For each lane, the exponent of w that it adds.
    lane_exponents: Vec<u32>,
}

impl Twiddles {
    /// The tables for N = `size`.
    ///
    /// # Panics
    /// Unless N is a power of two whose M = N/2 points fill a square of registers: the kernels rely on it.
    pub(super) fn new(size: usize, lanes: usize) -> Self {
        let points = size / 2;
        assert!(size.is_power_of_two() && points >= lanes * lanes, "no transform of {size} in {lanes} lanes");
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
        let reversed = |index: usize| (index.reverse_bits() >> (usize::BITS - points.ilog2())) as u32;
        // Register c of square q holds in lane a what was point q L^2 + a L + c before the transposition.
        let register = |j: usize| 1 + 4 * reversed(j / lanes * lanes * lanes + j % lanes);
        Self {
            points,
            nodes: heap[..first].to_vec(),
            squares,
            powers: powers_of_root(2 * points),
            register_exponents: (0..first).map(register).collect(),
            lane_exponents: (0..lanes).map(|lane| 4 * reversed(lane * lanes)).collect(),
        }
    }

    /// N.
    pub(super) fn size(&self) -> usize {
        2 * self.points
    }

    /// r_q, in every lane.
    #[inline(always)]
    unsafe fn root<V: Lanes>(&self, node: usize) -> Complex<V> {
        debug_assert!(node < self.nodes.len());
        // SAFETY: the contract of `Lanes` is inherited; the splits between registers, which are the ones that ask,
        // are those of the M / L first nodes. (A checked index would keep their data in memory, for the panic.)
        unsafe { Complex::splat(*self.nodes.get_unchecked(node)) }
    }

    /// w^`exponent`.
    #[inline(always)]
    fn power(&self, exponent: u32) -> (f64, f64) {
        self.powers[exponent as usize & (self.powers.len() - 1)]
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

    /// This plus `x` times `y`.
    #[inline(always)]
    unsafe fn add_product(self, x: Self, y: Self) -> Self {
        // SAFETY: the contract of `Lanes` is inherited.
        unsafe {
            Self {
                re: x.im.neg_mul_add(y.im, x.re.mul_add(y.re, self.re)),
                im: x.im.mul_add(y.re, x.re.mul_add(y.im, self.im)),
            }
        }
    }

    /// The product with `other`.
    #[inline(always)]
    unsafe fn times(self, other: Self) -> Self {
        // SAFETY: the contract of `Lanes` is inherited.
        unsafe {
            Self {
                re: self.im.neg_mul_add(other.im, self.re.mul(other.re)),
                im: self.im.mul_add(other.re, self.re.mul(other.im)),
            }
        }
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

/// Where the first pass of a transform reads its M complex coefficients: coefficient j and i times coefficient j + M.
trait Source<V: Lanes> {
    /// The register that begins at coefficient `j`.
    unsafe fn load(&self, j: usize) -> Complex<V>;
}

/// Where the last pass of an inverse transform leaves its coefficients.
trait Sink<V: Lanes> {
    /// Takes the register that begins at coefficient `j`.
    unsafe fn store(&self, j: usize, x: Complex<V>);
}

/// Real and imaginary parts in two arrays.
#[derive(Clone, Copy)]
struct Parts {
    re: *mut f64,
    im: *mut f64,
}

impl<V: Lanes> Source<V> for Parts {
    #[inline(always)]
    unsafe fn load(&self, j: usize) -> Complex<V> {
        // SAFETY: the contract of `Lanes` is inherited; whoever made the parts gives room for every j in use.
        unsafe { Complex::load(self.re, self.im, j) }
    }
}

impl<V: Lanes> Sink<V> for Parts {
    #[inline(always)]
    unsafe fn store(&self, j: usize, x: Complex<V>) {
        // SAFETY: as in `load`.
        unsafe { x.store(self.re, self.im, j) }
    }
}

/// The one digit of each torus element of a polynomial, for a gadget of one level.
struct Digits {
    words: *const u64,
    points: usize,
    base_log: u32,
}

impl<V: Lanes> Source<V> for Digits {
    #[inline(always)]
    unsafe fn load(&self, j: usize) -> Complex<V> {
        // SAFETY: the contract of `Lanes` is inherited; there are 2 `points` words, and j + L <= `points`.
        unsafe {
            let digit = |at| V::int_to_real(V::round_to(V::int_load(self.words.add(at)), self.base_log));
            Complex { re: digit(j), im: digit(j + self.points) }
        }
    }
}

/// Adds to the torus elements of a polynomial, mod 1.
struct TorusSum {
    words: *mut u64,
    points: usize,
    /// The reals are multiples of 2^-`fraction_bits` of the torus.
    fraction_bits: u32,
}

impl<V: Lanes> Sink<V> for TorusSum {
    #[inline(always)]
    unsafe fn store(&self, j: usize, x: Complex<V>) {
        // SAFETY: the contract of `Lanes` is inherited; there are 2 `points` words, and j + L <= `points`.
        unsafe {
            for (at, x) in [(j, x.re), (j + self.points, x.im)] {
                let word = self.words.add(at);
                V::int_store(V::int_add(V::int_load(word), x.to_torus(self.fraction_bits)), word);
            }
        }
    }
}

/// Transforms `data` (N reals) in place to M complex points, real parts first.
#[inline(always)]
pub(super) unsafe fn forward<V: Lanes>(twiddles: &Twiddles, data: &mut [f64]) {
    assert_eq!(data.len(), twiddles.size());
    let re = data.as_mut_ptr();
    // SAFETY: the contract of `Lanes` is inherited; there are M words at `re` and M at `im` by the assertion.
    unsafe {
        let parts = Parts { re, im: re.add(twiddles.points) };
        forward_from::<V>(twiddles, &parts, parts);
    }
}

/// Transforms the N coefficients of `source` to M complex points in `data`.
#[inline(always)]
unsafe fn forward_from<V: Lanes>(twiddles: &Twiddles, source: &impl Source<V>, data: Parts) {
    // SAFETY: the contract of `Lanes` is inherited; the caller gives M words at both parts of `data`, which the blocks
    // tile, and a source of M complex coefficients.
    unsafe {
        let square = V::LANES * V::LANES;
        let mut block = twiddles.points;
        let mut node = 1;
        if block >= 4 * square {
            split_twice(twiddles, 1, source, data, block);
            block /= 4;
            node = 4;
        } else {
            for j in (0..block).step_by(V::LANES) {
                source.load(j).store(data.re, data.im, j);
            }
        }
        while block >= 4 * square {
            for b in 0..node {
                let block_data = Parts { re: data.re.add(b * block), im: data.im.add(b * block) };
                split_twice::<V>(twiddles, node + b, &block_data, block_data, block);
            }
            block /= 4;
            node *= 4;
        }
        if block == 2 * square {
            for b in 0..node {
                let root = twiddles.root(node + b);
                let (re, im) = (data.re.add(b * block), data.im.add(b * block));
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
            split_square::<V>(twiddles, b, data.re.add(b * square), data.im.add(b * square));
        }
    }
}

/// Undoes [`forward`], times M.
#[inline(always)]
pub(super) unsafe fn inverse<V: Lanes>(twiddles: &Twiddles, data: &mut [f64]) {
    assert_eq!(data.len(), twiddles.size());
    let re = data.as_mut_ptr();
    // SAFETY: as in `forward`.
    unsafe {
        let parts = Parts { re, im: re.add(twiddles.points) };
        inverse_to::<V>(twiddles, parts, &parts);
    }
}

/// Undoes [`forward`], times M, and gives the N coefficients to `sink`; `data` is overwritten.
#[inline(always)]
unsafe fn inverse_to<V: Lanes>(twiddles: &Twiddles, data: Parts, sink: &impl Sink<V>) {
    // SAFETY: as in `forward_from`.
    unsafe {
        let square = V::LANES * V::LANES;
        let mut node = twiddles.points / square;
        let mut block = square;
        for b in 0..node {
            join_square::<V>(twiddles, b, data.re.add(b * square), data.im.add(b * square));
        }
        if node.trailing_zeros() % 2 == 1 {
            block *= 2;
            node /= 2;
            for b in 0..node {
                let root = twiddles.root(node + b);
                let (re, im) = (data.re.add(b * block), data.im.add(b * block));
                for j in (0..square).step_by(V::LANES) {
                    let (low, high) =
                        Complex::<V>::join(Complex::load(re, im, j), Complex::load(re, im, j + square), root);
                    low.store(re, im, j);
                    high.store(re, im, j + square);
                }
            }
        }
        while node > 4 {
            block *= 4;
            node /= 4;
            for b in 0..node {
                let block_data = Parts { re: data.re.add(b * block), im: data.im.add(b * block) };
                join_twice::<V>(twiddles, node + b, block_data, &block_data, block);
            }
        }
        if node == 4 {
            join_twice(twiddles, 1, data, sink, twiddles.points);
        } else {
            for j in (0..twiddles.points).step_by(V::LANES) {
                sink.store(j, Complex::load(data.re, data.im, j));
            }
        }
    }
}

/// Two levels of splits of one block of `block` points, the radix-4 pass.
#[inline(always)]
unsafe fn split_twice<V: Lanes>(
    twiddles: &Twiddles,
    node: usize,
    from: &impl Source<V>,
    to: Parts,
    block: usize,
) {
    let quarter = block / 4;
    // SAFETY: the contract of `Lanes` is inherited; the caller gives `block` words at both parts and in the source.
    unsafe {
        let (root, left) = (twiddles.root(node), twiddles.root(2 * node));
        let right = left.times_i();
        for j in (0..quarter).step_by(V::LANES) {
            let (a, b) = (from.load(j), from.load(j + quarter));
            let (c, d) = (from.load(j + 2 * quarter), from.load(j + 3 * quarter));
            let ((a, c), (b, d)) = (Complex::split(a, c, root), Complex::split(b, d, root));
            let ((a, b), (c, d)) = (Complex::split(a, b, left), Complex::split(c, d, right));
            a.store(to.re, to.im, j);
            b.store(to.re, to.im, j + quarter);
            c.store(to.re, to.im, j + 2 * quarter);
            d.store(to.re, to.im, j + 3 * quarter);
        }
    }
}

/// Undoes [`split_twice`], times 4.
#[inline(always)]
unsafe fn join_twice<V: Lanes>(
    twiddles: &Twiddles,
    node: usize,
    from: Parts,
    to: &impl Sink<V>,
    block: usize,
) {
    let quarter = block / 4;
    // SAFETY: as in `split_twice`.
    unsafe {
        let (root, left) = (twiddles.root(node), twiddles.root(2 * node));
        let right = left.times_i();
        for j in (0..quarter).step_by(V::LANES) {
            let (a, b) = (from.load(j), from.load(j + quarter));
            let (c, d) = (from.load(j + 2 * quarter), from.load(j + 3 * quarter));
            let ((a, b), (c, d)) = (Complex::join(a, b, left), Complex::join(c, d, right));
            let ((a, c), (b, d)) = (Complex::join(a, c, root), Complex::join(b, d, root));
            to.store(j, a);
            to.store(j + quarter, b);
            to.store(j + 2 * quarter, c);
            to.store(j + 3 * quarter, d);
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
        let (mut x, mut y): (Square<V>, Square<V>) = ([zero; _], [zero; _]);
        for v in 0..lanes {
            x[v] = V::load(re.add(v * lanes));
            y[v] = V::load(im.add(v * lanes));
        }
        let mut node = twiddles.points / (lanes * lanes) + index;
        let mut half = lanes / 2;
        while half > 0 {
            for b in 0..lanes / (2 * half) {
                split_registers(&mut x, &mut y, 2 * half * b, half, twiddles.root(node + b));
            }
            half /= 2;
            node *= 2;
        }
        (x, y) = (V::transpose(x), V::transpose(y));
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
        let (mut x, mut y): (Square<V>, Square<V>) = ([zero; _], [zero; _]);
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
        (x, y) = (V::transpose(x), V::transpose(y));
        let first = twiddles.points / (lanes * lanes) + index;
        let mut half = 1;
        while half < lanes {
            let nodes = lanes / (2 * half);
            for b in 0..nodes {
                let root = twiddles.root(first * nodes + b);
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
unsafe fn split_registers<V: Lanes>(
    x: &mut Square<V>,
    y: &mut Square<V>,
    from: usize,
    half: usize,
    root: Complex<V>,
) {
    for v in from..from + half {
        let (a, b) = (Complex { re: x[v], im: y[v] }, Complex { re: x[v + half], im: y[v + half] });
        // SAFETY: the contract of `Lanes` is inherited.
        let (low, high) = unsafe { Complex::split(a, b, root) };
        (x[v], y[v], x[v + half], y[v + half]) = (low.re, low.im, high.re, high.im);
    }
}

/// Undoes [`split_registers`], times 2.
#[inline(always)]
unsafe fn join_registers<V: Lanes>(
    x: &mut Square<V>,
    y: &mut Square<V>,
    from: usize,
    half: usize,
    root: Complex<V>,
) {
    for v in from..from + half {
        let (a, b) = (Complex { re: x[v], im: y[v] }, Complex { re: x[v + half], im: y[v + half] });
        // SAFETY: the contract of `Lanes` is inherited.
        let (low, high) = unsafe { Complex::join(a, b, root) };
        (x[v], y[v], x[v + half], y[v + half]) = (low.re, low.im, high.re, high.im);
    }
}

/// sum += x y, point by point.
#[inline(always)]
pub(super) unsafe fn multiply_add<V: Lanes>(twiddles: &Twiddles, sum: &mut [f64], x: &[f64], y: &[f64]) {
    let (size, points) = (twiddles.size(), twiddles.points);
    assert!(sum.len() == size && x.len() == size && y.len() == size);
    let (sum_re, x_re, y_re) = (sum.as_mut_ptr(), x.as_ptr(), y.as_ptr());
    // SAFETY: the contract of `Lanes` is inherited; there are M real and M imaginary parts by the assertion.
    unsafe {
        let (sum_im, x_im, y_im) = (sum_re.add(points), x_re.add(points), y_re.add(points));
        for j in (0..points).step_by(V::LANES) {
            let (x, y) = (Complex::<V>::load(x_re, x_im, j), Complex::load(y_re, y_im, j));
            Complex::load(sum_re, sum_im, j).add_product(x, y).store(sum_re, sum_im, j);
        }
    }
}

/// The fused step that [`Transform::rotate_and_add`](super::Transform::rotate_and_add) documents.
#[inline(always)]
pub(super) unsafe fn rotate_and_add<V: Lanes>(
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

/// What [`Transform::transform_digits`](super::Transform::transform_digits) documents.
#[inline(always)]
pub(super) unsafe fn transform_digits<V: Lanes>(
    twiddles: &Twiddles,
    shape: &StepShape,
    polynomials: &[u64],
    digits: &mut [f64],
) {
    let (size, points, stride) = (twiddles.size(), twiddles.points, shape.stride());
    let levels = shape.gadget.levels as usize;
    assert!(shape.size == size && polynomials.len() * levels * stride == digits.len() * size);
    for (polynomial, digits) in polynomials.chunks_exact(size).zip(digits.chunks_exact_mut(levels * stride)) {
        // SAFETY: the contract of `Lanes` is inherited; the polynomial and each level of digits have N words.
        unsafe {
            if levels == 1 {
                let re = digits.as_mut_ptr();
                let source = Digits { words: polynomial.as_ptr(), points, base_log: shape.gadget.base_log };
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

/// What [`Transform::multiply_and_add`](super::Transform::multiply_and_add) documents.
#[inline(always)]
pub(super) unsafe fn multiply_and_add<V: Lanes>(
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
pub(super) fn arrange_key(lanes: usize, fraction_bits: u32, size: usize, key: &mut [f64]) {
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

/// [`Gadget::digits`] of a polynomial, level by level (`stride` apart), as real numbers.
#[inline(always)]
pub(super) unsafe fn decompose<V: Lanes>(
    gadget: Gadget,
    polynomial: &[u64],
    digits: &mut [f64],
    stride: usize,
) {
    let (base_log, levels) = (gadget.base_log, gadget.levels);
    let bits = base_log * levels;
    let size = polynomial.len();
    assert!(
        levels >= 1 && size.is_multiple_of(V::LANES) && digits.len() >= (levels as usize - 1) * stride + size
    );
    // SAFETY: the contract of `Lanes` is inherited; the assertion bounds all offsets.
    unsafe {
        for j in (0..size).step_by(V::LANES) {
            let to = digits.as_mut_ptr().add(j);
            let rounded = V::round_to(V::int_load(polynomial.as_ptr().add(j)), bits);
            // Shifts are logical, so an offset of 2^bits carries the sign.
            let mut state = V::int_add(rounded, V::int_splat(1 << bits));
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
}
