//! Engines evaluate a model on a picture. On plain integers that is the oracle, [`evaluate`]. On ciphertexts there are two: the
//! [`functional`] engine, which is fast and approximate, and the [`gates`], which are slow and exact. A [`Server`] runs a model
//! on the engine of its client's key.
//!
//! ```
//! use bnn::{data::Image, engine, model::Model};
//! # let read = |name| std::fs::read(format!("{}/../models/binarized-perceptron/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
//! # let (manifest, weights) = (read("manifest.toml"), read("weights.safetensors"));
//! let model = Model::from_bytes(&manifest, &weights)?;
//! let black = Image::grey(28, 28, vec![0; 28 * 28])?;
//! let scores = engine::evaluate(&model, &model.input().encode(&black)?)?;
//! let highest = scores.integers().iter().max().unwrap();
//! assert_eq!(&scores.integers()[scores.label()], highest);
//! # Ok::<(), bnn::Error>(())
//! ```

#[cfg(feature = "server")]
mod calibration;
#[cfg(feature = "server")]
mod choice;
#[cfg(feature = "server")]
mod cost;
#[cfg(feature = "server")]
pub mod functional;
#[cfg(feature = "server")]
pub mod gates;
#[cfg(feature = "server")]
mod inference;
#[cfg(feature = "server")]
pub(crate) mod plaintext;
#[cfg(feature = "server")]
mod saved_run;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod specification;
#[cfg(feature = "server")]
mod state;

#[cfg(feature = "internals")]
#[doc(hidden)]
pub use self::plaintext::trace;
#[cfg(feature = "server")]
pub use self::{
    calibration::calibrate, cost::Cost, inference::Inference, plaintext::evaluate, saved_run::SavedRun,
    server::Server, specification::client_specification, state::is_saved_run,
};
pub use crate::client::engine::Engine;
