//! Marking memory as secret and as public, and asking which it is.

use crabgrind::memcheck::{MemState, mark_mem, vbits};
use tfhe_core::random::SecretSeed;

/// Marks a value's own bytes as secret: memcheck takes them for undefined, whatever they are.
pub(crate) fn secret<T: ?Sized>(value: &mut T) {
    mark(value, MemState::Undefined);
}

/// Marks a value's own bytes as public; what is behind its pointers stays as it is.
pub(crate) fn public<T: ?Sized>(value: &mut T) {
    mark(value, MemState::Defined);
}

/// Whether memcheck takes some of each byte for secret: that what came out was followed from what went in.
pub(crate) fn is_secret(bytes: &[u8]) -> bool {
    let mut undefined = vec![0_u8; bytes.len()];
    let address = bytes.as_ptr().cast_mut().cast();
    vbits(address, undefined.as_mut_ptr(), bytes.len()).expect("invariant: this runs under memcheck");
    undefined.iter().all(|&bits| bits != 0)
}

fn mark<T: ?Sized>(value: &mut T, state: MemState) {
    let (address, len) = (std::ptr::from_mut(value).cast(), size_of_val(value));
    // Its result is inverted in this version of the library; `is_secret` and the controls show that marking works.
    let _ = mark_mem(address, len, state);
}

/// A seed of which 64 bits are secret: after ChaCha20, so is all that is drawn from it.
pub(crate) fn secret_seed(mut number: u64) -> SecretSeed {
    secret(&mut number);
    SecretSeed::deterministic_for_tests(number)
}
