//! The crate from outside: model folders, the oracle, and MNIST where it is present.

#![allow(clippy::unwrap_used)]

mod client;
mod deep;
mod documentation;
mod functional;
mod gates;
mod import;
mod mnist;
mod model;
mod onnx;
mod oracle;
mod paper;
mod parties;
mod random_models;
mod server;
mod shipped;
mod toy;
