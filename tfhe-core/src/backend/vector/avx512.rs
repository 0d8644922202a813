//! AVX-512 (F and DQ): eight lanes and 32 registers. Contract: see [`lanes`](super::lanes).

#![allow(unsafe_code)] // docs/unsafe.md

use core::arch::x86_64::*;

use super::lanes::{Lanes, Square};

/// Eight `f64` in a `zmm` register.
#[derive(Clone, Copy)]
pub(super) struct F64x8(__m512d);

// SAFETY: the module's contract, AVX-512 F and DQ, is what every intrinsic here needs; loads and stores are the
// unaligned forms and touch exactly eight elements.
#[allow(clippy::undocumented_unsafe_blocks)]
unsafe impl Lanes for F64x8 {
    const LANES: usize = 8;
    const COLUMNS: usize = 4;
    type Int = __m512i;

    #[inline(always)]
    unsafe fn prefetch(from: *const f64) {
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
    }
    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        Self(unsafe { _mm512_set1_pd(x) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(unsafe { _mm512_loadu_pd(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        unsafe { _mm512_storeu_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_pd(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm512_sub_pd(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(unsafe { _mm512_mul_pd(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(unsafe { _mm512_fmadd_pd(self.0, factor.0, term.0) })
    }
    #[inline(always)]
    unsafe fn mul_sub(self, factor: Self, term: Self) -> Self {
        Self(unsafe { _mm512_fmsub_pd(self.0, factor.0, term.0) })
    }
    #[inline(always)]
    unsafe fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        Self(unsafe { _mm512_fnmadd_pd(self.0, factor.0, term.0) })
    }
    #[inline(always)]
    unsafe fn transpose(mut square: Square<Self>) -> Square<Self> {
        unsafe {
            // Pairs of lanes, then pairs of 128-bit blocks, then halves.
            let [a, b, c, d, e, f, g, h] = square;
            let pairs = [
                _mm512_unpacklo_pd(a.0, b.0),
                _mm512_unpackhi_pd(a.0, b.0),
                _mm512_unpacklo_pd(c.0, d.0),
                _mm512_unpackhi_pd(c.0, d.0),
                _mm512_unpacklo_pd(e.0, f.0),
                _mm512_unpackhi_pd(e.0, f.0),
                _mm512_unpacklo_pd(g.0, h.0),
                _mm512_unpackhi_pd(g.0, h.0),
            ];
            for odd in 0..2 {
                let [p, q, r, s] = [pairs[odd], pairs[2 + odd], pairs[4 + odd], pairs[6 + odd]];
                let pq_even = _mm512_shuffle_f64x2::<0b10_00_10_00>(p, q);
                let pq_odd = _mm512_shuffle_f64x2::<0b11_01_11_01>(p, q);
                let rs_even = _mm512_shuffle_f64x2::<0b10_00_10_00>(r, s);
                let rs_odd = _mm512_shuffle_f64x2::<0b11_01_11_01>(r, s);
                square[odd] = Self(_mm512_shuffle_f64x2::<0b10_00_10_00>(pq_even, rs_even));
                square[4 + odd] = Self(_mm512_shuffle_f64x2::<0b11_01_11_01>(pq_even, rs_even));
                square[2 + odd] = Self(_mm512_shuffle_f64x2::<0b10_00_10_00>(pq_odd, rs_odd));
                square[6 + odd] = Self(_mm512_shuffle_f64x2::<0b11_01_11_01>(pq_odd, rs_odd));
            }
            square
        }
    }
    /// As fine a unit as leaves the numbers in 64-bit integers.
    fn fraction_bits(magnitude_bits: u32) -> u32 {
        62_u32.saturating_sub(magnitude_bits)
    }
    #[inline(always)]
    unsafe fn to_torus(self, fraction_bits: u32) -> __m512i {
        unsafe { Self::int_shl(_mm512_cvtpd_epi64(self.0), 64 - fraction_bits) }
    }

    #[inline(always)]
    unsafe fn int_splat(x: u64) -> __m512i {
        unsafe { _mm512_set1_epi64(x as i64) }
    }
    #[inline(always)]
    unsafe fn int_load(from: *const u64) -> __m512i {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn int_store(x: __m512i, to: *mut u64) {
        unsafe { _mm512_storeu_si512(to.cast(), x) }
    }
    #[inline(always)]
    unsafe fn int_add(x: __m512i, y: __m512i) -> __m512i {
        unsafe { _mm512_add_epi64(x, y) }
    }
    #[inline(always)]
    unsafe fn int_sub(x: __m512i, y: __m512i) -> __m512i {
        unsafe { _mm512_sub_epi64(x, y) }
    }
    #[inline(always)]
    unsafe fn int_and(x: __m512i, y: __m512i) -> __m512i {
        unsafe { _mm512_and_si512(x, y) }
    }
    #[inline(always)]
    unsafe fn int_or(x: __m512i, y: __m512i) -> __m512i {
        unsafe { _mm512_or_si512(x, y) }
    }
    #[inline(always)]
    unsafe fn round_to(x: __m512i, bits: u32) -> __m512i {
        unsafe {
            let halves = _mm512_sra_epi64(x, _mm_cvtsi32_si128(63 - bits as i32));
            _mm512_srai_epi64::<1>(_mm512_add_epi64(halves, _mm512_set1_epi64(1)))
        }
    }
    #[inline(always)]
    unsafe fn int_shl(x: __m512i, count: u32) -> __m512i {
        unsafe { _mm512_sll_epi64(x, _mm_cvtsi32_si128(count as i32)) }
    }
    #[inline(always)]
    unsafe fn int_shr(x: __m512i, count: u32) -> __m512i {
        unsafe { _mm512_srl_epi64(x, _mm_cvtsi32_si128(count as i32)) }
    }
    #[inline(always)]
    unsafe fn int_to_real(x: __m512i) -> Self {
        Self(unsafe { _mm512_cvtepi64_pd(x) })
    }
}
