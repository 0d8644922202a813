//! The transform and its inverse, once for every instruction set.
//!
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
//!
//! # Safety
//! Every function is generic over [`Lanes`] and inherits its contract; slices are checked where they come in.

#![allow(unsafe_code)] // docs/unsafe.md

use super::complex::Complex;
use super::lanes::{Lanes, Square};
use super::streams::{Parts, Sink, Source};
use super::twiddles::Twiddles;

/// Transforms `data` (N reals) in place to M complex points, real parts first.
#[inline(always)]
pub(in crate::backend) unsafe fn forward<V: Lanes>(twiddles: &Twiddles, data: &mut [f64]) {
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
pub(in crate::backend) unsafe fn forward_from<V: Lanes>(
    twiddles: &Twiddles,
    source: &impl Source<V>,
    data: Parts,
) {
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
pub(in crate::backend) unsafe fn inverse<V: Lanes>(twiddles: &Twiddles, data: &mut [f64]) {
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
pub(in crate::backend) unsafe fn inverse_to<V: Lanes>(twiddles: &Twiddles, data: Parts, sink: &impl Sink<V>) {
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
pub(in crate::backend) unsafe fn multiply_add<V: Lanes>(
    twiddles: &Twiddles,
    sum: &mut [f64],
    x: &[f64],
    y: &[f64],
) {
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
