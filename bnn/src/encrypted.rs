//! What travels between client and server: an encrypted picture, and encrypted scores.
//!
//! Both are ciphertexts of `tfhe_core` that name the model they belong to, by its digest, in the file's context: scales
//! and meaning come from the model, so what was made with another is refused.
//!
//! ```
//! use bnn::{data::GreyImage, encrypted::EncryptedImage, engine::functional::Plan, model::Model};
//! use tfhe_core::{keys::SecretKey, random::SecretSeed, serial::Existing};
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/binarized-perceptron");
//! let model = Model::open(folder.as_ref())?;
//! let plan = Plan::cheapest(&model)?;
//! let key = SecretKey::generate(plan.parameters(), SecretSeed::from_os()?);
//! let encoded = model.input().encode(&GreyImage::new("black".into(), 28, 28, vec![0; 28 * 28])?)?;
//! let image = plan.encrypt(&key, &encoded, SecretSeed::from_os()?)?;
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("black.enc");
//! image.save(&file, Existing::Refuse)?;
//! let received = EncryptedImage::load(&file)?;
//! assert_eq!(received.key_id(), key.id());
//! received.check_model(&model)?;
//! # Ok::<(), bnn::Error>(())
//! ```

use std::path::Path;

use sha2::{Digest, Sha256};
use tfhe_core::{
    ciphertext::{PackedCiphertext, SeededCiphertexts},
    keys::KeyId,
    parameters::Parameters,
    serial::{self, CiphertextList, Existing, Kind},
};

use crate::{Error, Result, model::Model};

/// An encrypted picture, for one model and one key.
#[derive(Debug, Clone, PartialEq)]
pub struct EncryptedImage {
    content: ImageContent,
    model: [u8; 32],
}

/// A picture as an engine reads it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ImageContent {
    /// Values of pixels, or of windows, packed: for the functional engine.
    Packed(PackedCiphertext),
    /// Bit by bit: for the gate engine.
    Bits(SeededCiphertexts),
    /// Bit by bit, with masks: as it comes from files of the TFHE library.
    Listed(CiphertextList),
}

impl EncryptedImage {
    pub(crate) fn new(content: ImageContent, model: [u8; 32]) -> Self {
        Self { content, model }
    }

    pub(crate) fn content(&self) -> &ImageContent {
        &self.content
    }

    /// The parameter set, which says for which engine it is.
    pub fn parameters(&self) -> &Parameters {
        match &self.content {
            ImageContent::Packed(packed) => packed.parameters(),
            ImageContent::Bits(bits) => bits.parameters(),
            ImageContent::Listed(list) => list.parameters(),
        }
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
        match &self.content {
            ImageContent::Packed(packed) => packed.key_id(),
            ImageContent::Bits(bits) => bits.key_id(),
            ImageContent::Listed(list) => list.key_id(),
        }
    }

    /// The SHA-256 of its file's content, which tells it from every other picture.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let bytes = match &self.content {
            ImageContent::Packed(packed) => serial::to_bytes(packed, self.model),
            ImageContent::Bits(bits) => serial::to_bytes(bits, self.model),
            ImageContent::Listed(list) => serial::to_bytes(list, self.model),
        };
        Sha256::digest(&bytes).into()
    }

    /// Writes it to a file: some 170 bytes, and 4 a value or bit. (A picture of the [paper's protocol](crate::protocol) has
    /// files of its own: of it, this writes a list of ciphertexts, which is not read as a picture.)
    ///
    /// # Errors
    /// [`Error::Crypto`] where the file cannot be written, or is there and `existing` refuses to replace it.
    pub fn save(&self, path: &Path, existing: Existing) -> Result<()> {
        match &self.content {
            ImageContent::Packed(packed) => serial::save(packed, self.model, path, existing)?,
            ImageContent::Bits(bits) => serial::save(bits, self.model, path, existing)?,
            ImageContent::Listed(list) => serial::save(list, self.model, path, existing)?,
        }
        Ok(())
    }

    /// Reads it from a file.
    ///
    /// # Errors
    /// [`Error::Crypto`] where the file cannot be read, is damaged, or holds something else.
    pub fn load(path: &Path) -> Result<Self> {
        if serial::inspect(path)?.kind == Kind::SeededCiphertexts {
            let stored = serial::load(path)?;
            return Ok(Self { content: ImageContent::Bits(stored.content), model: stored.header.context });
        }
        let stored = serial::load(path)?;
        Ok(Self { content: ImageContent::Packed(stored.content), model: stored.header.context })
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

    /// The parameter set, which says by which engine they were made.
    pub fn parameters(&self) -> &Parameters {
        self.list.parameters()
    }

    pub(crate) fn check_model(&self, model: &Model) -> Result<()> {
        check_model("encrypted scores", self.model, model)
    }

    /// Whose they are.
    pub fn key_id(&self) -> KeyId {
        self.list.key_id()
    }

    /// Writes them to a file: 136 bytes, and a ciphertext a part of a score (8 KB) or a bit of one (6 KB).
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
