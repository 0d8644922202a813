//! A model folder: the manifest that describes a network, the safetensors file with its integers, and its card.

use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::error::{Error, Result};

/// What a network puts into its folder besides the card.
#[derive(Debug)]
pub(crate) struct Contents {
    /// The text of `manifest.toml`.
    pub(crate) manifest: String,
    /// The tensors of `weights.safetensors`.
    pub(crate) tensors: Vec<Tensor>,
}

/// A tensor of integers as a file holds it: named, little-endian, row-major.
#[derive(Debug)]
pub(crate) struct Tensor {
    name: String,
    kind: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Tensor {
    /// A tensor of `i8`.
    pub(crate) fn bytes(name: &str, shape: &[usize], values: &[i8]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name: name.to_owned(), kind: Dtype::I8, shape: shape.to_vec(), data }
    }

    /// A tensor of `i32`.
    pub(crate) fn words(name: &str, shape: &[usize], values: &[i32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name: name.to_owned(), kind: Dtype::I32, shape: shape.to_vec(), data }
    }

    /// A tensor of `i8`, of values that an `i8` holds.
    pub(crate) fn narrow(name: &str, shape: &[usize], values: &[i32]) -> Self {
        let narrow = |&value| i8::try_from(value).expect("a grid of at most 127");
        Self::bytes(name, shape, &values.iter().map(narrow).collect::<Vec<_>>())
    }
}

/// Writes `manifest.toml`, `weights.safetensors` and the model card `README.md` into `folder`, made if absent.
pub(crate) fn write(folder: &Path, contents: &Contents, card: &str) -> Result<()> {
    fs::create_dir_all(folder).map_err(|source| Error::Io { file: folder.to_owned(), source })?;
    let put = |name: &str, contents: &[u8]| {
        let file = folder.join(name);
        fs::write(&file, contents).map_err(|source| Error::Io { file, source })
    };
    put("manifest.toml", contents.manifest.as_bytes())?;
    put("weights.safetensors", &weights(&contents.tensors)?)?;
    put("README.md", card.as_bytes())
}

/// The bytes of `weights.safetensors`, the same for the same tensors.
fn weights(tensors: &[Tensor]) -> Result<Vec<u8>> {
    let views: std::result::Result<Vec<_>, _> = tensors
        .iter()
        .map(|Tensor { name, kind, shape, data }| Ok((name, TensorView::new(*kind, shape.clone(), data)?)))
        .collect();
    Ok(views.and_then(|views| serialize(views, None))?)
}

#[cfg(test)]
impl Contents {
    /// The manifest, with a check that its layers name exactly the tensors there are.
    pub(crate) fn parsed(&self) -> toml::Table {
        let manifest: toml::Table = self.manifest.parse().expect("TOML");
        let layers = manifest["layers"].as_array().expect("layers");
        let mut named: Vec<&str> = ["weights", "scales", "biases"]
            .iter()
            .flat_map(|&part| layers.iter().filter_map(move |layer| layer.get(part)?.as_str()))
            .collect();
        let mut held: Vec<&str> = self.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        named.sort_unstable();
        held.sort_unstable();
        assert_eq!(named, held);
        manifest
    }

    /// Type and shape of the tensor `name`.
    pub(crate) fn tensor(&self, name: &str) -> (Dtype, &[usize]) {
        let tensor = self.tensors.iter().find(|tensor| tensor.name == name).expect(name);
        (tensor.kind, &tensor.shape)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use safetensors::SafeTensors;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::card::Card;
    use crate::run::command;

    /// Asserts that the files a network's folder holds have these SHA-256 sums: manifest, weights and card. The command on
    /// the card is that of the test's process, so another one takes its place.
    pub(crate) fn assert_sums(contents: &Contents, card: &Card, sums: [&str; 3]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let card = card.to_string().replace(&command(), "the command");
        write(folder.path(), contents, &card).expect("a folder of our own");
        let found = ["manifest.toml", "weights.safetensors", "README.md"].map(|name| {
            let bytes = fs::read(folder.path().join(name)).expect("just written");
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        assert_eq!(found, sums);
    }

    #[test]
    fn a_folder_holds_the_networks_integers() {
        let tensors = vec![
            Tensor::bytes("hidden.weights", &[2, 3], &[1, -1, -1, 1, 0, 7]),
            Tensor::words("hidden.biases", &[2], &[5, -64]),
        ];
        let folder = tempfile::tempdir().expect("a temporary folder");
        let contents = Contents { manifest: "format = 1\n".to_owned(), tensors };
        write(folder.path(), &contents, "card").expect("a folder of our own");
        let read = |name| fs::read(folder.path().join(name)).expect("just written");
        assert_eq!((read("manifest.toml"), read("README.md")), (b"format = 1\n".to_vec(), b"card".to_vec()));
        let file = read("weights.safetensors");
        let tensors = SafeTensors::deserialize(&file).expect("safetensors");
        let hidden = tensors.tensor("hidden.weights").expect("hidden.weights");
        assert_eq!((hidden.dtype(), hidden.shape()), (Dtype::I8, &[2, 3][..]));
        assert_eq!(hidden.data(), [1, 255, 255, 1, 0, 7]);
        let biases = tensors.tensor("hidden.biases").expect("hidden.biases");
        assert_eq!((biases.dtype(), biases.data()), (Dtype::I32, &[5, 0, 0, 0, 192, 255, 255, 255][..]));
    }
}
