//! Where the first pass of a transform reads, and where the last pass of its inverse leaves its results.
//!
//! Digits are taken from torus elements as they are loaded, and products are added to torus elements as they are
//! stored: neither makes a pass over memory of its own.
//!
//! # Safety
//! Every function is generic over [`Lanes`] and inherits its contract; slices are checked where they come in.

#![allow(unsafe_code)] // docs/unsafe.md

use super::complex::Complex;
use super::lanes::Lanes;

/// Where the first pass of a transform reads its M complex coefficients: coefficient j and i times coefficient j + M.
pub(in crate::backend) trait Source<V: Lanes> {
    /// The register that begins at coefficient `j`.
    unsafe fn load(&self, j: usize) -> Complex<V>;
}

/// Where the last pass of an inverse transform leaves its coefficients.
pub(in crate::backend) trait Sink<V: Lanes> {
    /// Takes the register that begins at coefficient `j`.
    unsafe fn store(&self, j: usize, x: Complex<V>);
}

/// Real and imaginary parts in two arrays.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Parts {
    pub(in crate::backend) re: *mut f64,
    pub(in crate::backend) im: *mut f64,
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
pub(in crate::backend) struct Digits {
    pub(in crate::backend) words: *const u64,
    pub(in crate::backend) points: usize,
    pub(in crate::backend) base_log: u32,
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
pub(in crate::backend) struct TorusSum {
    pub(in crate::backend) words: *mut u64,
    pub(in crate::backend) points: usize,
    /// The reals are multiples of 2^-`fraction_bits` of the torus.
    pub(in crate::backend) fraction_bits: u32,
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
