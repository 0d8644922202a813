//! From floating point to integers: the *integer* meaning, which encrypted evaluation has too.
//!
//! Every value x of the network is an integer X times a scale of its layer, x = s X. Pixels are grey values, s = 1/255. A layer's
//! weights are integers of a width of its own, w = s_w W, and its sums have the scale s_w s. What follows an activation are 8 bits: as many
//! low bits are dropped as make the greatest value on the calibration pictures one of 8 bits.
//!
//! ```text
//! Y = floor(W X / 2^shift) + B,     B = ceil(b / (s_w s 2^shift)),     y = s_w s 2^shift Y
//! ```
//!
//! The floor takes half a unit away on average, and the ceiling adds it; a sum of 0 without a bias stays 0. A sign drops no bits and
//! gives -1 or 1. It does not change when its row is multiplied, so that each of its rows has a scale of its own; and sums are
//! integers, so that their bias is rounded down. An average is a sum, of which the scale is 1/cells. The scores are in units of a power
//! of two, as far as fraction bits go.

use safetensors::{Dtype, serialize, tensor::TensorView};
use toml::{Table, Value};

use super::network::{Linear, Operation, RealLayer, RealNetwork};
use crate::{
    error::{Error, Result},
    import::fault::ImportFault,
    model::files::ModelFiles,
    text::is_one_line,
};

/// Bits of a pixel.
const PIXEL_BITS: u32 = 8;
/// The greatest value after an activation: what 8 bits hold.
const GREATEST: f64 = 255.0;
/// Bits that a sum may lose, and fraction bits of scores.
const MOST_SHIFT: f64 = 30.0;

/// What a layer's sums become.
enum Next {
    Scores,
    Sign,
    /// Values, of which the greatest magnitude is this.
    Values(f64),
}

impl RealNetwork {
    /// The number of layers with weights.
    pub fn weighted_layers(&self) -> usize {
        self.layers.iter().filter(|layer| linear(layer).is_some()).count()
    }

    /// The network in integers. Each layer with weights has so many bits for them (2 to 8), of which the last counts for the layers
    /// that follow too; and values have the ranges that they have on these pictures (grey values from 0 to 1, as
    /// [`evaluate`](Self::evaluate) reads them). The ranges of sums for the functional engine are for
    /// [`calibrate`](crate::engine::calibrate) to add.
    ///
    /// # Errors
    /// [`ImportFault::Node`] where a number of a layer has no place in the integer network; [`Error::Model`] where the network is
    /// none that the model format has.
    pub fn to_integers(
        &self,
        (name, description): (&str, &str),
        pictures: &[Vec<f64>],
        weight_bits: &[u32],
    ) -> Result<ModelFiles> {
        let ranges = self.ranges(pictures);
        let greatest = |bits: u32| f64::from((1_u32 << (bits - 1)) - 1);
        let mut widths = weight_bits.iter().copied().map(greatest);
        let mut limit = greatest(PIXEL_BITS);
        let mut writer = Writer::default();
        let mut scale = 1.0 / f64::from((1_u32 << PIXEL_BITS) - 1);
        for (place, layer) in self.layers.iter().enumerate() {
            let after = self.layers[place + 1..].iter().take_while(|layer| linear(layer).is_none());
            let mut after = after.map(|layer| &layer.operation);
            let next = if linear(layer).is_none()
                || self.layers[place + 1..].iter().any(|layer| linear(layer).is_some())
            {
                let (least, most) = ranges[place];
                match after.find(|operation| matches!(operation, Operation::Relu | Operation::Sign)) {
                    Some(Operation::Sign) => Next::Sign,
                    Some(_) => Next::Values(most),
                    None => Next::Values(most.max(-least)),
                }
            } else {
                Next::Scores
            };
            if linear(layer).is_some() {
                limit = widths.next().unwrap_or(limit);
            }
            scale = writer.layer(layer, scale, next, limit)?;
        }
        let Writer { layers, tensors } = writer;
        let mut input = Table::new();
        input.insert("width".into(), (self.input.width as i64).into());
        input.insert("height".into(), (self.input.height as i64).into());
        input.insert("encoding".into(), "grey".into());
        input.insert("bits".into(), i64::from(PIXEL_BITS).into());
        let mut manifest = Table::new();
        manifest.insert("format".into(), 2.into());
        manifest.insert("name".into(), name.into());
        manifest.insert("description".into(), description.into());
        manifest.insert("input".into(), input.into());
        manifest.insert("layers".into(), layers.into_iter().map(Value::from).collect::<Vec<_>>().into());
        let views = tensors.iter().map(|(name, dtype, shape, data)| {
            let view = TensorView::new(*dtype, shape.clone(), data);
            (name, view.expect("invariant: shapes have as many numbers"))
        });
        let weights = serialize(views, None).expect("invariant: the tensors have names of their own");
        let manifest =
            toml::to_string(&manifest).expect("invariant: a table of numbers and texts can be written");
        let files = ModelFiles::new(manifest.into_bytes(), weights);
        files.model()?;
        Ok(files)
    }
}

/// The weights of a layer that has some.
fn linear(layer: &RealLayer) -> Option<&Linear> {
    match &layer.operation {
        Operation::Dense(linear) | Operation::Convolution(linear, _) => Some(linear),
        _ => None,
    }
}

fn greatest_magnitude(weights: &[f64]) -> f64 {
    weights.iter().fold(0.0, |widest, weight| widest.max(weight.abs()))
}

#[derive(Default)]
struct Writer {
    layers: Vec<Table>,
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Writer {
    /// Writes a layer that reads values of this scale, and gives the scale of what it gives.
    fn layer(&mut self, layer: &RealLayer, scale: f64, next: Next, limit: f64) -> Result<f64> {
        let name = self.name(layer);
        let mut table = Table::new();
        table.insert("name".into(), name.clone().into());
        let (kind, scale) = match &layer.operation {
            Operation::Relu => ("relu", scale),
            Operation::Sign => ("sign", 1.0),
            Operation::MaxPool { size } => {
                table.insert("size".into(), (*size as i64).into());
                ("max-pool", scale)
            }
            Operation::AveragePool { size } => {
                table.insert("size".into(), (*size as i64).into());
                ("sum-pool", scale / (size * size) as f64)
            }
            Operation::Dense(linear) => {
                let outputs = linear.biases.len();
                table.insert("inputs".into(), (linear.columns as i64).into());
                table.insert("outputs".into(), (outputs as i64).into());
                let shape = vec![outputs, linear.columns];
                ("dense", self.numbers(layer, linear, shape, &mut table, scale, next, limit)?)
            }
            Operation::Convolution(linear, window) => {
                let filters = linear.biases.len();
                for (key, value) in [
                    ("filters", filters),
                    ("size", window.size),
                    ("stride", window.stride),
                    ("padding", window.padding),
                    ("groups", window.groups),
                ] {
                    table.insert(key.into(), (value as i64).into());
                }
                let channels = linear.columns / (window.size * window.size);
                let shape = vec![filters, channels, window.size, window.size];
                ("convolution", self.numbers(layer, linear, shape, &mut table, scale, next, limit)?)
            }
            Operation::Affine { .. } => unreachable!("invariant: affine maps are folded"),
        };
        table.insert("kind".into(), kind.into());
        self.layers.push(table);
        Ok(scale)
    }

    /// The node's name, where it is one that a manifest can have and no other layer has.
    fn name(&self, layer: &RealLayer) -> String {
        let is_taken = |name: &str| {
            self.layers.iter().any(|layer| layer.get("name").and_then(Value::as_str) == Some(name))
        };
        if is_one_line(&layer.name) && !is_taken(&layer.name) {
            return layer.name.clone();
        }
        let numbered = (self.layers.len()..).map(|number| format!("layer-{number}"));
        numbered.into_iter().find(|name| !is_taken(name)).expect("invariant: numbers do not end")
    }

    /// Writes the numbers of a linear layer, and gives the scale of its results.
    #[allow(clippy::too_many_arguments)]
    fn numbers(
        &mut self,
        layer: &RealLayer,
        linear: &Linear,
        shape: Vec<usize>,
        table: &mut Table,
        scale: f64,
        next: Next,
        limit: f64,
    ) -> Result<f64> {
        let fault = |reason: String| -> Error {
            ImportFault::Node { node: layer.name.clone(), kind: "layer".into(), reason }.into()
        };
        let widest = greatest_magnitude(&linear.weights);
        let finest = if widest > 0.0 { widest / limit * scale } else { scale };
        if !finest.is_normal() {
            return Err(fault("its weights are too large or too small for numbers".into()));
        }
        // The scale of a sum, and the bits that it loses.
        let (of_sum, shift) = match next {
            Next::Scores => {
                let fraction_bits = (-finest.log2()).floor();
                table.insert("fraction_bits".into(), (fraction_bits.clamp(0.0, MOST_SHIFT) as i64).into());
                let is_one = (0.0..=MOST_SHIFT).contains(&fraction_bits);
                (if is_one { (-fraction_bits).exp2() } else { finest }, 0.0)
            }
            Next::Sign => (finest, 0.0),
            Next::Values(most) => (finest, (most / finest / GREATEST).log2().ceil().max(0.0)),
        };
        if shift > MOST_SHIFT {
            return Err(fault(format!("its sums would lose {shift} bits, where {MOST_SHIFT} are the most")));
        }
        if shift > 0.0 {
            table.insert("shift".into(), (shift as i64).into());
        }
        let result = of_sum * shift.exp2();
        let (mut weights, mut biases) = (Vec::<i8>::new(), Vec::<f64>::new());
        for (row, bias) in linear.weights.chunks(linear.columns).zip(&linear.biases) {
            let widest = greatest_magnitude(row);
            // What a weight of 1 is, of a row with a scale of its own.
            let one =
                if matches!(next, Next::Sign) && widest > 0.0 { widest / limit } else { of_sum / scale };
            weights.extend(row.iter().map(|weight| (weight / one).round() as i8));
            biases.push(match next {
                Next::Sign => (bias / (one * scale)).floor(),
                _ if shift > 0.0 => (bias / result).ceil(),
                _ => (bias / result).round(),
            });
        }
        if biases.iter().any(|bias| !bias.is_finite() || bias.abs() >= f64::from(i32::MAX)) {
            return Err(fault("a bias is too large beside its weights".into()));
        }
        let names = ["weights", "biases"].map(|part| format!("{}.{part}", self.layers.len()));
        for (part, name) in ["weights", "biases"].iter().zip(&names) {
            table.insert((*part).into(), name.clone().into());
        }
        let [weights_name, biases_name] = names;
        let bytes = weights.iter().map(|weight| weight.cast_unsigned()).collect();
        self.tensors.push((weights_name, Dtype::I8, shape, bytes));
        let bytes = biases.iter().flat_map(|&bias| (bias as i32).to_le_bytes()).collect();
        self.tensors.push((biases_name, Dtype::I32, vec![biases.len()], bytes));
        Ok(result)
    }
}
