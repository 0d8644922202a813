//! `manifest.toml`, parsed and checked: formats 1 and 2 (docs/formats.md).

use std::{collections::BTreeSet, ops::RangeInclusive};

use serde::Deserialize;

use super::fault::ModelFault;
use crate::{
    client::{
        encoding::{
            entry::PixelEntry,
            fault::InputFault,
            input::{DIMENSION, FRACTION_BITS, InputEncoding},
        },
        shape::Shape,
    },
    range::{OutOfRange, check_range},
    text::{is_one_line, one_line},
};

type Result<T> = std::result::Result<T, ModelFault>;

/// The versions of the model format that this crate reads.
const FORMATS: RangeInclusive<u32> = 1..=2;
/// The bits of a word.
const WORD_BITS: RangeInclusive<u32> = 2..=31;
/// The layers of a network: what plans and circuits take grows with them, and a manifest has room for thirty thousand.
const LAYERS: RangeInclusive<u32> = 0..=256;
/// The side of a filter, of a window, of a square that is pooled.
const SIDE: RangeInclusive<u32> = 1..=64;
/// The key of the share of labels that noise changes.
pub(super) const LABEL_CHANGES: &str = "label_changes";
/// The key of the range of a layer's sums.
pub(super) const SUMS: &str = "sums";
/// The key of the channels of an input.
const CHANNELS: &str = "channels";
/// What a value counts that is added to another.
const FACTOR: RangeInclusive<u32> = 1..=1 << 20;
/// Zeros on a side.
const PADDING: RangeInclusive<u32> = 0..=63;

/// A manifest, checked for itself.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) input: InputEncoding,
    /// The last but for rectifiers is dense.
    pub(super) layers: Vec<LayerEntry>,
    /// For each layer the least and the greatest of its sums on calibration pictures, where the manifest gives them.
    pub(super) sums: Vec<Option<(i64, i64)>>,
    /// The share of labels that noise is expected to change on such pictures, where the manifest gives it.
    pub(super) label_changes: Option<f64>,
}

/// A `[[layers]]` table. `weights`, `scales` and `biases` are names of tensors.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum LayerEntry {
    BinaryDense {
        name: String,
        inputs: usize,
        outputs: usize,
        weights: String,
        biases: String,
    },
    Dense {
        name: String,
        inputs: usize,
        outputs: usize,
        #[serde(default)]
        shift: u32,
        bits: Option<usize>,
        #[serde(default)]
        fraction_bits: u32,
        weights: String,
        biases: String,
        /// Of format 2.
        from: Option<String>,
    },
    Convolution {
        name: String,
        filters: usize,
        size: usize,
        #[serde(default = "one")]
        stride: usize,
        /// Of format 2, as are groups.
        #[serde(default)]
        padding: usize,
        #[serde(default = "one")]
        groups: usize,
        #[serde(default)]
        shift: u32,
        weights: String,
        biases: String,
        /// Of format 2.
        from: Option<String>,
    },
    XnorConvolution {
        name: String,
        filters: usize,
        size: usize,
        fraction_bits: u32,
        bits: usize,
        weights: String,
        scales: String,
        biases: String,
    },
    /// Of format 2.
    Add {
        name: String,
        from: String,
        #[serde(default = "one")]
        factor: usize,
    },
    /// Of format 2.
    Scale {
        name: String,
        #[serde(default)]
        shift: u32,
        scales: String,
    },
    Relu {
        name: String,
    },
    /// Of format 2.
    Clip {
        name: String,
        least: i32,
        most: i32,
    },
    /// Of format 2.
    Table {
        name: String,
        least: i32,
        count: usize,
        entries: String,
    },
    MaxPool {
        name: String,
        size: usize,
    },
    /// Of format 2.
    SumPool {
        name: String,
        size: usize,
    },
    Sign {
        name: String,
    },
}

/// The stride and the groups of a convolution that states none, and so the channels of an input and the factor of an addition.
const fn one() -> usize {
    1
}

/// The version alone, so that a manifest of another version is told apart before its other keys are read.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// The manifest as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "format")]
    _format: u32,
    name: String,
    description: String,
    /// Of format 2.
    label_changes: Option<f64>,
    input: toml::Table,
    /// Read one by one, so that a message can name the layer.
    layers: Vec<toml::Table>,
}

/// The shape of the pictures: the `[input]` table without what belongs to its encoding.
#[derive(Deserialize)]
struct InputShape {
    width: usize,
    height: usize,
    /// Of format 2.
    #[serde(default = "one")]
    channels: usize,
}

impl Manifest {
    /// Parses and checks a manifest.
    pub(super) fn parse(content: &[u8]) -> Result<Self> {
        let failed = |fault: toml::de::Error| {
            let before = &content[..fault.span().map_or(0, |span| span.start)];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            toml_fault(format!("line {line}"), &fault)
        };
        let Version { format } = toml::from_slice(content).map_err(failed)?;
        if !FORMATS.contains(&format) {
            return Err(ModelFault::Format { found: format, supported: *FORMATS.end() });
        }
        let document: Document = toml::from_slice(content).map_err(failed)?;

        check_text("manifest", "name", &document.name)?;
        check_text("manifest", "description", &document.description)?;
        let label_changes = document.label_changes;
        if label_changes.is_some_and(|share| format < 2 || !(0.0..=1.0).contains(&share)) {
            let reason = "a share from 0 to 1, in format 2".into();
            return Err(ModelFault::Toml { place: LABEL_CHANGES.into(), reason });
        }
        let input = parse_input(document.input, format)?;
        check_range("layers", document.layers.len(), LAYERS).map_err(within("manifest"))?;
        let entries = document.layers.into_iter().enumerate();
        let (layers, sums): (Vec<LayerEntry>, Vec<_>) = entries
            .map(|(index, table)| LayerEntry::parse(index, table, format))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        if format > 1 {
            // Format 1 let layers share a name.
            let mut names = BTreeSet::new();
            if let Some(layer) = layers.iter().find(|layer| !names.insert(layer.name())) {
                return Err(ModelFault::RepeatedName { name: layer.name().into() });
            }
        }
        let last = layers.iter().rfind(|layer| !matches!(layer, LayerEntry::Relu { .. }));
        if !matches!(last, Some(LayerEntry::Dense { .. })) {
            return Err(ModelFault::LayerOrder);
        }
        Ok(Self {
            name: document.name,
            description: document.description,
            input,
            layers,
            sums,
            label_changes,
        })
    }
}

/// Reads and checks the `[input]` table.
fn parse_input(mut table: toml::Table, format: u32) -> Result<InputEncoding> {
    const PLACE: &str = "input";
    let failed = |fault: toml::de::Error| toml_fault(PLACE.into(), &fault);
    if format < 2 && table.contains_key(CHANNELS) {
        return Err(of_format_2(PLACE.into(), "`channels`"));
    }
    let mut shape = toml::Table::new();
    for key in ["width", "height", CHANNELS] {
        if let Some((key, value)) = table.remove_entry(key) {
            shape.insert(key, value);
        }
    }
    let InputShape { width, height, channels } = shape.try_into().map_err(failed)?;
    let pixels: PixelEntry = table.try_into().map_err(failed)?;
    InputEncoding::new(Shape { channels, height, width }, pixels.into()).map_err(|fault| match fault {
        InputFault::Range(range) => within(PLACE)(range),
        other => ModelFault::Input { place: PLACE, fault: other },
    })
}

impl LayerEntry {
    /// Reads the `[[layers]]` table with this index, the first being 0, and the range of its sums.
    fn parse(index: usize, mut table: toml::Table, format: u32) -> Result<(Self, Option<(i64, i64)>)> {
        let place = match table.get("name").and_then(toml::Value::as_str) {
            Some(name) => format!("layer {name:?}"),
            None => format!("layer {index} without a name"),
        };
        let new = since_format_2(&table);
        let failed = |fault: toml::de::Error| toml_fault(place.clone(), &fault);
        let sums: Option<(i64, i64)> =
            table.remove(SUMS).map(toml::Value::try_into).transpose().map_err(failed)?;
        let entry: Self = table.try_into().map_err(failed)?;

        check_text(&place, "name", entry.name())?;
        if let Some(new) = new.filter(|_| format < 2) {
            return Err(of_format_2(place, new));
        }
        for (field, found, expected) in entry.numbers() {
            check_range(field, found, expected).map_err(within(&place))?;
        }
        if let Self::Clip { least, most, .. } = entry
            && !(least..=most).contains(&0)
        {
            let reason = format!("a clip from {least} to {most}, where 0 is to lie within");
            return Err(ModelFault::LayerFit { place, reason });
        }
        if let Some((least, most)) = sums {
            let reason = match entry {
                Self::Scale { .. }
                | Self::Relu { .. }
                | Self::Clip { .. }
                | Self::Table { .. }
                | Self::Sign { .. }
                | Self::MaxPool { .. }
                | Self::SumPool { .. } => "`sums` are those of a layer with weights, or of an addition",
                _ if least > most => "`sums` are the least and then the greatest",
                _ => return Ok((entry, sums)),
            };
            return Err(ModelFault::LayerFit { place, reason: reason.into() });
        }
        Ok((entry, None))
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::BinaryDense { name, .. }
            | Self::Dense { name, .. }
            | Self::Convolution { name, .. }
            | Self::XnorConvolution { name, .. }
            | Self::Add { name, .. }
            | Self::Scale { name, .. }
            | Self::Relu { name }
            | Self::Clip { name, .. }
            | Self::Table { name, .. }
            | Self::Sign { name }
            | Self::MaxPool { name, .. }
            | Self::SumPool { name, .. } => name,
        }
    }

    /// The name of the layer that it reads in place of the one before it, or adds to what that gives.
    pub(super) fn from(&self) -> Option<&str> {
        match self {
            Self::Dense { from, .. } | Self::Convolution { from, .. } => from.as_deref(),
            Self::Add { from, .. } => Some(from),
            _ => None,
        }
    }

    /// The numbers that the table gives, and what they may be.
    fn numbers(&self) -> Vec<(&'static str, usize, RangeInclusive<u32>)> {
        match *self {
            Self::BinaryDense { inputs, outputs, .. } => {
                vec![("inputs", inputs, DIMENSION), ("outputs", outputs, DIMENSION)]
            }
            Self::Dense { inputs, outputs, shift, bits, fraction_bits, .. } => vec![
                ("inputs", inputs, DIMENSION),
                ("outputs", outputs, DIMENSION),
                ("shift", shift as usize, FRACTION_BITS),
                ("fraction_bits", fraction_bits as usize, FRACTION_BITS),
                ("bits", bits.unwrap_or(*WORD_BITS.end() as usize), WORD_BITS),
            ],
            Self::Convolution { filters, size, stride, padding, groups, shift, .. } => vec![
                ("filters", filters, DIMENSION),
                ("size", size, SIDE),
                ("stride", stride, SIDE),
                ("padding", padding, PADDING),
                ("groups", groups, DIMENSION),
                ("shift", shift as usize, FRACTION_BITS),
            ],
            Self::XnorConvolution { filters, size, fraction_bits, bits, .. } => vec![
                ("filters", filters, DIMENSION),
                ("size", size, SIDE),
                ("fraction_bits", fraction_bits as usize, FRACTION_BITS),
                ("bits", bits, WORD_BITS),
            ],
            Self::Add { factor, .. } => vec![("factor", factor, FACTOR)],
            Self::Scale { shift, .. } => vec![("shift", shift as usize, FRACTION_BITS)],
            Self::Table { count, .. } => vec![("count", count, DIMENSION)],
            Self::Relu { .. } | Self::Clip { .. } | Self::Sign { .. } => vec![],
            Self::MaxPool { size, .. } | Self::SumPool { size, .. } => vec![("size", size, SIDE)],
        }
    }
}

/// What a `[[layers]]` table has that format 1 has not.
fn since_format_2(table: &toml::Table) -> Option<&'static str> {
    let kind = table.get("kind").and_then(toml::Value::as_str);
    if let Some(kind) =
        ["add", "sum-pool", "scale", "clip", "table"].into_iter().find(|&new| kind == Some(new))
    {
        return Some(kind);
    }
    let fields = [("padding", "`padding`"), ("groups", "`groups`"), ("from", "`from`"), (SUMS, "`sums`")];
    fields.into_iter().find_map(|(field, named)| table.contains_key(field).then_some(named))
}

/// The fault of what format 1 has not.
fn of_format_2(place: String, new: &str) -> ModelFault {
    ModelFault::LayerFit { place, reason: format!("{new} is of format 2: say `format = 2`") }
}

/// Names and descriptions are printed, so they are one line and cannot steer a terminal.
fn check_text(place: &str, field: &'static str, text: &str) -> Result<()> {
    if is_one_line(text) { Ok(()) } else { Err(ModelFault::Text { place: place.into(), field }) }
}

/// The fault of a number at a place.
fn within(place: &str) -> impl Fn(OutOfRange) -> ModelFault + '_ {
    |range| ModelFault::Range { place: place.into(), range }
}

/// The fault that the parser tells of a place.
fn toml_fault(place: String, fault: &toml::de::Error) -> ModelFault {
    ModelFault::Toml { place, reason: one_line(fault.message()) }
}
