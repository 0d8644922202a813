//! The `bnn` command from outside: whole paths, what it says, and how it fails.

#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

mod bad_input;
mod batch;
mod circuit;
mod effects;
mod evaluate;
mod faults;
mod files;
mod import;
mod installed;
mod interop;
mod interruption;
mod json;
mod native;
mod path;
mod pictures;
mod pipes;
mod place;
mod resumption;
mod serve;
mod service;
mod soak;
mod specification;
mod stopped;
mod toy;
mod usage;
mod vectors;
