//! A file of vectors: JSON, with a binary file beside it where an output is large.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::case::{Approximate, Case, Place, Vector, sum, words64};

/// Version of the format; see `vectors/README.md`.
pub(super) const FORMAT: u64 = 1;
/// What fits a line.
const LINE: usize = 110;

/// Vectors that are stored together.
#[derive(Clone, Debug)]
pub struct VectorFile {
    name: &'static str,
    vectors: Vec<Vector>,
}

impl VectorFile {
    /// `name` is the file's, without its ending.
    pub fn new(name: &'static str, vectors: Vec<Vector>) -> Self {
        Self { name, vectors }
    }

    /// The vectors.
    pub(super) fn vectors(&self) -> &[Vector] {
        &self.vectors
    }

    /// Name of the JSON file.
    pub fn json_name(&self) -> String {
        format!("{}.json", self.name)
    }

    /// Name of the binary file, if there is one.
    pub fn binary_name(&self) -> Option<String> {
        let outputs = self.vectors.iter().flat_map(|vector| &vector.cases).flat_map(|case| &case.approximate);
        outputs.into_iter().any(|output| output.place == Place::Binary).then(|| format!("{}.bin", self.name))
    }

    /// The files to write, by name.
    pub fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let mut binary = Vec::new();
        let mut json = format!("{{\n\"format\": {FORMAT},\n\"vectors\": [\n");
        for (number, vector) in self.vectors.iter().enumerate() {
            let separator = if number > 0 { ",\n" } else { "" };
            let (name, definition) = (json!(vector.name), json!(vector.definition));
            let cases = vector
                .cases
                .iter()
                .map(|case| self.write_case(case, &mut binary))
                .collect::<Vec<_>>()
                .join(",\n");
            write!(
                json,
                "{separator}{{\"name\": {name},\n \"definition\": {definition},\n \"cases\": [\n{cases}\n ]}}"
            )
            .expect("invariant: a string takes what is written to it");
        }
        json.push_str("\n]\n}\n");
        let mut contents = vec![(self.json_name(), json.into_bytes())];
        contents.extend(self.binary_name().map(|name| (name, binary)));
        contents
    }

    /// A case on one line, or a line for each field where they are long.
    fn write_case(&self, case: &Case, binary: &mut Vec<u8>) -> String {
        let mut outputs = case.outputs.clone();
        let mut tolerance = Map::new();
        for output in &case.approximate {
            outputs.insert(output.name.clone(), self.store(output, binary));
            tolerance.insert(output.name.clone(), output.tolerance.into());
        }
        let mut fields = vec![("inputs", case.inputs.clone()), ("outputs", Value::Object(outputs))];
        if !tolerance.is_empty() {
            fields.push(("tolerance", Value::Object(tolerance)));
        }
        let short =
            fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect::<Vec<_>>().join(", ");
        if short.len() <= LINE {
            return format!("  {{{short}}}");
        }
        let lines = fields
            .iter()
            .map(|(name, value)| format!("\"{name}\": {}", object_lines(value)))
            .collect::<Vec<_>>();
        format!("  {{{}}}", lines.join(",\n   "))
    }

    /// An output as its case names it.
    fn store(&self, output: &Approximate, binary: &mut Vec<u8>) -> Value {
        match output.place {
            Place::Inline => words64(&output.words).into(),
            Place::Binary => {
                let bytes: Vec<u8> = output.words.iter().flat_map(|word| word.to_le_bytes()).collect();
                let blob = json!({
                    "file": format!("{}.bin", self.name),
                    "offset": binary.len(),
                    "bytes": bytes.len(),
                    "sha256": sum(&bytes),
                });
                binary.extend(bytes);
                blob
            }
        }
    }
}

/// An object with a line for each field, where it is longer than a line.
fn object_lines(value: &Value) -> String {
    match value {
        Value::Object(fields) if value.to_string().len() > LINE => {
            let lines: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}: {value}", json!(name))).collect();
            format!("{{\n     {}}}", lines.join(",\n     "))
        }
        _ => value.to_string(),
    }
}
