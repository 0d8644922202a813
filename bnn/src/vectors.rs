//! The folder of known-answer vectors: those of the scheme (see [`tfhe_core::vectors`]), and what the networks that ship give
//! on the sample digits, layer by layer, in exact integers.
//!
//! `vectors/README.md` in the source tree has the format. A folder also has the sums of its files, in `SHA256SUMS`.
//!
//! ```
//! use bnn::vectors::{Samples, check};
//! use tfhe_core::backend::Backend;
//! // A folder without its sums is told before anything is computed.
//! let samples = Samples { models: Vec::new(), digits: Vec::new() };
//! assert!(check("no/such/folder".as_ref(), &samples, Backend::Portable).is_err());
//! ```

use std::{collections::BTreeMap, fmt::Write, path::Path};

use serde_json::{Value, json};
use tfhe_core::{
    backend::Backend,
    vectors::{self, Case, Row, Vector, VectorFile, hex, sum},
};

use crate::{Result, bounded::read_bounded, data::GreyImage, engine, layer::Layer, model::Model};

/// The models whose values are recorded, by the names of their folders.
pub const MODELS: [&str; 5] =
    ["binarized-cnn", "binarized-perceptron", "hybrid-cnn", "perceptron", "sign-cnn"];

/// The files of a folder.
pub const FILES: [&str; 7] = [
    "steps.json",
    "native-files.json",
    "toy.json",
    "bootstraps.json",
    "bootstraps.bin",
    "networks.json",
    SUMS,
];

/// Name of the file of sums.
pub const SUMS: &str = "SHA256SUMS";
/// The largest file that is read, in bytes.
const LIMIT: u64 = 16 << 20;
/// Values of a layer that are recorded as they are; of the others, their sum.
const FIRST: usize = 8;

/// What the networks' vectors are made from.
#[derive(Debug)]
pub struct Samples {
    /// [`MODELS`], in their order.
    pub models: Vec<Model>,
    /// The sample digits, from 0 on.
    pub digits: Vec<GreyImage>,
}

/// Makes the files of the folder, with their names. It takes a minute or two: what a backend computes with transforms is
/// recorded as schoolbook arithmetic gives it.
///
/// # Errors
/// Where a model refuses a picture.
pub fn generate(samples: &Samples) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = vectors::generate()?;
    files.push(networks(samples)?);
    let mut contents: Vec<_> = files.iter().flat_map(VectorFile::contents).collect();
    let sums = sums(contents.iter().map(|(name, bytes)| (name, bytes)));
    contents.push((SUMS.into(), sums.into_bytes()));
    debug_assert!(contents.iter().map(|(name, _)| name).eq(&FILES));
    Ok(contents)
}

/// Computes everything again, the scheme's transforms with a backend, and compares it with the files of a folder: a row for
/// each vector, and one for the sums.
///
/// # Errors
/// [`Error::Read`](crate::Error::Read) or [`Error::TooLarge`](crate::Error::TooLarge) for a file that is not there or not
/// one of ours; [`Error::Crypto`](crate::Error::Crypto) if the CPU lacks the backend; or where a model refuses a picture.
pub fn check(folder: &Path, samples: &Samples, backend: Backend) -> Result<Vec<Row>> {
    // The file that every folder has: without it, nothing need be computed.
    let recorded_sums = read(folder, SUMS)?;
    let mut made = vectors::recompute(backend)?;
    made.push(networks(samples)?);
    let (mut rows, mut files) = (Vec::new(), BTreeMap::new());
    for made in &made {
        let json = read(folder, &made.json_name())?;
        let binary = made.binary_name().map_or_else(|| Ok(Vec::new()), |name| read(folder, &name))?;
        rows.extend(vectors::compare(made, &json, &binary));
        files.insert(made.json_name(), json);
        files.extend(made.binary_name().map(|name| (name, binary)));
    }
    rows.push(Row {
        name: SUMS.into(),
        definition: "SHA-256, FIPS 180-4".into(),
        cases: files.len(),
        error: None,
        fault: (sums(&files).as_bytes() != recorded_sums).then(|| "the sums of the files are others".into()),
    });
    Ok(rows)
}

/// The lines that `sha256sum` writes, by name.
fn sums<'a>(files: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>) -> String {
    let mut lines: Vec<_> = files.into_iter().map(|(name, bytes)| (name, sum(bytes))).collect();
    lines.sort();
    lines.iter().fold(String::new(), |mut text, (name, sum)| {
        writeln!(text, "{sum}  {name}").expect("invariant: a string takes what is written to it");
        text
    })
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>> {
    read_bounded(&folder.join(name), LIMIT)
}

fn networks(samples: &Samples) -> Result<VectorFile> {
    let vector = |(name, model): (&str, &Model)| {
        let cases = samples.digits.iter().enumerate().map(|(digit, image)| case(model, digit, image));
        let definition = format!("docs/formats.md, the model folder; models/{name}/manifest.toml");
        Ok(Vector::new(format!("network-{name}"), definition, cases.collect::<Result<_>>()?))
    };
    let vectors = MODELS.into_iter().zip(&samples.models).map(vector).collect::<Result<_>>()?;
    Ok(VectorFile::new("networks", vectors))
}

/// One picture through a network.
fn case(model: &Model, digit: usize, image: &GreyImage) -> Result<Case> {
    let encoded = model.input().encode(image)?;
    let trace = engine::trace(model, &encoded)?;
    let layer = |(layer, values): (&Layer, &Vec<i64>)| {
        let mut description = digest(values);
        description["name"] = layer.name().into();
        description["kind"] = layer.kind().into();
        description
    };
    let inputs = json!({
        "digest": hex(&model.digest()),
        "picture": format!("digits/{digit}.png"),
        "pixels": sum(image.pixels()),
    });
    let outputs = json!({
        "encoded": digest(encoded.values()),
        "layers": model.layers().zip(&trace.values).map(layer).collect::<Vec<_>>(),
        "scores": trace.scores.integers(),
        "fraction_bits": trace.scores.fraction_bits(),
        "label": trace.scores.label(),
    });
    Ok(Case::new(inputs, outputs))
}

/// How many integers there are, the first ones, and the sum of all.
fn digest(values: &[i64]) -> Value {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    json!({ "count": values.len(), "first": values[..values.len().min(FIRST)], "sha256": sum(&bytes) })
}
