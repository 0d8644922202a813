//! Parameter sets, networks and scores, for people and in JSON.

use bnn::{
    client::{ClientSpecification, Scores},
    model::Model,
};
use serde_json::{Value, json};
use tfhe_core::parameters::Parameters;

use crate::terminal::units;

/// Characters of the longest bar in a table of scores.
const BAR_WIDTH: f64 = 40.0;
/// Decimals of a score that people read: an eighth is exact.
const MOST_DECIMALS: u32 = 3;

/// A parameter set and its security.
pub(crate) fn set(parameters: &Parameters) -> String {
    match parameters.security_bits() {
        // A set from a file of the TFHE library.
        0 => format!("{}, whose security nobody has estimated", parameters.name()),
        bits => format!("{}, {bits} bits of security", parameters.name()),
    }
}

/// The same in JSON.
pub(crate) fn set_json(parameters: &Parameters) -> Value {
    json!({
        "name": parameters.name(),
        "security_bits": (parameters.security_bits() > 0).then_some(parameters.security_bits()),
        "log2_failure": parameters.log2_failure(),
    })
}

/// The model that a result belongs to, in JSON.
pub(crate) fn model_json(model: &Model) -> Value {
    identity(model.name(), model.digest())
}

/// The same, by what a client knows of the model.
pub(crate) fn client_json(specification: &ClientSpecification) -> Value {
    identity(specification.model_name(), specification.model_digest())
}

fn identity(name: &str, digest: [u8; 32]) -> Value {
    json!({ "name": name, "digest": units::hex(&digest) })
}

/// The layers of a network by the values between them, such as `784 -> 512 -> 10`.
pub(crate) fn architecture(model: &Model) -> String {
    let mut sizes = vec![model.input().value_count().to_string()];
    let layers = model.layers().filter(|layer| layer.kind() != "relu");
    sizes.extend(layers.map(|layer| layer.outputs().to_string()));
    sizes.join(" -> ")
}

/// The scores of the classes, which have these names, as a table with bars from the lowest to the highest; the highest is
/// marked.
pub(crate) fn score_table(scores: &Scores, labels: &[String]) -> String {
    let reals = scores.reals();
    let lowest = reals.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = reals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Equal scores have no bars, rather than bars of 0/0.
    let scale = if highest > lowest { BAR_WIDTH / (highest - lowest) } else { 0.0 };
    let decimals = scores.fraction_bits().min(MOST_DECIMALS) as usize;
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or_default();
    let row = |(class, (score, label)): (usize, (&f64, &String))| {
        let mark = if class == scores.label() { '>' } else { ' ' };
        let bar = "█".repeat(((score - lowest) * scale).round() as usize);
        format!("{mark} {label:width$}  {score:>9.decimals$}  {bar}").trim_end().to_owned()
    };
    reals.iter().zip(labels).enumerate().map(row).collect::<Vec<_>>().join("\n")
}
