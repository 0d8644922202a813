//! TFHE from scratch: torus LWE, TLWE and TGSW, and batched bootstrapping with SIMD.
//!
//! Every homomorphic step is an integer linear combination of ciphertexts, then at most one bootstrap through a lookup
//! table. A Boolean gate is that, a majority of three is that, and so is a neuron. [`evaluator`] holds the one hot
//! function, the batched bootstrap; [`gate`] has the Boolean gates; the rest is what they stand on:
//!
//! | module | what it is |
//! |---|---|
//! | [`parameters`] | the named sets, with security, failure probability and sizes |
//! | [`keys`] | secret key (client) and cloud key (server) |
//! | [`ciphertext`] | what travels: encrypted values, seeded and packed forms |
//! | [`evaluator`], [`gate`] | functional bootstrapping and gates, in batches |
//! | [`bootstrap`], [`keyswitch`], [`lwe`], [`tlwe`], [`tgsw`], [`gadget`], [`polynomial`], [`torus`] | the scheme |
//! | [`noise`] | variances and failure probabilities by formula |
//! | [`fft`], [`backend`] | the transform, and the instruction sets it is written for |
//! | [`random`] | seeds, uniform masks, Gaussian noise |
//! | [`serial`] | files |
//! | [`vectors`] | known answers of every step |

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod backend;
pub mod bootstrap;
mod buffer;
mod cache;
pub mod ciphertext;
pub mod error;
pub mod evaluator;
pub mod fft;
pub mod gadget;
pub mod gate;
pub mod keys;
pub mod keyswitch;
pub mod lwe;
pub mod noise;
pub mod parameters;
pub mod polynomial;
pub mod random;
pub mod serial;
pub mod tgsw;
pub mod tlwe;
pub mod torus;
pub mod vectors;

pub use error::{Error, Result};
