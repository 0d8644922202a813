//! What the tests of several crates share. It depends on none of them, so that each may use it.
//!
//! * [`model_files`]: the two files of a model, made of tensors;
//! * [`toys`]: small models whose answers are known or which have every kind of layer;
//! * [`errors`]: samples of noise, and their statistics.

#![allow(clippy::unwrap_used)]

pub mod errors;
pub mod model_files;
pub mod toys;
