//! Running a [`Program`](super::program::Program): on plain bits, on counters only, or on ciphertexts.
//!
//! The program is the same for all three, so that a run in the clear checks every combination that a run on ciphertexts
//! bootstraps, and a count is the count of what would run.

pub(crate) mod cost;
pub(crate) mod counting;
pub(crate) mod encrypted;
pub(crate) mod encrypted_run;
pub(crate) mod kind;
#[cfg(any(test, feature = "internals"))]
pub(crate) mod plain;
pub(crate) mod run;
pub(crate) mod values;
