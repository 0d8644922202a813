//! Server: evaluates a network on encrypted pictures. No secret key is needed, or looked for.
//!
//! * [`pictures`]: the command;
//! * [`functional`]: runs of many pictures at once, in one go; [`saved`]: a run of one that is saved as it goes, by either engine;
//! * [`cloud_key`]: the key, prepared once everything is known to fit.

pub(crate) mod cloud_key;
pub(crate) mod functional;
pub(crate) mod pictures;
pub(crate) mod saved;
