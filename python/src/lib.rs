//! The module in Rust below the Python package `bnn_tfhe`.
//!
//! It hands values of the crate `bnn` to Python and back. A class here is one of that crate; what it means is said there. What is of
//! Python alone:
//!
//! * `compute`: long work runs without the interpreter's lock, tells its progress, and stops at Ctrl-C;
//! * `fault`: errors become exceptions, by whose fault they are;
//! * `pictures`: arrays become pictures, and scores arrays;
//! * `files`: what is saved and loaded.
//!
//! The types are written down once more for type checkers, in `package/bnn_tfhe/_native.pyi`; a test compares the two.

mod ciphertexts;
mod circuit;
mod client;
mod compute;
mod fault;
mod files;
mod keys;
mod model;
mod pictures;
mod server;
mod specification;

/// The module.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        ciphertexts::{EncryptedBits, EncryptedImage, EncryptedScores},
        circuit::Circuit,
        client::Client,
        compute::{set_threads, threads},
        files::restore,
        keys::{CloudKey, SecretKey},
        model::{Model, shipped_models},
        server::{Evaluator, Server},
        specification::ClientSpecification,
    };
}
