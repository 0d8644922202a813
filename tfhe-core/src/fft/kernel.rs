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
use super::{GROUP, Gadget, RotateStep, split_twiddles};

/// Largest vector length of any backend.
const MAX_LANES: usize = 8;

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

    /// N.
    pub(super) fn size(&self) -> usize {
        2 * self.points
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
    step.check(twiddles.size(), accumulators, shifts, scratch);
    let accumulator_len = step.accumulator_len();
    let pairs = shifts.len() / GROUP;
    let (paired, single) = accumulators.split_at_mut(pairs * GROUP * accumulator_len);
    // SAFETY: the contract of `Lanes` is inherited; `RotateStep::check` has found the lengths right.
    unsafe {
        for (accumulators, shifts) in
            paired.chunks_exact_mut(GROUP * accumulator_len).zip(shifts.chunks_exact(GROUP))
        {
            rotate_group::<V, GROUP>(twiddles, step, accumulators, shifts, scratch);
        }
        if !single.is_empty() {
            rotate_group::<V, 1>(twiddles, step, single, &shifts[pairs * GROUP..], scratch);
        }
    }
}

/// The step for `COUNT` accumulators, whose digits stay in the first-level cache.
#[inline(always)]
unsafe fn rotate_group<V: Lanes, const COUNT: usize>(
    twiddles: &Twiddles,
    step: &RotateStep<'_>,
    accumulators: &mut [u64],
    shifts: &[u32],
    scratch: &mut [f64],
) {
    let size = twiddles.size();
    let stride = step.stride();
    let rows = step.rows();
    let polynomials = step.polynomials();
    for (c, &shift) in shifts.iter().enumerate() {
        for p in 0..polynomials {
            let source = &accumulators[(c * polynomials + p) * size..][..size];
            let first = (c * rows + p * step.gadget.levels as usize) * stride;
            // SAFETY: the contract of `Lanes` is inherited.
            unsafe { decompose_rotation::<V>(step.gadget, source, shift, &mut scratch[first..], stride) };
        }
        for row in 0..rows {
            // SAFETY: the contract of `Lanes` is inherited.
            unsafe { forward::<V>(twiddles, &mut scratch[(c * rows + row) * stride..][..size]) };
        }
    }
    // SAFETY: the contract of `Lanes` is inherited.
    unsafe {
        match polynomials {
            2 => multiply::<V, COUNT, 2>(step, scratch),
            3 => multiply::<V, COUNT, 3>(step, scratch),
            4 => multiply::<V, COUNT, 4>(step, scratch),
            _ => unreachable!("invariant: `RotateStep::check` allows no other dimension"),
        }
    }
    for c in 0..COUNT {
        for column in 0..polynomials {
            let product = &mut scratch[(c * rows + column) * stride..][..size];
            let target = &mut accumulators[(c * polynomials + column) * size..][..size];
            // SAFETY: the contract of `Lanes` is inherited.
            unsafe {
                inverse::<V>(twiddles, product);
                add_to_torus::<V>(product, target);
            }
        }
    }
}

/// target += the reals of `product`, mod 1.
#[inline(always)]
unsafe fn add_to_torus<V: Lanes>(product: &[f64], target: &mut [u64]) {
    assert_eq!(product.len(), target.len());
    let (from, to) = (product.as_ptr(), target.as_mut_ptr());
    for j in (0..product.len()).step_by(V::LANES) {
        // SAFETY: the contract of `Lanes` is inherited; both have as many words, a multiple of L.
        unsafe {
            let sum = V::int_add(V::int_load(to.add(j)), V::load(from.add(j)).to_torus());
            V::int_store(sum, to.add(j));
        }
    }
}

/// Puts a key sample's polynomials, of `size` words each, in the order in which [`multiply`] reads them: at each register
/// of points all rows and columns, real and imaginary parts, so that a step reads its key in one stream.
pub(super) fn arrange_key(lanes: usize, size: usize, key: &mut [f64]) {
    let points = size / 2;
    let mut stream = Vec::with_capacity(key.len());
    for j in (0..points).step_by(lanes) {
        for polynomial in key.chunks_exact(size) {
            stream.extend_from_slice(&polynomial[j..j + lanes]);
            stream.extend_from_slice(&polynomial[points + j..points + j + lanes]);
        }
    }
    key.copy_from_slice(&stream);
}

/// (digits of each ciphertext) x (key matrix) at every point, in place: the products take the place of the first
/// `COLUMNS` rows of digits.
#[inline(always)]
unsafe fn multiply<V: Lanes, const COUNT: usize, const COLUMNS: usize>(
    step: &RotateStep<'_>,
    digits: &mut [f64],
) {
    let (size, stride, rows) = (step.size, step.stride(), step.rows());
    let points = size / 2;
    assert!(
        rows >= COLUMNS && step.key.len() == rows * COLUMNS * size && digits.len() >= COUNT * rows * stride
    );
    let (key, digits) = (step.key.as_ptr(), digits.as_mut_ptr());
    // SAFETY: the contract of `Lanes` is inherited; the assertion bounds all offsets.
    unsafe {
        let zero = Complex { re: V::splat(0.0), im: V::splat(0.0) };
        for j in (0..points).step_by(V::LANES) {
            let mut products = [[zero; COUNT]; COLUMNS];
            // As many columns at a time as leave the sums in registers.
            let mut from = 0;
            while from < COLUMNS {
                let to = COLUMNS.min(from + V::COLUMNS);
                let mut sums = [[zero; COUNT]; COLUMNS];
                for row in 0..rows {
                    let d: [Complex<V>; COUNT] = core::array::from_fn(|c| {
                        let d = digits.add((c * rows + row) * stride + j);
                        Complex::load(d, d.add(points), 0)
                    });
                    for (column, sums) in sums.iter_mut().enumerate().take(to).skip(from) {
                        let k = key.add(((j / V::LANES * rows + row) * COLUMNS + column) * 2 * V::LANES);
                        let k = Complex::<V>::load(k, k.add(V::LANES), 0);
                        for (sum, d) in sums.iter_mut().zip(d) {
                            sum.re = d.im.neg_mul_add(k.im, d.re.mul_add(k.re, sum.re));
                            sum.im = d.im.mul_add(k.re, d.re.mul_add(k.im, sum.im));
                        }
                    }
                }
                products[from..to].copy_from_slice(&sums[from..to]);
                from = to;
            }
            for (column, products) in products.iter().enumerate() {
                for (c, product) in products.iter().enumerate() {
                    let to = digits.add((c * rows + column) * stride + j);
                    product.store(to, to.add(points), 0);
                }
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
    assert!(size.is_multiple_of(V::LANES) && digits.len() >= (gadget.levels as usize - 1) * stride + size);
    let (from, flip) = (shift as usize % size, shift as usize >= size);
    // X^shift p has coefficient j equal to p[j - from], negated where it wrapped round, and all negated by `flip`.
    // The register in which the wrapping ends is apart.
    let (low, high) = (from - from % V::LANES, from.next_multiple_of(V::LANES));
    let (wrapped, plain) = if flip { (Sign::Plus, Sign::Minus) } else { (Sign::Minus, Sign::Plus) };
    let mut straddling = [0u64; MAX_LANES];
    for (lane, x) in straddling[..high - low].iter_mut().enumerate() {
        let at = low + lane;
        let (value, sign) =
            if at < from { (source[size + at - from], wrapped) } else { (source[at - from], plain) };
        *x = if sign == Sign::Plus { value } else { value.wrapping_neg() };
    }
    let (source, to) = (source.as_ptr(), digits.as_mut_ptr());
    // SAFETY: the contract of `Lanes` is inherited. The three ranges tile the polynomial by whole registers; rotated
    // loads end at `size` (first range) and at `size - from` (last range), and the digits have room by the assertion.
    unsafe {
        difference_digits::<V>(gadget, wrapped, source.add(size - from), source, to, low, stride);
        let straddled = straddling.as_ptr();
        difference_digits::<V>(
            gadget,
            Sign::Plus,
            straddled,
            source.add(low),
            to.add(low),
            high - low,
            stride,
        );
        let rest = size - high;
        difference_digits::<V>(
            gadget,
            plain,
            source.add(high - from),
            source.add(high),
            to.add(high),
            rest,
            stride,
        );
    }
}

/// The sign of a run of rotated coefficients.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

/// The digits of `count` differences +-`rotated` - `source`, a multiple of L.
#[inline(always)]
unsafe fn difference_digits<V: Lanes>(
    gadget: Gadget,
    sign: Sign,
    rotated: *const u64,
    source: *const u64,
    to: *mut f64,
    count: usize,
    stride: usize,
) {
    // SAFETY: the contract of `Lanes` is inherited; the caller gives `count` words at each pointer and level.
    unsafe {
        match sign {
            Sign::Plus => {
                for j in (0..count).step_by(V::LANES) {
                    let difference = V::int_sub(V::int_load(rotated.add(j)), V::int_load(source.add(j)));
                    store_digits::<V>(gadget, difference, to.add(j), stride);
                }
            }
            Sign::Minus => {
                // -(x + y), less 2^-64: the complement.
                let ones = V::int_splat(u64::MAX);
                for j in (0..count).step_by(V::LANES) {
                    let sum = V::int_add(V::int_load(rotated.add(j)), V::int_load(source.add(j)));
                    store_digits::<V>(gadget, V::int_xor(sum, ones), to.add(j), stride);
                }
            }
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
        let rounded = V::round_to(x, bits);
        if levels == 1 {
            return V::int_to_real(rounded).store(to);
        }
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
