//! Inference of binarized neural networks over data encrypted with TFHE.
//!
//! A client encrypts a picture, a server runs a network on it without seeing it, and the client decrypts the scores. The
//! client needs a secret key and a [`ClientSpecification`](client::ClientSpecification). The server needs the
//! [`Model`](model::Model) and the client's cloud key, and no secret.
//!
//! A whole encrypted inference, of which `cargo run --release --example encrypted_digit` prints the label:
//!
//! ```no_run
#![doc = include_str!("../examples/encrypted_digit.rs")]
//! ```
//!
//! A network has one meaning in three forms: real numbers while it is trained, exact integers
//! ([`evaluate`](engine::evaluate)), and ciphertexts. The functional engine is equal to the integers up to a noise that it
//! predicts; the gate engine is equal bit for bit.
//!
//! Boolean circuits of one's own run encrypted too:
//!
//! ```no_run
#![doc = include_str!("../examples/circuit.rs")]
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`client`] | the client: specification, encoding, encryption, decryption, and what travels |
//! | [`data`] | pictures from PNG, BMP and IDX bytes, and the labels of a data set |
//! | [`model`] | a network, read and checked |
//! | [`import`] | a network of one's own, from an ONNX file |
//! | [`engine`] | the server, which runs either engine, and the oracle |
//! | [`engine::functional`] | the functional engine: a bootstrap a neuron, with noise that is predicted |
//! | [`engine::gates`] | the gate engine: circuits of bootstrapped gates, exact; a run can be saved and taken up |
//! | [`circuit`] | Boolean circuits: netlists, arithmetic, files, runs |
//! | [`paper`] | the protocol and the parameters of the paper's system |
//!
//! Everything here turns bytes into values and back. Files, paths and terminals belong to whoever calls.
//!
//! # Features
//!
//! * `server` (default): everything that needs a model or computes on ciphertexts.
//! * `images` (default): PNG, BMP, IDX and gzip.
//! * `import` (default): networks in the ONNX format.
//!
//! Without them, the client's side remains, which also builds for `wasm32-unknown-unknown`.

#[cfg(feature = "server")]
pub mod circuit;
pub mod client;
#[cfg(any(feature = "images", feature = "server"))]
mod content;
pub mod data;
pub mod engine;
mod error;
#[cfg(feature = "import")]
pub mod import;
#[cfg(feature = "server")]
mod layer;
#[cfg(feature = "server")]
pub mod model;
pub mod paper;
mod range;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod soak;
mod text;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod vectors;

pub use error::{Error, Result};
pub use range::OutOfRange;
