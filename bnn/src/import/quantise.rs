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
//! The floor takes half a unit away on average, and the ceiling adds it; a sum of 0 without a bias stays 0.
//!
//! Where batch normalisation gave each row a factor of its own, each row has a scale of its own, s_r, and what follows is brought to the
//! same scale, t, by a layer of integers a channel, with the half unit in the bias:
//!
//! ```text
//! Y = floor(m_r (W X + B) / 2^shift),     m_r = s_r s 2^shift / t,     B = b / (s_r s) + t / (2 s_r s),     y = t Y
//! ```
//!
//! What is added to the sums of a layer has a scale s' of its own, and a factor that is an integer:
//!
//! ```text
//! Y = W X + B + m X',     m = floor(s' / (s_w s)),     s_w s = s' / m
//! ```
//!
//! so that the weights' integers are a little smaller than their width allows. What follows is brought to 8 bits by a layer of scales.
//!
//! A clip has its ends in the same units; its range has 8 bits. Before values that the file itself quantises, t is their step, and
//! before a curve what makes its entries fine. A sign drops no bits and
//! gives -1 or 1. It does not change when its row is multiplied, so that each of its rows has a scale of its own; and sums are
//! integers, so that their bias is rounded down. An average is a sum, of which the scale is 1/cells. The scores are in units of a power
//! of two, as far as fraction bits go.

use safetensors::{Dtype, serialize, tensor::TensorView};
use toml::{Table, Value};

use super::network::{Curve, Grid, Linear, Operation, RealLayer, RealNetwork, ValueRanges, kept, union};
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
/// The greatest scale of a channel: what 15 bits hold, so that the other channels' are near.
const GREATEST_SCALE: f64 = 32767.0;
/// Entries of a curve, from one flat end to the other, and the greatest.
const CURVE_ENTRIES: i32 = 1024;
const CURVE_GREATEST: f64 = 127.0;
/// The greatest weight that a row keeps at least, where its width allows it.
const COARSE: f64 = 15.0;
/// How much finer a row's weights may be than those of its layer.
const MOST_FINER: f64 = 1024.0;
/// The greatest factor of an addition.
const MOST_FACTOR: f64 = (1 << 20) as f64;

/// What a layer's sums become.
enum Next {
    Scores,
    Sign,
    /// Values, of which the greatest magnitude is this.
    Values(f64),
    /// Values in units of this, by a scale for each row.
    Units(f64),
    /// Sums to which values of this scale are added, before they become something else.
    Added(f64, Box<Next>),
}

impl RealNetwork {
    /// The number of layers with weights.
    pub fn weighted_layers(&self) -> usize {
        self.layers.iter().filter(|layer| linear(layer).is_some()).count()
    }

    /// The network in integers. Each layer with weights has so many bits for them (2 to 8), of which the last counts for the layers
    /// that follow too; and values have these ranges. The ranges of sums for the functional engine are for
    /// [`calibrate`](crate::engine::calibrate) to add.
    ///
    /// # Errors
    /// [`ImportFault::Node`] where a number of a layer has no place in the integer network; [`Error::Model`] where the network is
    /// none that the model format has.
    pub fn to_integers(
        &self,
        (name, description): (&str, &str),
        ValueRanges(ranges): &ValueRanges,
        weight_bits: &[u32],
    ) -> Result<ModelFiles> {
        let greatest = |bits: u32| f64::from((1_u32 << (bits - 1)) - 1);
        let mut widths = weight_bits.iter().copied().map(greatest);
        let mut limit = greatest(PIXEL_BITS);
        let mut writer = Writer::default();
        let of_pixels = 1.0 / f64::from((1_u32 << PIXEL_BITS) - 1);
        let kept = kept(&self.layers);
        for (place, layer) in self.layers.iter().enumerate() {
            if linear(layer).is_some() {
                limit = widths.next().unwrap_or(limit);
            }
            let all = |place: usize| ranges[place].iter().copied().fold((0.0, 0.0), union);
            let next = match self.layers.get(place + 1).map(|layer| &layer.operation) {
                Some(&Operation::Add { from }) => {
                    let after = self.next(place + 1, all(place + 1), &kept);
                    Next::Added(writer.given[from].scale, Box::new(after))
                }
                _ => self.next(place, all(place), &kept),
            };
            let scale = layer.reads.map_or(of_pixels, |layer| writer.given[layer].scale);
            writer.layer((place, layer), scale, (next, &ranges[place]), limit)?;
        }
        let Writer { layers, tensors, .. } = writer;
        let mut input = Table::new();
        input.insert("width".into(), (self.input.width as i64).into());
        input.insert("height".into(), (self.input.height as i64).into());
        if self.input.channels > 1 {
            input.insert("channels".into(), (self.input.channels as i64).into());
        }
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

    /// What the sums of the layer at this place become, of which these are the least and the greatest.
    fn next(&self, place: usize, (least, most): (f64, f64), kept: &[bool]) -> Next {
        let (layer, after) = (&self.layers[place], &self.layers[place + 1..]);
        if linear(layer).is_some() && after.iter().all(|layer| linear(layer).is_none()) {
            return Next::Scores;
        }
        // What several layers read has 8 bits for all of them.
        let until_next = after.iter().take_while(|layer| linear(layer).is_none() && !kept[place]);
        let until_next = until_next.map(|layer| &layer.operation);
        let unit = until_next.clone().find_map(|operation| match operation {
            Operation::Quantised { step, .. } => Some(*step),
            Operation::Curve(curve) => Some(curve_unit(*curve)),
            _ => None,
        });
        if let Some(unit) = unit {
            return Next::Units(unit);
        }
        let ends = |operation: &Operation| match operation {
            Operation::Sign => Some(None),
            Operation::Relu => Some(Some((0.0, f64::INFINITY))),
            Operation::Clip { least, most } => Some(Some((*least, *most))),
            _ => None,
        };
        let greatest = match until_next.clone().find_map(ends) {
            Some(None) => return Next::Sign,
            Some(Some((low, high))) => most.min(high).max(-least.max(low)),
            None => most.max(-least),
        };
        // Rows of scales of their own, and sums with additions, are brought to one scale by a layer of scales.
        let needs_scales = match &layer.operation {
            Operation::Add { .. } => true,
            _ => linear(layer).is_some_and(|linear| linear.grid == Grid::Row),
        };
        if needs_scales && greatest > 0.0 { Next::Units(greatest / GREATEST) } else { Next::Values(greatest) }
    }
}

/// The weights of a layer that has some.
fn linear(layer: &RealLayer) -> Option<&Linear> {
    match &layer.operation {
        Operation::Dense(linear) | Operation::Convolution(linear, _) => Some(linear),
        _ => None,
    }
}

/// How far one entry of a curve is from the next.
fn curve_unit(curve: Curve) -> f64 {
    // There the curve is flat to within half of what its greatest entry counts.
    let end = match curve {
        Curve::Tanh => 4.0,
        Curve::Sigmoid => 8.0,
    };
    end / f64::from(CURVE_ENTRIES / 2)
}

/// Refuses a layer that needs values in one unit and has them in another.
fn check_unit(layer: &RealLayer, found: f64, needed: f64) -> Result<()> {
    if (found / needed - 1.0).abs() < 1e-9 {
        return Ok(());
    }
    let reason =
        "a layer with weights is to come before it, and nothing in between but maxima and rectifiers".into();
    Err(ImportFault::Node { node: layer.name.clone(), kind: "activation".into(), reason }.into())
}

/// Writes the ends of a clip, in integers: beyond the numbers of the format there are no values to clip.
fn clip(table: &mut Table, least: f64, most: f64) {
    for (key, end) in [("least", least), ("most", most)] {
        let end = end.round().clamp(-f64::from(i32::MAX), f64::from(i32::MAX));
        table.insert(key.into(), (end as i64).into());
    }
}

fn greatest_magnitude(weights: &[f64]) -> f64 {
    weights.iter().fold(0.0, |widest, weight| widest.max(weight.abs()))
}

/// Scales of rows, for the layer that brings them to one.
struct Rows {
    scales: Vec<i32>,
    shift: f64,
}

impl Rows {
    /// What brings rows of these scales to one unit.
    fn new(ones: &[f64], unit: f64, layer: &RealLayer) -> Result<Self> {
        let largest = ones.iter().copied().fold(0.0, f64::max);
        let shift = (GREATEST_SCALE * unit / largest).log2().floor().min(MOST_SHIFT);
        if shift < 0.0 || !unit.is_normal() {
            let reason = "its sums are too coarse beside what follows them".into();
            return Err(ImportFault::Node { node: layer.name.clone(), kind: "layer".into(), reason }.into());
        }
        let scales = ones.iter().map(|one| (one / unit * shift.exp2()).round() as i32).collect();
        Ok(Self { scales, shift })
    }
}

/// What a layer gives: its scale, and the name of the last layer that was written for it.
struct Given {
    scale: f64,
    name: String,
}

#[derive(Default)]
struct Writer {
    layers: Vec<Table>,
    /// Of each layer of the real network.
    given: Vec<Given>,
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Writer {
    /// Writes a layer, of this place, that reads values of this scale.
    fn layer(
        &mut self,
        (place, layer): (usize, &RealLayer),
        scale: f64,
        next: (Next, &[(f64, f64)]),
        limit: f64,
    ) -> Result<()> {
        let name = self.free_name(&layer.name);
        let (mut table, mut rows) = (Table::new(), None);
        table.insert("name".into(), name.clone().into());
        if let Some(reads) = layer.reads.filter(|reads| reads + 1 != place) {
            table.insert("from".into(), self.given[reads].name.clone().into());
        }
        let (kind, scale) = match &layer.operation {
            Operation::Relu => ("relu", scale),
            Operation::Clip { least, most } => {
                clip(&mut table, least / scale, most / scale);
                ("clip", scale)
            }
            Operation::Quantised { step, least, most } => {
                check_unit(layer, scale, *step)?;
                clip(&mut table, *least, *most);
                ("clip", *step)
            }
            Operation::Curve(curve) => {
                let unit = curve_unit(*curve);
                check_unit(layer, scale, unit)?;
                let end = CURVE_ENTRIES / 2;
                let entry = |x: i32| (curve.at(f64::from(x) * unit) * CURVE_GREATEST).round() as i32;
                let entries: Vec<i32> = (-end..=end).map(entry).collect();
                table.insert("least".into(), i64::from(-end).into());
                table.insert("count".into(), (entries.len() as i64).into());
                self.words("entries", &entries, &mut table);
                ("table", 1.0 / CURVE_GREATEST)
            }
            Operation::Sign => ("sign", 1.0),
            Operation::Add { from } => {
                let Given { scale: added, name } = &self.given[*from];
                let factor = (added / scale).round();
                table.insert("from".into(), name.clone().into());
                table.insert("factor".into(), (factor as i64).into());
                if let Next::Units(unit) = next.0 {
                    rows = Some(Rows::new(&vec![scale; layer.input.channels], unit, layer)?);
                    ("add", unit)
                } else {
                    ("add", scale)
                }
            }
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
                ("dense", self.numbers((layer, linear), shape, (&mut table, &mut rows), scale, next, limit)?)
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
                (
                    "convolution",
                    self.numbers((layer, linear), shape, (&mut table, &mut rows), scale, next, limit)?,
                )
            }
            Operation::Affine { .. } => unreachable!("invariant: affine maps are folded"),
        };
        table.insert("kind".into(), kind.into());
        self.layers.push(table);
        let mut last = name.clone();
        if let Some(Rows { scales, shift }) = rows {
            let mut table = Table::new();
            last = self.free_name(&format!("{name}.scale"));
            table.insert("name".into(), last.clone().into());
            table.insert("kind".into(), "scale".into());
            table.insert("shift".into(), (shift as i64).into());
            self.words("scales", &scales, &mut table);
            self.layers.push(table);
        }
        self.given.push(Given { scale, name: last });
        Ok(())
    }

    /// A name, where it is one that a manifest can have and no other layer has.
    fn free_name(&self, name: &str) -> String {
        let is_taken = |name: &str| {
            self.layers.iter().any(|layer| layer.get("name").and_then(Value::as_str) == Some(name))
        };
        if is_one_line(name) && !is_taken(name) {
            return name.into();
        }
        let numbered = (self.layers.len()..).map(|number| format!("layer-{number}"));
        numbered.into_iter().find(|name| !is_taken(name)).expect("invariant: numbers do not end")
    }

    /// Writes the numbers of a linear layer, and gives the scale of its results.
    fn numbers(
        &mut self,
        (layer, linear): (&RealLayer, &Linear),
        shape: Vec<usize>,
        (table, rows): (&mut Table, &mut Option<Rows>),
        scale: f64,
        (next, ranges): (Next, &[(f64, f64)]),
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
            Next::Sign | Next::Units(_) => (finest, 0.0),
            Next::Added(added, _) => {
                let factor = (added / finest).floor().min(MOST_FACTOR);
                if factor < 1.0 {
                    return Err(fault(
                        "its weights are too large beside the values that are added to its results".into(),
                    ));
                }
                (added / factor, 0.0)
            }
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
        let mut ones = Vec::new();
        // The widest range of a row, in its integers, if all weights are as coarse as they may be.
        let coarsest = |(row, range): (&[f64], &(f64, f64))| {
            let one = greatest_magnitude(row) / limit.min(COARSE) * scale;
            if one > finest / MOST_FINER { (range.1 - range.0) / one } else { 0.0 }
        };
        let each = linear.weights.chunks(linear.columns);
        let room = each.clone().zip(ranges).map(coarsest).fold(0.0, f64::max).max(1.0);
        for ((row, bias), (low, high)) in each.zip(&linear.biases).zip(ranges) {
            let widest = greatest_magnitude(row);
            // What a weight of 1 is, of a row with a scale of its own.
            let one = match next {
                Next::Sign if widest > 0.0 => widest / limit,
                // Rows have about the same range, because the widest decides the noise of all; and of a row of next to nothing the
                // bias would be without bounds.
                Next::Units(_) if linear.grid == Grid::Row => {
                    (widest / limit).max((high - low) / room / scale).max(finest / scale / MOST_FINER)
                }
                _ => of_sum / scale,
            };
            ones.push(one * scale);
            weights.extend(row.iter().map(|weight| (weight / one).round() as i8));
            let rounding = if let Next::Added(_, after) = &next { after } else { &next };
            biases.push(match *rounding {
                Next::Sign => (bias / (one * scale)).floor(),
                Next::Units(unit) => ((bias + unit / 2.0) / (one * scale)).round(),
                _ if shift > 0.0 => (bias / result).ceil(),
                _ => (bias / result).round(),
            });
        }
        if biases.iter().any(|bias| !bias.is_finite() || bias.abs() >= f64::from(i32::MAX)) {
            return Err(fault("a bias is too large beside its weights".into()));
        }
        let bytes = weights.iter().map(|weight| weight.cast_unsigned()).collect();
        self.tensor("weights", Dtype::I8, shape, bytes, table);
        let biases: Vec<i32> = biases.iter().map(|&bias| bias as i32).collect();
        self.words("biases", &biases, table);
        let Next::Units(unit) = next else { return Ok(result) };

        *rows = Some(Rows::new(&ones, unit, layer)?);
        Ok(unit)
    }

    /// Writes a list of numbers of a layer.
    fn words(&mut self, part: &str, words: &[i32], table: &mut Table) {
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.tensor(part, Dtype::I32, vec![words.len()], bytes, table);
    }

    fn tensor(&mut self, part: &str, dtype: Dtype, shape: Vec<usize>, bytes: Vec<u8>, table: &mut Table) {
        let name = format!("{}.{part}", self.layers.len());
        table.insert(part.into(), name.clone().into());
        self.tensors.push((name, dtype, shape, bytes));
    }
}
