//! The two files of a model, made of tensors, so that a test can spoil either.

use std::{fs, path::Path};

use safetensors::{Dtype, tensor::TensorView};

/// A tensor of a model.
#[derive(Debug, Clone)]
pub struct Tensor {
    /// Its name in the manifest.
    pub name: &'static str,
    /// The type of its numbers.
    pub dtype: Dtype,
    /// Its dimensions, the slowest first.
    pub shape: Vec<usize>,
    /// Its numbers, little-endian.
    pub bytes: Vec<u8>,
}

impl Tensor {
    /// Small integers of any shape.
    pub fn small(name: &'static str, shape: &[usize], entries: &[i8]) -> Self {
        let bytes = entries.iter().map(|entry| entry.cast_unsigned()).collect();
        Self { name, dtype: Dtype::I8, shape: shape.into(), bytes }
    }

    /// A matrix of small integers, row-major.
    pub fn matrix(name: &'static str, columns: usize, entries: &[i8]) -> Self {
        Self::small(name, &[entries.len() / columns, columns], entries)
    }

    /// A vector of integers, such as biases or scales.
    pub fn biases(name: &'static str, entries: &[i32]) -> Self {
        let bytes = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        Self { name, dtype: Dtype::I32, shape: vec![entries.len()], bytes }
    }
}

/// A manifest, and the tensors that it names.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    /// The content of `manifest.toml`.
    pub manifest: String,
    /// What `weights.safetensors` holds.
    pub tensors: Vec<Tensor>,
}

impl ModelFiles {
    /// The files of a manifest and its tensors.
    pub fn new(manifest: impl Into<String>, tensors: impl Into<Vec<Tensor>>) -> Self {
        Self { manifest: manifest.into(), tensors: tensors.into() }
    }

    /// The same with `from`, which occurs in the manifest once, replaced by `to`.
    ///
    /// # Panics
    /// If it occurs more or less often.
    pub fn replace(mut self, from: &str, to: &str) -> Self {
        assert_eq!(self.manifest.matches(from).count(), 1, "{from:?} in the manifest");
        self.manifest = self.manifest.replace(from, to);
        self
    }

    /// The content of `weights.safetensors`.
    ///
    /// # Panics
    /// If a tensor has not as many bytes as its shape, or two have one name.
    pub fn weights(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|tensor| {
            (tensor.name, TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    }

    /// Writes both files to a new folder.
    ///
    /// # Panics
    /// If the folder is there, or cannot be written.
    pub fn write(&self, folder: &Path) {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("manifest.toml"), &self.manifest).unwrap();
        fs::write(folder.join("weights.safetensors"), self.weights()).unwrap();
    }
}
