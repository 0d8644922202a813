//! TFHE from scratch: computing on encrypted bits and numbers, with batched bootstrapping on AVX-512, AVX2 or any CPU.
//!
//! Every homomorphic step is an integer linear combination of ciphertexts, then at most one bootstrap through a lookup
//! table. A Boolean gate is that, a majority of three is that, and so is a neuron.
//!
//! # Where to begin
//! A client draws a [`SecretKey`](keys::SecretKey) for a [parameter set](parameters), makes the
//! [`CloudKey`](keys::CloudKey) of it and encrypts. A server expands the cloud key to an
//! [`Evaluator`](evaluator::Evaluator), which evaluates [gates](gate) and [lookup tables](bootstrap) on
//! [ciphertexts](ciphertext) that it cannot read. Three programs in `examples/` show this on a page each: `gate`, `adder`
//! and `table`.
//!
//! ```
#![doc = include_str!("../examples/gate.rs")]
//! ```
//!
//! # Map
//!
//! | module | what it is |
//! |---|---|
//! | [`parameters`] | the named sets, with their security, failure probability and sizes |
//! | [`keys`] | the secret key of the client and the cloud key of the server |
//! | [`random`] | the seeds that keys and encryptions are drawn from |
//! | [`ciphertext`] | encrypted values, and the seeded and packed forms that travel |
//! | [`evaluator`], [`gate`], [`bootstrap`] | bootstrapping through tables, and Boolean gates, in batches |
//! | [`noise`] | variances and failure probabilities by formula |
//! | [`serial`] | keys and ciphertexts as bytes, and the files of the TFHE library |
//! | [`control`] | progress and cancellation of long work |
//! | [`backend`] | the instruction sets that the transforms are written for |
//! | [`torus`] | the numbers that are encrypted |
//!
//! Private are `gadget` and `polynomial` (digits and products), `sample` (LWE, TLWE and TGSW samples), `keyswitch`, and the
//! inside of `backend` and `bootstrap`. Imports run one way: torus, backend, sample, ciphertext, keys, bootstrap, evaluator,
//! gate.
//!
//! # Features
//! `parallel` (default) computes on rayon's threads; without it everything runs on the calling thread. `wasm_js` draws
//! randomness from JavaScript on `wasm32-unknown-unknown`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod backend;
mod blame;
pub mod bootstrap;
pub mod ciphertext;
pub mod control;
mod error;
pub mod evaluator;
mod gadget;
pub mod gate;
#[cfg(any(test, feature = "internals"))]
#[doc(hidden)]
pub mod internals;
mod key_id;
pub mod keys;
mod keyswitch;
mod memory;
pub mod noise;
mod parallel;
pub mod parameters;
#[cfg(any(test, feature = "internals"))]
mod polynomial;
pub mod random;
mod sample;
mod secret_multiplier;
pub mod serial;
pub mod torus;
mod torus_words;
#[cfg(any(test, feature = "internals"))]
#[doc(hidden)]
pub mod vectors;

pub use blame::Blame;
pub use error::{Error, Result};
