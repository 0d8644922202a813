//! The client: whoever holds the secret key.

use std::sync::Arc;

use tfhe_core::{keys::SecretKey, parameters::Parameters, random::SecretSeed};

use super::{
    encoding::encoded::EncodedImage,
    encrypted::{EncryptedImage, EncryptedScores},
    engine::{Engine, check_parameters},
    interface::Interface,
    scores::Scores,
    specification::content::{ClientSpecification, Scheme},
};
use crate::{
    data::image::Image,
    error::{Error, Result},
};

/// A client of one model: it encodes and encrypts pictures, and decrypts scores.
#[derive(Debug, Clone)]
pub struct Client {
    specification: Arc<ClientSpecification>,
    key: Arc<SecretKey>,
    /// The place of the key's scheme in the specification.
    scheme: usize,
}

impl Client {
    /// A client with a key, which says by its parameter set on which engine the model will run.
    ///
    /// # Errors
    /// [`Error::OtherParameters`] for a key of a parameter set with which neither engine runs the model.
    pub fn new(specification: Arc<ClientSpecification>, key: Arc<SecretKey>) -> Result<Self> {
        let schemes = &specification.schemes;
        let scheme = schemes.iter().position(|scheme| scheme.parameters() == key.parameters());
        let scheme = scheme.ok_or_else(|| Error::OtherParameters {
            found: key.parameters().name(),
            expected: schemes.first().map_or("another", |scheme| scheme.parameters().name()),
        })?;
        Ok(Self { specification, key, scheme })
    }

    /// What the client knows of the model.
    pub fn specification(&self) -> &ClientSpecification {
        &self.specification
    }

    /// The engine on which the server will run the model.
    pub fn engine(&self) -> Engine {
        self.scheme().engine()
    }

    /// The parameter set of its key.
    pub fn parameters(&self) -> &'static Parameters {
        self.scheme().parameters()
    }

    /// Encodes a picture.
    ///
    /// # Errors
    /// [`EncodingFault`](super::EncodingFault): the picture is of another size, or beyond what the model accepts.
    pub fn encode(&self, image: &Image) -> Result<EncodedImage> {
        self.specification.model.input.encode(image)
    }

    /// Encrypts an encoded picture. A seed is for one picture only: with the same seed for another, both are in the open.
    ///
    /// # Errors
    /// [`EncodingFault::Length`](super::EncodingFault::Length) for a picture that was encoded for another model.
    pub fn encrypt(&self, image: &EncodedImage, seed: SecretSeed) -> Result<EncryptedImage> {
        let model = &self.specification.model;
        match self.scheme() {
            Scheme::Functional(scheme) => scheme.encrypt(model, &self.key, image, seed),
            Scheme::Gates(scheme) => scheme.encrypt(model, &self.key, image, seed),
        }
    }

    /// Decrypts scores.
    ///
    /// # Errors
    /// [`Error::OtherModel`] for scores of another model, [`Error::OtherParameters`] for those of another parameter set,
    /// [`Error::ScoreCount`] for another number of them, [`Error::Crypto`] for those of another key.
    pub fn decrypt(&self, scores: &EncryptedScores) -> Result<Scores> {
        let model = &self.specification.model;
        // What the key is of, `new` has checked.
        check_parameters(self.scheme().parameters(), scores.parameters())?;
        scores.check_model(model)?;
        match self.scheme() {
            Scheme::Functional(scheme) => scheme.decrypt(model, &self.key, scores),
            Scheme::Gates(scheme) => scheme.decrypt(model, &self.key, scores),
        }
    }

    pub(crate) fn model(&self) -> &Interface {
        &self.specification.model
    }

    pub(crate) fn key(&self) -> &SecretKey {
        &self.key
    }

    fn scheme(&self) -> &Scheme {
        &self.specification.schemes[self.scheme]
    }
}
