//! The folder of known-answer vectors: those of the scheme (see [`tfhe_core::vectors`]), and what the networks that ship give
//! on the sample digits, layer by layer, in exact integers.
//!
//! `vectors/README.md` in the source tree has the format. A folder also has the sums of its files, in `SHA256SUMS`.
//!
//! ```
//! use bnn::vectors::{FILES, SUMS};
//! assert_eq!(FILES.last(), Some(&SUMS)); // written last
//! ```

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Value, json};
use tfhe_core::{
    backend::Backend,
    vectors::{self, Case, Row, Vector, VectorFile, hex, sum},
};

use crate::{
    data::image::Image,
    engine::plaintext::{evaluate, trace},
    error::Result,
    model::{network::Model, summary::LayerSummary},
};

/// The models whose values are recorded, by the names of their folders.
pub const MODELS: &[&str] =
    &["binarized-cnn", "binarized-perceptron", "hybrid-cnn", "perceptron", "sign-cnn"];

/// The files of a folder.
pub const FILES: &[&str] = &[
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
/// Values of a layer that are recorded as they are; of the others, their sum.
const FIRST: usize = 8;

/// Makes the files of the folder, with their names, from [`MODELS`] and the sample digits, from 0 on. It takes a minute or two: what a backend computes with transforms is
/// recorded as schoolbook arithmetic gives it.
///
/// # Errors
/// Where a model refuses a picture.
pub fn generate(models: &[Model], digits: &[Image]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = vectors::generate()?;
    files.push(networks(models, digits)?);
    let mut contents: Vec<_> = files.iter().flat_map(VectorFile::contents).collect();
    let sums = sums(contents.iter().map(|(name, bytes)| (name, bytes)));
    contents.push((SUMS.into(), sums.into_bytes()));
    debug_assert!(contents.iter().map(|(name, _)| name).eq(FILES));
    Ok(contents)
}

/// Computes everything again, the scheme's transforms with a backend, and compares it with the files of a folder, by their
/// names in [`FILES`]: a row for each vector, and one for the sums. A file that is not there is compared as if it were empty.
///
/// # Errors
/// [`Error::Crypto`](crate::Error::Crypto) if the CPU lacks the backend; or where a model refuses a picture.
pub fn check(
    recorded: &BTreeMap<String, Vec<u8>>,
    models: &[Model],
    digits: &[Image],
    backend: Backend,
) -> Result<Vec<Row>> {
    let read = |name: &str| recorded.get(name).map(Vec::as_slice).unwrap_or_default();
    let mut made = vectors::recompute(backend)?;
    made.push(networks(models, digits)?);
    let mut rows = Vec::new();
    for made in &made {
        let binary = made.binary_name().map_or_else(Default::default, |name| read(&name));
        rows.extend(vectors::compare(made, read(&made.json_name()), binary));
    }
    let files = recorded.iter().filter(|(name, _)| *name != SUMS);
    let fault = sums(files.clone()).as_bytes() != read(SUMS);
    rows.push(Row {
        name: SUMS.into(),
        definition: "SHA-256, FIPS 180-4".into(),
        cases: files.count(),
        error: None,
        fault: fault.then(|| "the sums of the files are others".into()),
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

fn networks(models: &[Model], digits: &[Image]) -> Result<VectorFile> {
    let vector = |(name, model): (&str, &Model)| {
        let cases = digits.iter().enumerate().map(|(digit, image)| case(model, digit, image));
        let definition = format!("docs/formats.md, the model folder; models/{name}/manifest.toml");
        Ok(Vector::new(format!("network-{name}"), definition, cases.collect::<Result<_>>()?))
    };
    let vectors = MODELS.iter().copied().zip(models).map(vector).collect::<Result<_>>()?;
    Ok(VectorFile::new("networks", vectors))
}

/// One picture through a network.
fn case(model: &Model, digit: usize, image: &Image) -> Result<Case> {
    let encoded = model.input().encode(image)?;
    let (layers, scores) = (trace(model, &encoded)?, evaluate(model, &encoded)?);
    let layer = |(layer, values): (LayerSummary, &Vec<i64>)| {
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
        "layers": model.layers().zip(&layers).map(layer).collect::<Vec<_>>(),
        "scores": scores.integers(),
        "fraction_bits": scores.fraction_bits(),
        "label": scores.label(),
    });
    Ok(Case::new(inputs, outputs))
}

/// How many integers there are, the first ones, and the sum of all.
fn digest(values: &[i64]) -> Value {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    json!({ "count": values.len(), "first": values[..values.len().min(FIRST)], "sha256": sum(&bytes) })
}
