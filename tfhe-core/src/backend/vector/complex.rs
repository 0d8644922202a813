//! A register of complex numbers: real and imaginary parts in a register each.
//!
//! # Safety
//! Every function is generic over [`Lanes`] and inherits its contract; slices are checked where they come in.

#![allow(unsafe_code)] // docs/unsafe.md

use super::lanes::Lanes;

/// A complex register.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Complex<V> {
    pub(in crate::backend) re: V,
    pub(in crate::backend) im: V,
}

impl<V: Lanes> Complex<V> {
    #[inline(always)]
    pub(in crate::backend) unsafe fn load(re: *const f64, im: *const f64, at: usize) -> Self {
        // SAFETY: the contract of `Lanes` is inherited; the caller gives L words at `re + at` and `im + at`.
        unsafe { Self { re: V::load(re.add(at)), im: V::load(im.add(at)) } }
    }

    #[inline(always)]
    pub(in crate::backend) unsafe fn store(self, re: *mut f64, im: *mut f64, at: usize) {
        // SAFETY: the contract of `Lanes` is inherited; the caller gives L words at `re + at` and `im + at`.
        unsafe {
            self.re.store(re.add(at));
            self.im.store(im.add(at));
        }
    }

    #[inline(always)]
    pub(in crate::backend) unsafe fn splat((re, im): (f64, f64)) -> Self {
        // SAFETY: the contract of `Lanes` is inherited.
        unsafe { Self { re: V::splat(re), im: V::splat(im) } }
    }

    /// This plus `x` times `y`.
    #[inline(always)]
    pub(in crate::backend) unsafe fn add_product(self, x: Self, y: Self) -> Self {
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
    pub(in crate::backend) unsafe fn times(self, other: Self) -> Self {
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
    pub(in crate::backend) unsafe fn times_i(self) -> Self {
        // SAFETY: the contract of `Lanes` is inherited.
        unsafe { Self { re: V::splat(0.0).sub(self.im), im: self.re } }
    }

    /// (a, b) -> (a + r b, a - r b).
    #[inline(always)]
    pub(in crate::backend) unsafe fn split(a: Self, b: Self, r: Self) -> (Self, Self) {
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
    pub(in crate::backend) unsafe fn join(u: Self, v: Self, r: Self) -> (Self, Self) {
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
