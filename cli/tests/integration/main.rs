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
mod page;
mod path;
mod pictures;
mod pipes;
mod place;
mod remote;
mod resumption;
mod serve;
mod served;
mod service;
mod soak;
mod specification;
mod stopped;
mod toy;
mod usage;
mod vectors;
