//! Server: evaluates a network on encrypted pictures. No secret key is needed, or looked for.
//!
//! * [`pictures`]: the command;
//! * [`functional`], [`gates`]: the run, by either engine;
//! * [`cloud_key`]: the key, prepared once everything is known to fit.

pub(crate) mod cloud_key;
pub(crate) mod functional;
pub(crate) mod gates;
pub(crate) mod pictures;
