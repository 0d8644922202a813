//! Boolean gates: an integer linear combination of ciphertexts, then one bootstrap through the sign.
//!
//! Bits are 1/8 (true) and -1/8 (false). NAND, for one, is the sign of 1/8 - a - b. Beside the TFHE library's gates
//! (Chillotti et al. 2020, section 5) there are two of three inputs for one bootstrap: MAJ(a, b, c) = sign(a + b + c)
//! and XOR3(a, b, c) = sign(-2 (a + b + c)), so that a full adder costs two. MUX takes two bootstraps: u = (not s) and
//! b, brought out at +-1/4, then the sign of s + a + u + 1/8.
//!
//! A gate whose inputs are too noisy for the parameter set's failure bound is refused before anything runs.
//!
//! ```
//! use tfhe_core::{backend::Backend, evaluator::Evaluator, gate::Gate, keys::{CloudKey, SecretKey}};
//! use tfhe_core::{parameters::GATES_DEFAULT, random::SecretSeed};
//! let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
//! let evaluator = Evaluator::new(&CloudKey::generate(&key, SecretSeed::from_os()?)?, Backend::fastest())?;
//! let bits = key.encrypt(&[true, true, false], SecretSeed::from_os()?).expand();
//! // Gates name their inputs by their places. A batch of them runs on all threads.
//! let results = evaluator.evaluate(&[Gate::Maj(0, 1, 2), Gate::Xor3(0, 1, 2)], &bits)?;
//! assert!(key.decrypt(&results[0])? && !key.decrypt(&results[1])?);
//! # Ok::<(), tfhe_core::Error>(())
//! ```

mod combination;
mod evaluation;
mod kinds;
#[cfg(test)]
mod tests;

pub use combination::{Combination, log2_failure};
pub use kinds::{BinaryGate, Gate};
