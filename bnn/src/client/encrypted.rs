//! What travels between client and server: an encrypted picture, and encrypted scores.
//!
//! Both are ciphertexts of `tfhe_core` that name the model they belong to, by its digest, in the file's context: scales
//! and meaning come from the model, so what was made with another is refused.

use std::io::Read;

#[cfg(feature = "server")]
use sha2::{Digest, Sha256};
use tfhe_core::{
    ciphertext::{CiphertextList, PackedCiphertext, SeededCiphertexts},
    keys::KeyId,
    parameters::Parameters,
    serial::{self, Frame, Kind},
};

use super::interface::Interface;
use crate::error::Result;

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
    /// Bit by bit, with masks: as a server reads it from files of the TFHE library.
    #[cfg(feature = "server")]
    Listed(CiphertextList),
}

impl EncryptedImage {
    pub(crate) fn new(content: ImageContent, model: [u8; 32]) -> Self {
        Self { content, model }
    }

    /// The parameter set, which says for which engine it is.
    pub fn parameters(&self) -> &Parameters {
        match &self.content {
            ImageContent::Packed(packed) => packed.parameters(),
            ImageContent::Bits(bits) => bits.parameters(),
            #[cfg(feature = "server")]
            ImageContent::Listed(list) => list.parameters(),
        }
    }

    /// Whose it is.
    pub fn key_id(&self) -> KeyId {
        match &self.content {
            ImageContent::Packed(packed) => packed.key_id(),
            ImageContent::Bits(bits) => bits.key_id(),
            #[cfg(feature = "server")]
            ImageContent::Listed(list) => list.key_id(),
        }
    }

    /// The digest of the model that it is for.
    pub fn model_digest(&self) -> [u8; 32] {
        self.model
    }

    /// The bytes of its file: some 170, and 4 a value or bit. (A picture of the [paper's protocol](crate::paper) has
    /// files of its own. Of it, these are a list of ciphertexts, which is not read as a picture.)
    ///
    /// # Errors
    /// [`Error::Crypto`](crate::Error::Crypto) for ciphertexts of a parameter set that no file can name.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let bytes = match &self.content {
            ImageContent::Packed(packed) => serial::to_bytes(packed, self.model),
            ImageContent::Bits(bits) => serial::to_bytes(bits, self.model),
            #[cfg(feature = "server")]
            ImageContent::Listed(list) => serial::to_bytes(list, self.model),
        };
        Ok(bytes?.to_vec())
    }

    /// Reads it from its bytes.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes)
    }

    /// Reads it from a source that ends with it.
    ///
    /// # Errors
    /// [`Error::Crypto`](crate::Error::Crypto) where the source cannot be read, is damaged, or holds something else.
    pub fn read(source: impl Read) -> Result<Self> {
        let frame = Frame::read(source)?;
        let model = frame.header().context;
        let content = if frame.header().kind == Kind::SeededCiphertexts {
            ImageContent::Bits(frame.decode()?.content)
        } else {
            ImageContent::Packed(frame.decode()?.content)
        };
        Ok(Self { content, model })
    }
}

#[cfg(feature = "server")]
impl EncryptedImage {
    pub(crate) fn content(&self) -> &ImageContent {
        &self.content
    }

    pub(crate) fn check_model(&self, model: &Interface) -> Result<()> {
        model.check("encrypted image", self.model)
    }

    /// The SHA-256 of its file's content, which tells it from every other picture.
    pub(crate) fn digest(&self) -> Result<[u8; 32]> {
        Ok(Sha256::digest(self.to_bytes()?).into())
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

    pub(crate) fn check_model(&self, model: &Interface) -> Result<()> {
        model.check("encrypted scores", self.model)
    }

    /// The parameter set, which says by which engine they were made.
    pub fn parameters(&self) -> &Parameters {
        self.list.parameters()
    }

    /// Whose they are.
    pub fn key_id(&self) -> KeyId {
        self.list.key_id()
    }

    /// The digest of the model that made them.
    pub fn model_digest(&self) -> [u8; 32] {
        self.model
    }

    /// The bytes of their file: 136, and a ciphertext a part of a score (8 KB) or a bit of one (6 KB).
    ///
    /// # Errors
    /// [`Error::Crypto`](crate::Error::Crypto) for ciphertexts of a parameter set that no file can name.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(serial::to_bytes(&self.list, self.model)?.to_vec())
    }

    /// Reads them from their bytes.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes)
    }

    /// Reads them from a source that ends with them.
    ///
    /// # Errors
    /// [`Error::Crypto`](crate::Error::Crypto) where the source cannot be read, is damaged, or holds something else.
    pub fn read(source: impl Read) -> Result<Self> {
        let frame = Frame::read(source)?;
        let model = frame.header().context;
        Ok(Self { list: frame.decode()?.content, model })
    }
}
