//! Parameter sets, networks and scores, for people and in JSON.

use bnn::{
    client::{ClientSpecification, Scores},
    engine::Engine,
    model::Model,
};
use serde_json::{Value, json};
use tfhe_core::{parameters::Parameters, serial::Kind};

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
        "log2_failure": has_gates(parameters).then_some(parameters.log2_failure()),
    })
}

/// What holds of results that are computed with a parameter set.
pub(crate) fn exactness(parameters: &Parameters) -> String {
    if has_gates(parameters) {
        format!("gates fail with probability 2^{:.0} at most", parameters.log2_failure())
    } else {
        "results have noise, which `bnn estimate` predicts for a model".into()
    }
}

/// Whether networks run by gates with a parameter set, so that its bound is on what they compute.
fn has_gates(parameters: &Parameters) -> bool {
    Engine::of(parameters).ok() != Some(Engine::Functional)
}

/// What a file of a kind is to people.
pub(crate) fn content(kind: Kind) -> &'static str {
    match kind {
        Kind::SecretKey => "a secret key",
        Kind::CloudKey | Kind::CloudKeyWithMasks => "a cloud key",
        Kind::PackedCiphertext => "an encrypted picture",
        Kind::SeededCiphertexts => "an encrypted picture, bit by bit",
        Kind::CiphertextList => "encrypted scores",
        _ => "something else",
    }
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

/// Channels, rows and columns, such as `12 x 9 x 9`; of a vector its length.
pub(crate) fn shape([channels, height, width]: [usize; 3]) -> String {
    if height * width == 1 { channels.to_string() } else { format!("{channels} x {height} x {width}") }
}

/// The scores of the classes, which have these names, as a table with bars; the highest is marked.
pub(crate) fn score_table(scores: &Scores, labels: &[String]) -> Vec<String> {
    let reals = scores.reals();
    let decimals = scores.fraction_bits().min(MOST_DECIMALS) as usize;
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or_default();
    let row = |(class, ((score, bar), label)): (usize, ((&f64, usize), &String))| {
        let mark = if class == scores.label() { '>' } else { ' ' };
        let bar = "█".repeat(bar);
        format!("{mark} {label:width$}  {score:>9.decimals$}  {bar}").trim_end().to_owned()
    };
    reals.iter().zip(bars(&reals)).zip(labels).enumerate().map(row).collect()
}

/// The label and its score in a line, with the one that comes next.
pub(crate) fn scores_line(scores: &Scores, labels: &[String]) -> String {
    let (reals, label) = (scores.reals(), scores.label());
    let decimals = scores.fraction_bits().min(MOST_DECIMALS) as usize;
    let others = (0..reals.len()).filter(|&class| class != label);
    let next = others.max_by(|&a, &b| reals[a].total_cmp(&reals[b]));
    let next =
        next.map_or_else(String::new, |next| format!("; next {}, {:.decimals$}", labels[next], reals[next]));
    format!("{}  ({:.decimals$}{next})", labels[label], reals[label])
}

/// The lengths of the bars of scores: what they are above the lowest, or above 0 where that is lower.
///
/// The longest bar stands for a range of 1 at least. Scores are logits: those within a small range are a near tie, and
/// should not look decided.
fn bars(scores: &[f64]) -> Vec<usize> {
    let lowest = scores.iter().copied().fold(0.0, f64::min);
    let highest = scores.iter().copied().fold(0.0, f64::max);
    let scale = BAR_WIDTH / (highest - lowest).max(1.0);
    scores.iter().map(|score| ((score - lowest) * scale).round() as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_ties_look_like_ties() {
        assert_eq!(bars(&[20.0, 19.9, 19.8]), [40, 40, 40]);
        assert_eq!(bars(&[0.125, 0.0625, 0.0]), [5, 3, 0]);
        assert_eq!(bars(&[-10.0, 10.0, 0.0]), [0, 40, 20]);
        assert_eq!(bars(&[-8.0, -8.0]), [0, 0]);
    }

    #[test]
    fn only_sets_with_gates_have_a_bound_on_gates() {
        assert!(exactness(&tfhe_core::parameters::GATES_DEFAULT).contains("2^-128"));
        assert!(exactness(&tfhe_core::parameters::FUNCTIONAL_1024).contains("noise"));
    }
}
