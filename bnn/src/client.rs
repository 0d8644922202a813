//! The client's side: it needs its secret key and a [`ClientSpecification`], and no model.
//!
//! A client reads the specification, chooses a parameter set for its key, [prepares](Preparation), encodes and encrypts a
//! picture, and decrypts the scores that come back. Nothing here computes on ciphertexts, and nothing here needs the features `server` or `images`.
//!
//! ```
//! use std::sync::Arc;
//! use bnn::{client::{Client, ClientSpecification, EncryptedImage}, data::Image, engine::Engine};
//! use tfhe_core::{keys::SecretKey, random::SecretSeed};
//! # use bnn::{engine::client_specification, model::Model};
//! # let read = |name| std::fs::read(format!("{}/../models/perceptron/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
//! # let model = Model::from_bytes(&read("manifest.toml"), &read("weights.safetensors"))?;
//! # let specification_bytes = client_specification(&Arc::new(model))?.to_bytes();
//! let specification = Arc::new(ClientSpecification::from_bytes(&specification_bytes)?);
//! assert_eq!((specification.model_name(), specification.labels().len()), ("perceptron", 10));
//! let set = specification.parameter_sets(Engine::Functional)[0];
//! let key = Arc::new(SecretKey::generate(set, SecretSeed::from_os()?));
//! let client = Client::new(specification, Arc::clone(&key))?;
//! let digit = Image::grey(28, 28, vec![0; 28 * 28])?;
//! let encrypted = client.encrypt(&client.encode(&digit)?, SecretSeed::from_os()?)?;
//! let received = EncryptedImage::from_bytes(&encrypted.to_bytes()?)?;
//! assert_eq!(received.key_id(), key.id());
//! # Ok::<(), bnn::Error>(())
//! ```

pub(crate) mod encoding;
pub(crate) mod encrypted;
pub(crate) mod engine;
pub(crate) mod functional;
pub(crate) mod gates;
pub(crate) mod interface;
pub(crate) mod key_holder;
pub(crate) mod preparation;
pub(crate) mod scores;
pub(crate) mod shape;
pub(crate) mod specification;
pub(crate) mod unit;

pub use self::{
    encoding::{
        encoded::EncodedImage,
        fault::{EncodingFault, InputFault},
        input::{InputEncoding, PixelEncoding},
    },
    encrypted::{EncryptedImage, EncryptedScores},
    key_holder::Client,
    preparation::{Change, Preparation, fault::AppearanceFault},
    scores::Scores,
    specification::{content::ClientSpecification, fault::SpecificationFault},
};
