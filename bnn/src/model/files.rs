//! The bytes of a model's two files.

#[cfg(feature = "server")]
use super::manifest::{LABEL_CHANGES, SUMS};
use super::network::Model;
use crate::error::Result;

/// The bytes of a model's two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    manifest: Vec<u8>,
    weights: Vec<u8>,
}

impl ModelFiles {
    /// These bytes, which may be those of no model.
    pub fn new(manifest: Vec<u8>, weights: Vec<u8>) -> Self {
        Self { manifest, weights }
    }

    /// The same network, of format 2, with these ranges of the layers' sums, and the share of labels that noise changes. Comments of
    /// the manifest are lost.
    #[cfg(feature = "server")]
    pub(crate) fn calibrated(&self, sums: &[Option<(i64, i64)>], label_changes: Option<f64>) -> Result<Self> {
        self.model()?;
        let invariant = "invariant: a model's manifest is TOML with a list of tables";
        let mut manifest: toml::Table = toml::from_slice(&self.manifest).expect(invariant);
        // Repeated names are refused in format 2 alone: the reader below says so.
        manifest.insert("format".into(), 2.into());
        manifest.remove(LABEL_CHANGES);
        if let Some(share) = label_changes {
            manifest.insert(LABEL_CHANGES.into(), share.into());
        }
        let layers = manifest.get_mut("layers").and_then(toml::Value::as_array_mut).expect(invariant);
        for (layer, sums) in layers.iter_mut().zip(sums) {
            let layer = layer.as_table_mut().expect(invariant);
            layer.remove(SUMS);
            if let Some((least, most)) = *sums {
                layer.insert(SUMS.into(), vec![least, most].into());
            }
        }
        let manifest = toml::to_string(&manifest).expect("invariant: what was read can be written");
        let files = Self::new(manifest.into_bytes(), self.weights.clone());
        files.model()?;
        Ok(files)
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
