//! Inference of binarized neural networks over data encrypted with TFHE.
//!
//! A network has one meaning in three guises: real numbers while it is trained, exact integers here, and
//! ciphertexts on a server. This crate reads networks and pictures, and defines the integer meaning: the oracle
//! that every encrypted engine is compared with.
//!
//! The map, in the order a picture travels:
//!
//! * [`data`]: grey pictures from PNG, BMP and IDX files, and the labels of a data set;
//! * [`encoding`]: what the client makes of a picture before it encrypts;
//! * [`layer`]: the kinds of layer, and how large their sums can become;
//! * [`model`]: a network on disk, opened and checked;
//! * [`engine`]: evaluation: the plaintext oracle, and the functional engine on ciphertexts;
//! * [`encrypted`]: what travels between client and server;
//! * [`protocol`]: the same in the files of the paper's system;
//! * [`soak`]: random circuits on ciphertexts against Boolean logic, for as long as one likes;
//! * [`vectors`]: known answers of all steps and networks.
//!
//! ```no_run
//! use bnn::{data::GreyImage, engine, model::Model};
//!
//! let model = Model::open("models/binarized-perceptron".as_ref())?;
//! let digit = GreyImage::load("digit.png".as_ref(), None)?;
//! let scores = engine::evaluate(&model, &model.input().encode(&digit)?)?;
//! println!("{}: a {}", digit.origin(), scores.label());
//! # Ok::<(), bnn::Error>(())
//! ```

mod bounded;
pub mod circuit;
pub mod data;
pub mod encoding;
pub mod encrypted;
pub mod engine;
mod error;
pub mod layer;
pub mod model;
pub mod protocol;
pub mod soak;
pub mod vectors;

pub use error::{Error, Result};
