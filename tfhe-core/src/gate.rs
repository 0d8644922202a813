//! Boolean gates: an integer linear combination of ciphertexts, then one bootstrap through the sign.
//!
//! Bits are 1/8 (true) and -1/8 (false). NAND, for one, is the sign of 1/8 - a - b. Beside the TFHE library's gates
//! (Chillotti et al. 2020, section 5) there are two of three inputs for one bootstrap: MAJ(a, b, c) = sign(a + b + c)
//! and XOR3(a, b, c) = sign(-2 (a + b + c)), so that a full adder costs two. MUX takes two bootstraps: u = (not s) and
//! b, brought out at +-1/4, then the sign of s + a + u + 1/8.
//!
//! A gate whose inputs are too noisy for the parameter set's failure bound is refused before anything runs.

mod combination;
mod evaluation;
mod kinds;
#[cfg(test)]
mod tests;

pub use combination::{Combination, log2_failure, worst_log2_failure};
pub use kinds::{BinaryGate, Gate};
