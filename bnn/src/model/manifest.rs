//! `manifest.toml`, parsed and checked: format 1 of the parent module's example.

use std::{ops::RangeInclusive, path::Path};

use serde::Deserialize;

use crate::{Error, Result, encoding::InputEncoding};

/// The version of the model format that this crate reads.
const FORMAT: u32 = 1;
/// The values of a layer's inputs and outputs, and of the pixels of a picture.
const DIMENSION: RangeInclusive<usize> = 1..=1 << 16;
/// The values of a layer's fraction bits.
const FRACTION_BITS: RangeInclusive<usize> = 0..=30;

/// A manifest whose shapes chain from the picture to the scores.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) input: InputEncoding,
    /// One or more `BinaryDense`, then one `Dense`.
    pub(super) layers: Vec<LayerEntry>,
}

/// A `[[layers]]` table. `weights` and `biases` are names of tensors.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum LayerEntry {
    BinaryDense { name: String, inputs: usize, outputs: usize, weights: String, biases: String },
    Dense { name: String, inputs: usize, outputs: usize, fraction_bits: u32, weights: String, biases: String },
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
    input: InputEntry,
    /// Read one by one, so that a message can name the layer.
    layers: Vec<toml::Table>,
}

/// The `[input]` table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputEntry {
    width: usize,
    height: usize,
    encoding: EncodingKind,
    threshold: u8,
    max_active: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum EncodingKind {
    Threshold,
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
        let input = document.input.check(path)?;
        let layers: Vec<LayerEntry> = document
            .layers
            .into_iter()
            .enumerate()
            .map(|(index, table)| LayerEntry::parse(path, index, table))
            .collect::<Result<_>>()?;
        check_chain(path, &input, &layers)?;
        Ok(Self { name: document.name, description: document.description, input, layers })
    }
}

impl InputEntry {
    fn check(self, path: &Path) -> Result<InputEncoding> {
        let Self { width, height, encoding: EncodingKind::Threshold, threshold, max_active } = self;
        check_range(path, "input", "width", width, DIMENSION)?;
        check_range(path, "input", "height", height, DIMENSION)?;
        check_range(path, "input", "max_active", max_active, 1..=width * height)?;
        Ok(InputEncoding { width, height, threshold, max_active })
    }
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
        let (inputs, outputs) = entry.shape();
        check_range(path, &place, "inputs", inputs, DIMENSION)?;
        check_range(path, &place, "outputs", outputs, DIMENSION)?;
        if let Self::Dense { fraction_bits, .. } = entry {
            check_range(path, &place, "fraction_bits", fraction_bits as usize, FRACTION_BITS)?;
        }
        Ok(entry)
    }

    fn name(&self) -> &str {
        match self {
            Self::BinaryDense { name, .. } | Self::Dense { name, .. } => name,
        }
    }

    /// The layer's inputs and outputs.
    fn shape(&self) -> (usize, usize) {
        match *self {
            Self::BinaryDense { inputs, outputs, .. } | Self::Dense { inputs, outputs, .. } => {
                (inputs, outputs)
            }
        }
    }
}

/// Checks the order of the layers' kinds, and that each takes as many values as come from before it.
fn check_chain(path: &Path, input: &InputEncoding, layers: &[LayerEntry]) -> Result<()> {
    match layers {
        [LayerEntry::BinaryDense { .. }, hidden @ .., LayerEntry::Dense { .. }]
            if hidden.iter().all(|layer| matches!(layer, LayerEntry::BinaryDense { .. })) => {}
        _ => return Err(Error::LayerOrder { path: path.into() }),
    }
    let mut given = input.value_count();
    for layer in layers {
        let (inputs, outputs) = layer.shape();
        if inputs != given {
            let place = format!("layer {:?}", layer.name());
            return Err(Error::LayerInputs { path: path.into(), place, inputs, given });
        }
        given = outputs;
    }
    Ok(())
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
