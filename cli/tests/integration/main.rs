//! The `bnn` command from outside: whole paths, what it says, and how it fails.

#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

mod bad_input;
mod evaluate;
mod faults;
mod files;
mod interop;
mod interruption;
mod path;
mod place;
mod resumption;
mod soak;
mod toy;
mod usage;
mod vectors;
