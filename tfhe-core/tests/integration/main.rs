//! The crate from outside, through its public API only: gates and tables decrypt to what they should, noise is what the
//! formulas say, files carry what was put in, and what cannot be right is refused.
//!
//! Thousands of bootstraps: meant for `--release`, where it is a minute or two on two cores.

#![allow(clippy::unwrap_used)]

mod documentation;
mod files;
mod functional;
mod gates;
mod library_files;
mod linear;
mod noise;
mod refusals;
mod support;
mod unsafe_code;
