//! What travels between client and server: an encrypted picture, and encrypted scores.
//!
//! Both are ciphertexts of `tfhe_core` that name the model they belong to, by its digest, in the file's context: scales
//! and meaning come from the model, so what was made with another is refused.

use std::path::Path;

use tfhe_core::{
    ciphertext::PackedCiphertext,
    keys::KeyId,
    serial::{self, CiphertextList, Existing},
};

use crate::{Error, Result, model::Model};

/// An encrypted picture, for one model and one key.
#[derive(Debug, Clone, PartialEq)]
pub struct EncryptedImage {
    packed: PackedCiphertext,
    model: [u8; 32],
}

impl EncryptedImage {
    pub(crate) fn new(packed: PackedCiphertext, model: [u8; 32]) -> Self {
        Self { packed, model }
    }

    pub(crate) fn packed(&self) -> &PackedCiphertext {
        &self.packed
    }

    /// Whether it is for this model; for a client or server that wants to know before long work.
    ///
    /// # Errors
    /// [`Error::OtherModel`] where it is for another.
    pub fn check_model(&self, model: &Model) -> Result<()> {
        check_model("encrypted image", self.model, model)
    }

    /// Whose it is.
    pub fn key_id(&self) -> KeyId {
        self.packed.key_id()
    }

    /// Writes it to a file: 168 bytes and 4 a pixel.
    ///
    /// # Errors
    /// [`Error::Crypto`] where the file cannot be written, or is there and `existing` refuses to replace it.
    pub fn save(&self, path: &Path, existing: Existing) -> Result<()> {
        Ok(serial::save(&self.packed, self.model, path, existing)?)
    }

    /// Reads it from a file.
    ///
    /// # Errors
    /// [`Error::Crypto`] where the file cannot be read, is damaged, or holds something else.
    pub fn load(path: &Path) -> Result<Self> {
        let stored = serial::load(path)?;
        Ok(Self { packed: stored.content, model: stored.header.context })
    }
}

/// Encrypted scores, of one model and one key.
#[derive(Debug, Clone, PartialEq)]
pub struct EncryptedScores {
    list: CiphertextList,
    model: [u8; 32],
}

impl EncryptedScores {
    pub(crate) fn new(list: CiphertextList, model: [u8; 32]) -> Self {
        Self { list, model }
    }

    pub(crate) fn list(&self) -> &CiphertextList {
        &self.list
    }

    pub(crate) fn check_model(&self, model: &Model) -> Result<()> {
        check_model("encrypted scores", self.model, model)
    }

    /// Whose they are.
    pub fn key_id(&self) -> KeyId {
        self.list.key_id()
    }

    /// Writes them to a file: 136 bytes, and 8 KB a score.
    ///
    /// # Errors
    /// [`Error::Crypto`] where the file cannot be written, or is there and `existing` refuses to replace it.
    pub fn save(&self, path: &Path, existing: Existing) -> Result<()> {
        Ok(serial::save(&self.list, self.model, path, existing)?)
    }

    /// Reads them from a file.
    ///
    /// # Errors
    /// [`Error::Crypto`] where the file cannot be read, is damaged, or holds something else.
    pub fn load(path: &Path) -> Result<Self> {
        let stored = serial::load(path)?;
        Ok(Self { list: stored.content, model: stored.header.context })
    }
}

fn check_model(what: &'static str, found: [u8; 32], model: &Model) -> Result<()> {
    if found == model.digest() {
        return Ok(());
    }
    Err(Error::OtherModel { what, found, name: model.name().into(), expected: model.digest() })
}
