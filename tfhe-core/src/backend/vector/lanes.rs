//! One SIMD register of `f64` lanes, and the few operations that the kernels need.
//!
//! # Contract
//! A type that implements [`Lanes`] wraps the registers of one instruction set. Its methods may be called only while
//! a function that enables that instruction set (`#[target_feature]`) is on the stack, on a CPU that has it. They are
//! all `#[inline(always)]`, so that the kernels, inlined into such a function, compile to bare instructions. Nothing outside this folder can name
//! these types. Pointers carry their own contract: `LANES` elements
//! readable (or writable) from the pointer on, in any alignment.
//!
//! Closures that call these methods are not inlined as these are (a closure does not enable what its caller does), and
//! then every operation is a call: the kernels use plain loops.

#![allow(unsafe_code)] // docs/unsafe.md

use crate::backend::transform::MAX_LANES;

/// Up to L registers of L lanes, beginning with the first.
pub(super) type Square<V> = [V; MAX_LANES];

/// A register of [`LANES`](Lanes::LANES) `f64`, beside one of as many 64-bit integers.
///
/// # Safety
/// See the module's contract: every method needs the instruction set that the type stands for.
pub(super) unsafe trait Lanes: Copy {
    /// Lanes in a register: 4 (AVX2) or 8 (AVX-512).
    const LANES: usize;
    /// Columns of the key matrix that are multiplied at a time, by the number of registers.
    const COLUMNS: usize;
    /// The register of 64-bit integers.
    type Int: Copy;

    /// Asks for the cache line at `from` in the second-level cache. Any address will do: nothing is read.
    unsafe fn prefetch(from: *const f64);

    unsafe fn splat(x: f64) -> Self;
    unsafe fn load(from: *const f64) -> Self;
    unsafe fn store(self, to: *mut f64);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `self * factor - term`, rounded once.
    unsafe fn mul_sub(self, factor: Self, term: Self) -> Self;
    /// `term - self * factor`, rounded once.
    unsafe fn neg_mul_add(self, factor: Self, term: Self) -> Self;
    /// Transposes the square that the first `LANES` registers make.
    unsafe fn transpose(square: Square<Self>) -> Square<Self>;
    /// In which unit, 2^-(this), of the torus [`to_torus`](Self::to_torus) wants numbers below 2^`magnitude_bits`.
    fn fraction_bits(magnitude_bits: u32) -> u32;
    /// 64-bit torus elements of the numbers self / 2^`fraction_bits` mod 1.
    unsafe fn to_torus(self, fraction_bits: u32) -> Self::Int;

    unsafe fn int_splat(x: u64) -> Self::Int;
    unsafe fn int_load(from: *const u64) -> Self::Int;
    unsafe fn int_store(x: Self::Int, to: *mut u64);
    unsafe fn int_add(x: Self::Int, y: Self::Int) -> Self::Int;
    unsafe fn int_sub(x: Self::Int, y: Self::Int) -> Self::Int;
    unsafe fn int_and(x: Self::Int, y: Self::Int) -> Self::Int;
    unsafe fn int_or(x: Self::Int, y: Self::Int) -> Self::Int;
    /// Torus elements rounded to `bits` bits, as signed integers from -2^(bits-1) to 2^(bits-1): no wrapping at 1/2.
    unsafe fn round_to(x: Self::Int, bits: u32) -> Self::Int;
    /// Each lane shifted left by `count` < 64 bits.
    unsafe fn int_shl(x: Self::Int, count: u32) -> Self::Int;
    /// Each lane shifted right by `count` < 64 bits, zeros coming in.
    unsafe fn int_shr(x: Self::Int, count: u32) -> Self::Int;
    /// Signed lanes as real numbers, exactly; |x| < 2^51.
    unsafe fn int_to_real(x: Self::Int) -> Self;
}
