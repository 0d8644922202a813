//! The bytes of a model's two files.

use super::network::Model;
use crate::error::Result;

/// The bytes of a model's two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    manifest: Vec<u8>,
    weights: Vec<u8>,
}

impl ModelFiles {
    pub(crate) fn new(manifest: Vec<u8>, weights: Vec<u8>) -> Self {
        Self { manifest, weights }
    }

    /// `manifest.toml`.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// `weights.safetensors`.
    pub fn weights(&self) -> &[u8] {
        &self.weights
    }

    /// The model.
    ///
    /// # Errors
    /// Those of [`Model::from_bytes`].
    pub fn model(&self) -> Result<Model> {
        Model::from_bytes(&self.manifest, &self.weights)
    }
}
