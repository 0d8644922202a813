//! The roots that a transform multiplies by, laid out for the registers that multiply.
//!
//! # Powers of X
//! Point i is w^(1 + 4 rev(i)), w = exp(i pi / N), rev reversing log2(M) bits. An index is the disjoint union of a
//! register's part and a lane's, and so is its reverse: X^e on a register of points is one power of w, the same in
//! every lane, times a register of powers of w that is the same everywhere.
//!
//! # Safety
//! Every function is generic over [`Lanes`] and inherits its contract; slices are checked where they come in.

#![allow(unsafe_code)] // docs/unsafe.md

use super::complex::Complex;
use super::lanes::Lanes;
use crate::backend::roots::{powers_of_root, split_twiddles};

/// The roots of one ring, laid out for L lanes.
pub(in crate::backend) struct Twiddles {
    /// M: complex points.
    pub(super) points: usize,
    /// Roots r_q of the heap nodes q < M / L, as (re, im); entry 0 is unused.
    nodes: Vec<(f64, f64)>,
    /// For the splits inside a register: for each square, stage and node of the stage, L real parts (one a lane), then
    /// L imaginary parts.
    pub(super) squares: Vec<f64>,
    /// w^t for t < 2N.
    powers: Vec<(f64, f64)>,
    /// For each register of points, the exponent of w that all its lanes share.
    pub(super) register_exponents: Vec<u32>,
    /// For each lane, the exponent of w that it adds.
    pub(super) lane_exponents: Vec<u32>,
}

impl Twiddles {
    /// The tables for N = `size`.
    ///
    /// # Panics
    /// Unless N is a power of two whose M = N/2 points fill a square of registers: the kernels rely on it.
    pub(in crate::backend) fn new(size: usize, lanes: usize) -> Self {
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
    pub(in crate::backend) fn size(&self) -> usize {
        2 * self.points
    }

    /// r_q, in every lane.
    #[inline(always)]
    pub(super) unsafe fn root<V: Lanes>(&self, node: usize) -> Complex<V> {
        debug_assert!(node < self.nodes.len());
        // SAFETY: the contract of `Lanes` is inherited; the splits between registers, which are the ones that ask,
        // are those of the M / L first nodes. (A checked index would keep their data in memory, for the panic.)
        unsafe { Complex::splat(*self.nodes.get_unchecked(node)) }
    }

    /// w^`exponent`.
    #[inline(always)]
    pub(super) fn power(&self, exponent: u32) -> (f64, f64) {
        self.powers[exponent as usize & (self.powers.len() - 1)]
    }
}
