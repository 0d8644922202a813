//! AVX2 + FMA: four lanes, the instruction set of the paper's i7-6700. Contract: see [`lanes`](super::lanes).

#![allow(unsafe_code)] // docs/unsafe.md

use core::arch::x86_64::*;

use super::lanes::{Lanes, Square};

/// Four `f64` in a `ymm` register.
#[derive(Clone, Copy)]
pub(super) struct F64x4(__m256d);

/// 1.5 * 2^52: adding it leaves an integer |x| < 2^51 in the low bits of the mantissa.
const MAGIC: f64 = 6_755_399_441_055_744.0;
/// 2^51, and the shift that brings a 51-bit fraction to the top of 64 bits.
const FRACTION: f64 = 2_251_799_813_685_248.0;
const FRACTION_SHIFT: u32 = 13;

// SAFETY: the module's contract, AVX2 and FMA, is what every intrinsic here needs; loads and stores are the unaligned
// forms and touch exactly four elements.
#[allow(clippy::undocumented_unsafe_blocks)]
unsafe impl Lanes for F64x4 {
    const LANES: usize = 4;
    const COLUMNS: usize = 2;
    type Int = __m256i;

    #[inline(always)]
    unsafe fn prefetch(from: *const f64) {
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
    }
    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        Self(unsafe { _mm256_set1_pd(x) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(unsafe { _mm256_loadu_pd(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        unsafe { _mm256_storeu_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm256_add_pd(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm256_sub_pd(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(unsafe { _mm256_mul_pd(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(unsafe { _mm256_fmadd_pd(self.0, factor.0, term.0) })
    }
    #[inline(always)]
    unsafe fn mul_sub(self, factor: Self, term: Self) -> Self {
        Self(unsafe { _mm256_fmsub_pd(self.0, factor.0, term.0) })
    }
    #[inline(always)]
    unsafe fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        Self(unsafe { _mm256_fnmadd_pd(self.0, factor.0, term.0) })
    }
    #[inline(always)]
    unsafe fn transpose(mut square: Square<Self>) -> Square<Self> {
        unsafe {
            let [a, b, c, d] = [square[0].0, square[1].0, square[2].0, square[3].0];
            let (ab_even, ab_odd) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
            let (cd_even, cd_odd) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
            square[0] = Self(_mm256_permute2f128_pd::<0x20>(ab_even, cd_even));
            square[1] = Self(_mm256_permute2f128_pd::<0x20>(ab_odd, cd_odd));
            square[2] = Self(_mm256_permute2f128_pd::<0x31>(ab_even, cd_even));
            square[3] = Self(_mm256_permute2f128_pd::<0x31>(ab_odd, cd_odd));
            square
        }
    }
    /// There is no conversion to 64-bit integers: the fraction is taken in floating point, at any magnitude.
    fn fraction_bits(_magnitude_bits: u32) -> u32 {
        0
    }
    #[inline(always)]
    unsafe fn to_torus(self, _fraction_bits: u32) -> __m256i {
        unsafe {
            let whole = _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0);
            let fraction = _mm256_sub_pd(self.0, whole);
            let fixed = _mm256_fmadd_pd(fraction, _mm256_set1_pd(FRACTION), _mm256_set1_pd(MAGIC));
            Self::int_shl(_mm256_castpd_si256(fixed), FRACTION_SHIFT)
        }
    }

    #[inline(always)]
    unsafe fn int_splat(x: u64) -> __m256i {
        unsafe { _mm256_set1_epi64x(x as i64) }
    }
    #[inline(always)]
    unsafe fn int_load(from: *const u64) -> __m256i {
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn int_store(x: __m256i, to: *mut u64) {
        unsafe { _mm256_storeu_si256(to.cast(), x) }
    }
    #[inline(always)]
    unsafe fn int_add(x: __m256i, y: __m256i) -> __m256i {
        unsafe { _mm256_add_epi64(x, y) }
    }
    #[inline(always)]
    unsafe fn int_sub(x: __m256i, y: __m256i) -> __m256i {
        unsafe { _mm256_sub_epi64(x, y) }
    }
    #[inline(always)]
    unsafe fn int_and(x: __m256i, y: __m256i) -> __m256i {
        unsafe { _mm256_and_si256(x, y) }
    }
    #[inline(always)]
    unsafe fn int_or(x: __m256i, y: __m256i) -> __m256i {
        unsafe { _mm256_or_si256(x, y) }
    }
    #[inline(always)]
    unsafe fn round_to(x: __m256i, bits: u32) -> __m256i {
        unsafe {
            // There is no arithmetic shift of 64-bit lanes: an offset of 2^63 before and 2^(bits-1) after carries it.
            let unsigned = _mm256_xor_si256(x, Self::int_splat(1 << 63));
            let halves = Self::int_shr(unsigned, 63 - bits);
            let rounded = Self::int_shr(Self::int_add(halves, Self::int_splat(1)), 1);
            Self::int_sub(rounded, Self::int_splat(1 << (bits - 1)))
        }
    }
    #[inline(always)]
    unsafe fn int_shl(x: __m256i, count: u32) -> __m256i {
        unsafe { _mm256_sll_epi64(x, _mm_cvtsi32_si128(count as i32)) }
    }
    #[inline(always)]
    unsafe fn int_shr(x: __m256i, count: u32) -> __m256i {
        unsafe { _mm256_srl_epi64(x, _mm_cvtsi32_si128(count as i32)) }
    }
    #[inline(always)]
    unsafe fn int_to_real(x: __m256i) -> Self {
        unsafe {
            let biased = _mm256_add_epi64(x, _mm256_castpd_si256(_mm256_set1_pd(MAGIC)));
            Self(_mm256_sub_pd(_mm256_castsi256_pd(biased), _mm256_set1_pd(MAGIC)))
        }
    }
}
