//! Whether a file holds what is computed now.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::case::{Approximate, Case, Place, Vector, sum};
use super::file::{FORMAT, VectorFile};

/// What was found of one vector.
#[derive(Clone, Debug)]
pub struct Row {
    /// The vector's name.
    pub name: String,
    /// The rule that it follows, and where that is from.
    pub definition: String,
    /// Cases that were compared.
    pub cases: usize,
    /// Largest error of an output, as a share of its tolerance; none where everything is exact.
    pub error: Option<f64>,
    /// The first thing that is wrong, if anything is.
    pub fault: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedFile {
    format: u64,
    vectors: Vec<RecordedVector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedVector {
    name: String,
    definition: String,
    cases: Vec<RecordedCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedCase {
    inputs: Value,
    outputs: Map<String, Value>,
    #[serde(default)]
    tolerance: Map<String, Value>,
}

/// A part of a binary file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Blob {
    file: String,
    offset: usize,
    bytes: usize,
    sha256: String,
}

/// Compares what was computed with the recorded files: a row for each vector. `binary` is empty where there is no binary
/// file.
pub fn compare(made: &VectorFile, json: &[u8], binary: &[u8]) -> Vec<Row> {
    let name = made.json_name();
    let file = match parse(json) {
        Ok(file) => file,
        Err(fault) => {
            let fail = |vector: &Vector| Row { fault: Some(format!("{name}: {fault}")), ..row(vector) };
            return made.vectors().iter().map(fail).collect();
        }
    };
    let comparison = Comparison { binary_name: made.binary_name().unwrap_or_default(), binary };
    let mut rows: Vec<Row> = made
        .vectors()
        .iter()
        .map(|vector| match file.vectors.iter().find(|recorded| recorded.name == vector.name) {
            Some(recorded) => comparison.vector(vector, recorded),
            None => Row { fault: Some(format!("{name}: it is missing")), ..row(vector) },
        })
        .collect();
    for unknown in
        file.vectors.iter().filter(|file| made.vectors().iter().all(|known| known.name != file.name))
    {
        rows.push(Row {
            name: unknown.name.clone(),
            definition: unknown.definition.clone(),
            cases: unknown.cases.len(),
            error: None,
            fault: Some(format!("{name}: no vector that this program knows")),
        });
    }
    rows
}

fn parse(bytes: &[u8]) -> Result<RecordedFile, String> {
    let file: RecordedFile = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match file.format {
        FORMAT => Ok(file),
        found => Err(format!("format {found}, where {FORMAT} is known")),
    }
}

fn row(vector: &Vector) -> Row {
    Row {
        name: vector.name.clone(),
        definition: vector.definition.clone(),
        cases: vector.cases.len(),
        error: None,
        fault: None,
    }
}

struct Comparison<'a> {
    binary_name: String,
    binary: &'a [u8],
}

impl Comparison<'_> {
    fn vector(&self, made: &Vector, recorded: &RecordedVector) -> Row {
        let mut row = row(made);
        if recorded.definition != made.definition {
            row.fault = Some("the definition is another".into());
        } else if recorded.cases.len() != made.cases.len() {
            row.fault = Some(format!("{} cases, where {} are known", recorded.cases.len(), made.cases.len()));
        }
        for (number, (made, recorded)) in made.cases.iter().zip(&recorded.cases).enumerate() {
            match self.case(made, recorded) {
                Ok(None) => {}
                Ok(Some(error)) => row.error = Some(row.error.map_or(error, |worst: f64| worst.max(error))),
                Err(fault) => {
                    row.fault.get_or_insert(format!("case {number}: {fault}"));
                }
            }
        }
        if row.fault.is_none() && row.error.is_some_and(|error| error > 1.0) {
            row.fault = Some("an output is beyond its tolerance".into());
        }
        row
    }

    /// The largest error as a share of its tolerance, or what is wrong.
    fn case(&self, made: &Case, recorded: &RecordedCase) -> Result<Option<f64>, String> {
        if made.inputs != recorded.inputs {
            return Err("the inputs are others".into());
        }
        let names = made
            .outputs
            .keys()
            .map(String::as_str)
            .chain(made.approximate.iter().map(|output| output.name.as_str()));
        if !recorded.outputs.keys().map(String::as_str).eq(sorted(names)) {
            return Err("the outputs have other names".into());
        }
        for (name, value) in &made.outputs {
            if &recorded.outputs[name] != value {
                return Err(format!("{name} is not as recorded"));
            }
        }
        let tolerances: Map<String, Value> =
            made.approximate.iter().map(|output| (output.name.clone(), output.tolerance.into())).collect();
        if tolerances != recorded.tolerance {
            return Err("the tolerance is another".into());
        }
        let mut worst = None;
        for output in &made.approximate {
            let words = self.words(output, &recorded.outputs[&output.name])?;
            if words.len() != output.words.len() {
                return Err(format!(
                    "{} words of {}, where {} are known",
                    words.len(),
                    output.name,
                    output.words.len()
                ));
            }
            let largest = output.measure.distance(&words, &output.words);
            let error = largest as f64 / output.tolerance as f64;
            worst = Some(worst.map_or(error, |worst: f64| worst.max(error)));
        }
        Ok(worst)
    }

    /// The recorded words of an output.
    fn words(&self, output: &Approximate, recorded: &Value) -> Result<Vec<u64>, String> {
        let name = &output.name;
        match output.place {
            Place::Inline => {
                let digits = recorded.as_str().ok_or_else(|| format!("{name} is no text"))?;
                let word = |digits| {
                    u64::from_str_radix(digits, 16).map_err(|_| format!("{name}: {digits:?} is no word"))
                };
                digits.split(' ').map(word).collect()
            }
            Place::Binary => {
                let blob = Blob::deserialize(recorded).map_err(|error| format!("{name}: {error}"))?;
                if blob.file != self.binary_name {
                    return Err(format!("{name} is not in {}", self.binary_name));
                }
                let end = blob.offset.checked_add(blob.bytes);
                let bytes = end
                    .and_then(|end| self.binary.get(blob.offset..end))
                    .ok_or_else(|| format!("{} is too short for {name}", blob.file))?;
                if sum(bytes) != blob.sha256 {
                    return Err(format!("{name} has another sum than recorded"));
                }
                let (words, _) = bytes.as_chunks::<8>();
                Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
            }
        }
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.into_iter()
}
