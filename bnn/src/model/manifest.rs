//! `manifest.toml`, parsed and checked: format 1 of the parent module's example.

use std::{ops::RangeInclusive, path::Path};

use serde::Deserialize;

use crate::{
    Error, Result,
    encoding::{InputEncoding, PixelEncoding},
};

/// The version of the model format that this crate reads.
const FORMAT: u32 = 1;
/// The values of a layer's inputs and outputs, and of the pixels of a picture.
const DIMENSION: RangeInclusive<usize> = 1..=1 << 16;
/// The values of a layer's fraction bits, and of the bits that a sum loses.
const FRACTION_BITS: RangeInclusive<usize> = 0..=30;
/// The bits of a word.
const WORD_BITS: RangeInclusive<usize> = 2..=31;
/// The layers of a network: what plans and circuits take grows with them, and a manifest has room for thirty thousand.
const LAYERS: RangeInclusive<usize> = 0..=256;
/// The side of a filter, of a window, of a square that is pooled.
const SIDE: RangeInclusive<usize> = 1..=64;

/// A manifest, checked for itself.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) input: InputEncoding,
    /// The last but for rectifiers is dense.
    pub(super) layers: Vec<LayerEntry>,
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
    },
    Convolution {
        name: String,
        filters: usize,
        size: usize,
        #[serde(default = "one")]
        stride: usize,
        #[serde(default)]
        shift: u32,
        weights: String,
        biases: String,
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
    Relu {
        name: String,
    },
    MaxPool {
        name: String,
        size: usize,
    },
    Sign {
        name: String,
    },
}

/// The stride of a convolution that states none.
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
    input: toml::Table,
    /// Read one by one, so that a message can name the layer.
    layers: Vec<toml::Table>,
}

/// The size of the pictures: the `[input]` table without what belongs to its encoding.
#[derive(Deserialize)]
struct InputSize {
    width: usize,
    height: usize,
}

/// The rest of the `[input]` table.
#[derive(Deserialize)]
#[serde(tag = "encoding", rename_all = "kebab-case", deny_unknown_fields)]
enum PixelEntry {
    Threshold { threshold: u8, max_active: usize },
    Grey { bits: u32 },
    SignAndScale { window: usize, fraction_bits: u32, bits: u32, largest: u32 },
}

impl Manifest {
    /// Parses and checks the content of the manifest at `path`.
    pub(super) fn parse(path: &Path, content: &[u8]) -> Result<Self> {
        let failed = |source: toml::de::Error| {
            let before = &content[..source.span().map_or(0, |span| span.start)];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            Error::Manifest { path: path.into(), place: format!("line {line}"), source: source.into() }
        };
        let Version { format } = toml::from_slice(content).map_err(failed)?;
        if format != FORMAT {
            return Err(Error::ModelFormat { path: path.into(), found: format, supported: FORMAT });
        }
        let document: Document = toml::from_slice(content).map_err(failed)?;

        check_text(path, "manifest", "name", &document.name)?;
        check_text(path, "manifest", "description", &document.description)?;
        let input = parse_input(path, document.input)?;
        check_range(path, "manifest", "layers", document.layers.len(), LAYERS)?;
        let layers: Vec<LayerEntry> = document
            .layers
            .into_iter()
            .enumerate()
            .map(|(index, table)| LayerEntry::parse(path, index, table))
            .collect::<Result<_>>()?;
        let last = layers.iter().rfind(|layer| !matches!(layer, LayerEntry::Relu { .. }));
        if !matches!(last, Some(LayerEntry::Dense { .. })) {
            return Err(Error::LayerOrder { path: path.into() });
        }
        Ok(Self { name: document.name, description: document.description, input, layers })
    }
}

/// Reads and checks the `[input]` table.
fn parse_input(path: &Path, mut table: toml::Table) -> Result<InputEncoding> {
    let failed = |source: toml::de::Error| Error::Manifest {
        path: path.into(),
        place: "input".into(),
        source: source.into(),
    };
    let mut size = toml::Table::new();
    for key in ["width", "height"] {
        if let Some((key, value)) = table.remove_entry(key) {
            size.insert(key, value);
        }
    }
    let InputSize { width, height } = size.try_into().map_err(failed)?;
    check_range(path, "input", "width", width, DIMENSION)?;
    check_range(path, "input", "height", height, DIMENSION)?;
    check_range(path, "input", "width * height", width * height, DIMENSION)?;
    let pixels = match table.try_into().map_err(failed)? {
        PixelEntry::Threshold { threshold, max_active } => {
            check_range(path, "input", "max_active", max_active, 1..=width * height)?;
            PixelEncoding::Threshold { threshold, max_active }
        }
        PixelEntry::Grey { bits } => {
            check_range(path, "input", "bits", bits as usize, 1..=8)?;
            PixelEncoding::Grey { bits }
        }
        PixelEntry::SignAndScale { window, fraction_bits, bits, largest } => {
            check_range(path, "input", "window", window, 1..=width.min(height))?;
            check_range(path, "input", "fraction_bits", fraction_bits as usize, FRACTION_BITS)?;
            check_range(path, "input", "bits", bits as usize, 2..=31)?;
            // In two's complement, as the published circuit reads it.
            check_range(path, "input", "largest", largest as usize, 1..=(1 << (bits - 1)) - 1)?;
            PixelEncoding::SignAndScale { window, fraction_bits, bits, largest }
        }
    };
    Ok(InputEncoding { width, height, pixels })
}

impl LayerEntry {
    /// Reads the `[[layers]]` table with this index, the first being 0.
    fn parse(path: &Path, index: usize, table: toml::Table) -> Result<Self> {
        let place = match table.get("name").and_then(toml::Value::as_str) {
            Some(name) => format!("layer {name:?}"),
            None => format!("layer {index} without a name"),
        };
        let entry: Self = table.try_into().map_err(|source: toml::de::Error| Error::Manifest {
            path: path.into(),
            place: place.clone(),
            source: source.into(),
        })?;

        check_text(path, &place, "name", entry.name())?;
        for (field, found, expected) in entry.numbers() {
            check_range(path, &place, field, found, expected)?;
        }
        Ok(entry)
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::BinaryDense { name, .. }
            | Self::Dense { name, .. }
            | Self::Convolution { name, .. }
            | Self::XnorConvolution { name, .. }
            | Self::Relu { name }
            | Self::Sign { name }
            | Self::MaxPool { name, .. } => name,
        }
    }

    /// The numbers that the table gives, and what they may be.
    fn numbers(&self) -> Vec<(&'static str, usize, RangeInclusive<usize>)> {
        match *self {
            Self::BinaryDense { inputs, outputs, .. } => {
                vec![("inputs", inputs, DIMENSION), ("outputs", outputs, DIMENSION)]
            }
            Self::Dense { inputs, outputs, shift, bits, fraction_bits, .. } => vec![
                ("inputs", inputs, DIMENSION),
                ("outputs", outputs, DIMENSION),
                ("shift", shift as usize, FRACTION_BITS),
                ("fraction_bits", fraction_bits as usize, FRACTION_BITS),
                ("bits", bits.unwrap_or(*WORD_BITS.end()), WORD_BITS),
            ],
            Self::Convolution { filters, size, stride, shift, .. } => vec![
                ("filters", filters, DIMENSION),
                ("size", size, SIDE),
                ("stride", stride, SIDE),
                ("shift", shift as usize, FRACTION_BITS),
            ],
            Self::XnorConvolution { filters, size, fraction_bits, bits, .. } => vec![
                ("filters", filters, DIMENSION),
                ("size", size, SIDE),
                ("fraction_bits", fraction_bits as usize, FRACTION_BITS),
                ("bits", bits, WORD_BITS),
            ],
            Self::Relu { .. } | Self::Sign { .. } => vec![],
            Self::MaxPool { size, .. } => vec![("size", size, SIDE)],
        }
    }
}

/// Names and descriptions are printed, so they are one line and cannot steer a terminal.
fn check_text(path: &Path, place: &str, field: &'static str, text: &str) -> Result<()> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err(Error::ManifestText { path: path.into(), place: place.into(), field });
    }
    Ok(())
}

fn check_range(
    path: &Path,
    place: &str,
    field: &'static str,
    found: usize,
    expected: RangeInclusive<usize>,
) -> Result<()> {
    if !expected.contains(&found) {
        return Err(Error::ManifestRange { path: path.into(), place: place.into(), field, found, expected });
    }
    Ok(())
}
