//! A model as its folder holds it: `manifest.toml` describes its input and layers, `weights.safetensors` has their
//! integers.
//!
//! Both files are written from the same [`Model`], so that the manifest names the tensors that there are.

use safetensors::tensor::serialize;

use crate::error::Result;
use crate::mnist::SIDE;
use crate::tensor::Tensor;

/// The column where a manifest's comments begin, for tensors whose names leave room for it.
pub(crate) const COMMENTS: usize = 32;

/// What a model folder holds besides the card.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The network's name, and its folder's.
    pub(crate) name: &'static str,
    /// What the network is, in a line.
    pub(crate) description: String,
    /// What the client encrypts.
    pub(crate) input: Input,
    /// In the order of evaluation.
    pub(crate) layers: Vec<Layer>,
    /// The column where the manifest's comments begin.
    pub(crate) comments: usize,
}

/// What a client makes of a picture's grey values before it encrypts them: the encodings of [`crate::pixels`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input {
    /// Encoding "threshold".
    Threshold {
        /// Grey value from which a pixel is 1.
        threshold: u8,
        /// The most set pixels that a client accepts.
        max_active: u32,
    },
    /// Encoding "grey".
    Grey {
        /// Bits of a pixel.
        bits: u8,
    },
    /// Encoding "sign-and-scale".
    SignAndScale {
        /// Pixels on a side of a window.
        window: usize,
        /// Of a scale.
        fraction_bits: u32,
        /// Bits of a scale, sign included.
        bits: u32,
        /// The largest scale that a client accepts, in units of 2^-`fraction_bits`.
        largest: i32,
    },
}

/// A layer of a network.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// Its name, with which its tensors' names begin.
    pub(crate) name: String,
    /// Its lines of the manifest but for its name and tensors.
    pub(crate) settings: String,
    /// Its integers.
    pub(crate) tensors: Vec<Tensor>,
}

impl Model {
    /// The text of `manifest.toml`.
    pub(crate) fn manifest(&self) -> String {
        let Self { name, description, input, layers, comments } = self;
        let layers: String = layers.iter().map(|layer| layer.lines(*comments)).collect();
        format!(
            r#"format = 1
name = "{name}"
description = "{description}"

[input]
width = {SIDE}
height = {SIDE}
{}{layers}"#,
            input.lines(*comments)
        )
    }

    /// The bytes of `weights.safetensors`, the same for the same tensors.
    ///
    /// # Errors
    /// A tensor whose values do not fill its dimensions.
    pub(crate) fn weights(&self) -> Result<Vec<u8>> {
        let views: std::result::Result<Vec<_>, _> =
            self.tensors().map(|(name, tensor)| Ok((name, tensor.view()?))).collect();
        Ok(views.and_then(|views| serialize(views, None))?)
    }

    /// All tensors with their names.
    fn tensors(&self) -> impl Iterator<Item = (String, &Tensor)> {
        self.layers
            .iter()
            .flat_map(|layer| layer.tensors.iter().map(|tensor| (layer.name_of(tensor), tensor)))
    }
}

impl Input {
    /// Its lines of the manifest.
    fn lines(self, comments: usize) -> String {
        match self {
            Self::Threshold { threshold, max_active } => format!(
                r#"encoding = "threshold"          # x = 1 where the grey value is at least `threshold`, else 0
threshold = {threshold}
max_active = {max_active}                # most set pixels the client accepts
"#
            ),
            Self::Grey { bits } => format!(
                "{:<comments$}# x = the upper `bits` bits of the grey value\nbits = {bits}\n",
                r#"encoding = "grey""#
            ),
            Self::SignAndScale { window, fraction_bits, bits, largest } => format!(
                r#"encoding = "sign-and-scale"     # s = 1 where z >= 0; K = mean of |z| over each window; z the standardised picture
window = {window}
fraction_bits = {fraction_bits}              # of K
bits = {bits}                       # of each K
largest = {largest}                # largest K the client accepts, in units of 2^-{fraction_bits}
"#
            ),
        }
    }
}

impl Layer {
    /// A dense layer, whose `weights` are `[outputs, inputs]`. `kind` is its line of the manifest, `settings` are its lines
    /// after the shape.
    pub(crate) fn dense(name: &str, kind: &str, settings: &str, weights: Tensor, biases: &[i32]) -> Self {
        let shape: String =
            weights.dimensions().iter().rev().map(|(name, size)| format!("{name} = {size}\n")).collect();
        Self {
            name: name.to_owned(),
            settings: format!("{kind}\n{shape}{settings}"),
            tensors: vec![weights, Tensor::biases("outputs", biases)],
        }
    }

    /// The last layer of a network whose scores are integers. `values` is what the formulas call what it reads.
    pub(crate) fn scores(
        values: char,
        fraction_bits: u32,
        weights: Tensor,
        biases: &[i32],
        comments: usize,
    ) -> Self {
        let kind = format!("{:<comments$}# s = (V {values} + c) / 2^fraction_bits", r#"kind = "dense""#);
        // The comment stands in its column behind a number of one digit.
        let gap = " ".repeat(comments - "fraction_bits = 0".len());
        let settings = format!("fraction_bits = {fraction_bits}{gap}# fixed point of weights and biases\n");
        Self::dense("scores", &kind, &settings, weights, biases)
    }

    /// A layer that makes negative values zero.
    pub(crate) fn rectifier(name: &str) -> Self {
        Self { name: name.to_owned(), settings: "kind = \"relu\"\n".to_owned(), tensors: vec![] }
    }

    /// A layer that keeps the largest value of each cell of `size` by `size`.
    pub(crate) fn max_pool(size: usize) -> Self {
        let settings = format!("kind = \"max-pool\"\nsize = {size}\n");
        Self { name: "pooled".to_owned(), settings, tensors: vec![] }
    }

    /// Its lines of the manifest.
    fn lines(&self, comments: usize) -> String {
        let Self { name, settings, tensors } = self;
        let keys = tensors.iter().map(|tensor| format!(r#"{} = "{}""#, tensor.part(), self.name_of(tensor)));
        let keys: Vec<String> = keys.collect();
        let width = keys.iter().map(|key| key.len() + 1).fold(comments, usize::max);
        let line = |(key, tensor): (&String, &Tensor)| format!("{key:<width$}# {}\n", tensor.description());
        let tensors: String = keys.iter().zip(tensors).map(line).collect();
        format!("\n[[layers]]\nname = \"{name}\"\n{settings}{tensors}")
    }

    /// The name of one of its tensors.
    fn name_of(&self, tensor: &Tensor) -> String {
        format!("{}.{}", self.name, tensor.part())
    }
}

#[cfg(test)]
impl Model {
    /// The manifest, with a check that its layers name exactly the tensors there are.
    pub(crate) fn parsed(&self) -> toml::Table {
        let manifest: toml::Table = self.manifest().parse().expect("TOML");
        let layers = manifest["layers"].as_array().expect("layers");
        let mut named: Vec<&str> = ["weights", "scales", "biases"]
            .iter()
            .flat_map(|&part| layers.iter().filter_map(move |layer| layer.get(part)?.as_str()))
            .collect();
        let mut held: Vec<String> = self.tensors().map(|(name, _)| name).collect();
        named.sort_unstable();
        held.sort_unstable();
        assert_eq!(named, held);
        manifest
    }

    /// Type and shape of the tensor `name`.
    pub(crate) fn tensor(&self, name: &str) -> (safetensors::Dtype, Vec<usize>) {
        let (_, tensor) = self.tensors().find(|(found, _)| found == name).expect(name);
        let view = tensor.view().expect("values that fill the dimensions");
        (view.dtype(), view.shape().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use safetensors::{Dtype, SafeTensors};

    use super::*;

    fn model(name: &str) -> Model {
        let weights = Tensor::weights(&[("outputs", 2), ("inputs", 3)], &[1, -1, -1, 1, 0, 7]);
        Model {
            name: "small",
            description: "Two sums".to_owned(),
            input: Input::Grey { bits: 3 },
            layers: vec![
                Layer::dense(name, "kind = \"dense\"", "shift = 1\n", weights, &[5, -64]),
                Layer::rectifier("rectified"),
            ],
            comments: 30,
        }
    }

    #[test]
    fn the_files_are_those_of_the_layers() -> Result<()> {
        let model = model("hidden");
        assert_eq!(
            model.manifest(),
            r#"format = 1
name = "small"
description = "Two sums"

[input]
width = 28
height = 28
encoding = "grey"             # x = the upper `bits` bits of the grey value
bits = 3

[[layers]]
name = "hidden"
kind = "dense"
inputs = 3
outputs = 2
shift = 1
weights = "hidden.weights"    # i8 [outputs, inputs]
biases = "hidden.biases"      # i32 [outputs]

[[layers]]
name = "rectified"
kind = "relu"
"#
        );
        let file = model.weights()?;
        let tensors = SafeTensors::deserialize(&file)?;
        let hidden = tensors.tensor("hidden.weights")?;
        assert_eq!((hidden.dtype(), hidden.shape()), (Dtype::I8, &[2, 3][..]));
        assert_eq!(hidden.data(), [1, 255, 255, 1, 0, 7]);
        let biases = tensors.tensor("hidden.biases")?;
        assert_eq!((biases.dtype(), biases.data()), (Dtype::I32, &[5, 0, 0, 0, 192, 255, 255, 255][..]));
        Ok(())
    }

    #[test]
    fn long_names_move_the_comments_of_their_layer() {
        let manifest = model("the-first-layer").manifest();
        assert!(manifest.contains("\nweights = \"the-first-layer.weights\" # i8 [outputs, inputs]\n"));
        assert!(manifest.contains("\nbiases = \"the-first-layer.biases\"   # i32 [outputs]\n"));
    }
}
