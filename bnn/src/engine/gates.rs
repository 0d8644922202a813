//! The gate engine: a network as a Boolean circuit, every gate bootstrapped, bit for bit equal to the integer oracle.
//!
//! The client encrypts a picture bit by bit. A network is a list of *units*: each a circuit over numbers that are there, small
//! enough to be built, run and dropped. What a unit leaves are bits that are known or encrypted, and later units fold the
//! known ones. A run can be left and taken up at any bootstrap (`state`).
//!
//! * `published` makes units as the paper's system computes, `optimized` the same numbers with few bootstraps;
//! * `execution` runs units, on plain bits, on counters or on ciphertexts.
//!
//! ```
//! use std::sync::Arc;
//! use bnn::{circuit::Style, engine::gates::Plan, model::Model};
//! use tfhe_core::parameters::GATES_DEFAULT;
//! # let read = |name| std::fs::read(format!("{}/../models/perceptron/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
//! # let (manifest, weights) = (read("manifest.toml"), read("weights.safetensors"));
//! let model = Arc::new(Model::from_bytes(&manifest, &weights)?);
//! let plan = Plan::new(model, &GATES_DEFAULT, Style::Optimized);
//! let bootstraps = plan.estimate()?.bootstraps;
//! assert!(plan.log2_failure(bootstraps) < -100.0); // of any wrong bit in an inference
//! # Ok::<(), bnn::Error>(())
//! ```

mod circuits;
pub(crate) mod estimate;
mod execution;
pub(super) mod inference;
mod optimized;
pub(crate) mod plan;
mod published;
pub(super) mod state;
mod unit;

pub use self::{
    estimate::Estimate,
    plan::{COPIES_WHILE_SAVED, Plan},
};
