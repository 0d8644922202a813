//! Gadget decomposition of a polynomial, once for every instruction set.
//!
//! # Safety
//! Every function is generic over [`Lanes`] and inherits its contract; slices are checked where they come in.

#![allow(unsafe_code)] // docs/unsafe.md

use super::lanes::Lanes;
use crate::gadget::Gadget;

/// [`Gadget::digits`] of a polynomial, level by level (`stride` apart), as real numbers.
#[inline(always)]
pub(in crate::backend) unsafe fn decompose<V: Lanes>(
    gadget: Gadget,
    polynomial: &[u64],
    digits: &mut [f64],
    stride: usize,
) {
    let (base_log, levels) = (gadget.base_log(), gadget.levels());
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
