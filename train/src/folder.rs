//! A model folder: the manifest that describes a network and the safetensors file with its integers.

use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::error::{Error, Result};
use crate::integer::Perceptron;
use crate::mnist::{CLASSES, PIXELS, SIDE};

/// The network's name, and its folder's.
pub(crate) const NAME: &str = "binarized-perceptron";

/// What a client must know besides the weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interface {
    /// Grey value from which a pixel is 1.
    pub(crate) threshold: u8,
    /// Most set pixels the client accepts in an image.
    pub(crate) max_active: u32,
    /// Real scores are the integer ones divided by two to this power.
    pub(crate) fraction_bits: u32,
}

/// Writes `manifest.toml`, `weights.safetensors` and the model card `README.md` into `folder`, made if absent.
pub(crate) fn write(folder: &Path, network: &Perceptron, interface: Interface, card: &str) -> Result<()> {
    fs::create_dir_all(folder).map_err(|source| Error::Io { file: folder.to_owned(), source })?;
    let put = |name: &str, contents: &[u8]| {
        let file = folder.join(name);
        fs::write(&file, contents).map_err(|source| Error::Io { file, source })
    };
    put("manifest.toml", manifest(network, interface).as_bytes())?;
    put("weights.safetensors", &weights(network)?)?;
    put("README.md", card.as_bytes())
}

/// The text of `manifest.toml`.
fn manifest(network: &Perceptron, interface: Interface) -> String {
    let Interface { threshold, max_active, fraction_bits } = interface;
    let hidden = network.hidden();
    format!(
        r#"format = 1
name = "{NAME}"
description = "Handwritten digits: one hidden layer of {hidden} signs with weights +1 and -1, then integer scores"

[input]
width = {SIDE}
height = {SIDE}
encoding = "threshold"          # x = 1 where the grey value is at least `threshold`, else 0
threshold = {threshold}
max_active = {max_active}                # most set pixels the client accepts

[[layers]]
name = "hidden"
kind = "binary-dense"           # h = sign(W x + b + 1/2), W in {{-1,+1}}
inputs = {PIXELS}
outputs = {hidden}
weights = "hidden.weights"      # i8 [outputs, inputs]
biases = "hidden.biases"        # i32 [outputs]

[[layers]]
name = "scores"
kind = "dense"                  # s = (V h + c) / 2^fraction_bits
inputs = {hidden}
outputs = {CLASSES}
fraction_bits = {fraction_bits}               # fixed point of weights and biases
weights = "scores.weights"      # i8 [outputs, inputs]
biases = "scores.biases"        # i32 [outputs]
"#
    )
}

/// The bytes of `weights.safetensors`, the same for the same network.
fn weights(network: &Perceptron) -> Result<Vec<u8>> {
    let hidden = network.hidden();
    let bytes = |values: &[i8]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let words = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let tensors = [
        ("hidden.weights", Dtype::I8, vec![hidden, PIXELS], bytes(&network.hidden_weights)),
        ("hidden.biases", Dtype::I32, vec![hidden], words(&network.hidden_biases)),
        ("scores.weights", Dtype::I8, vec![CLASSES, hidden], bytes(&network.score_weights)),
        ("scores.biases", Dtype::I32, vec![CLASSES], words(&network.score_biases)),
    ];
    let views: std::result::Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, kind, shape, data)| Ok((*name, TensorView::new(*kind, shape.clone(), data)?)))
        .collect();
    Ok(views.and_then(|views| serialize(views, None))?)
}

#[cfg(test)]
mod tests {
    use safetensors::SafeTensors;

    use super::*;

    const INTERFACE: Interface = Interface { threshold: 128, max_active: 400, fraction_bits: 3 };

    fn network() -> Perceptron {
        Perceptron {
            hidden_weights: (0..2 * PIXELS).map(|index| if index % 3 == 0 { 1 } else { -1 }).collect(),
            hidden_biases: vec![5, -64],
            score_weights: (-10..10).collect(),
            score_biases: (-5..5).collect(),
        }
    }

    #[test]
    fn the_manifest_is_toml_and_says_the_shapes() {
        let manifest: toml::Table = manifest(&network(), INTERFACE).parse().expect("TOML");
        assert_eq!(manifest["input"]["threshold"].as_integer(), Some(128));
        assert_eq!(manifest["input"]["max_active"].as_integer(), Some(400));
        assert_eq!(manifest["layers"][0]["outputs"].as_integer(), Some(2));
        assert_eq!(manifest["layers"][1]["inputs"].as_integer(), Some(2));
        assert_eq!(manifest["layers"][1]["fraction_bits"].as_integer(), Some(3));
    }

    #[test]
    fn a_folder_holds_the_networks_integers() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(folder.path(), &network(), INTERFACE, "card").expect("a folder of our own");
        let file = fs::read(folder.path().join("weights.safetensors")).expect("just written");
        let tensors = SafeTensors::deserialize(&file).expect("safetensors");
        let hidden = tensors.tensor("hidden.weights").expect("hidden.weights");
        assert_eq!((hidden.dtype(), hidden.shape()), (Dtype::I8, &[2, PIXELS][..]));
        assert_eq!(hidden.data()[..4], [1, 255, 255, 1]);
        let biases = tensors.tensor("hidden.biases").expect("hidden.biases");
        assert_eq!((biases.dtype(), biases.data()), (Dtype::I32, &[5, 0, 0, 0, 192, 255, 255, 255][..]));
        assert_eq!(tensors.tensor("scores.weights").expect("scores.weights").shape(), [CLASSES, 2]);
        assert_eq!(tensors.tensor("scores.biases").expect("scores.biases").shape(), [CLASSES]);
    }
}
