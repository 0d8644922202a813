//! Parameter sets, networks and scores, for people and in JSON.

use bnn::{
    engine::Scores,
    layer::{Layer, Shape as LayerShape},
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
    match parameters.security_bits {
        // A set from a file of the TFHE library.
        0 => format!("{}, whose security nobody has estimated", parameters.name),
        bits => format!("{}, {bits} bits of security", parameters.name),
    }
}

/// The same in JSON.
pub(crate) fn set_json(parameters: &Parameters) -> Value {
    json!({
        "name": parameters.name,
        "security_bits": (parameters.security_bits > 0).then_some(parameters.security_bits),
        "log2_failure": parameters.log2_failure,
    })
}

/// The model that a result belongs to, in JSON.
pub(crate) fn model_json(model: &Model) -> Value {
    json!({ "name": model.name(), "digest": units::hex(&model.digest()) })
}

/// The layers of a network by the values between them, such as `784 -> 512 -> 10`.
pub(crate) fn architecture(model: &Model) -> String {
    let mut sizes = vec![model.input().value_count().to_string()];
    sizes.extend(
        shapes(model).into_iter().filter(|shape| shape.kind != "relu").map(|shape| shape.outputs.to_string()),
    );
    sizes.join(" -> ")
}

/// What a layer is, in one line of a table.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// Values it reads, and gives.
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// The kinds and the sizes of a network's layers.
pub(crate) fn shapes(model: &Model) -> Vec<Shape> {
    let mut inputs = model.input().value_count();
    let shape = |(layer, shape): &(Layer, LayerShape)| {
        let outputs = layer.output(*shape).values();
        let read = std::mem::replace(&mut inputs, outputs);
        Shape { name: layer.name().into(), kind: layer.kind(), inputs: read, outputs }
    };
    model.layers_and_shapes().iter().map(shape).collect()
}

/// The scores of the classes as a table with bars from the lowest to the highest; the highest is marked.
pub(crate) fn score_table(scores: &Scores) -> String {
    let reals = scores.reals();
    let lowest = reals.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = reals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Equal scores have no bars, rather than bars of 0/0.
    let scale = if highest > lowest { BAR_WIDTH / (highest - lowest) } else { 0.0 };
    let decimals = scores.fraction_bits().min(MOST_DECIMALS) as usize;
    let row = |(class, score): (usize, &f64)| {
        let mark = if class == scores.label() { '>' } else { ' ' };
        let bar = "█".repeat(((score - lowest) * scale).round() as usize);
        format!("{mark} {class}  {score:>9.decimals$}  {bar}").trim_end().to_owned()
    };
    reals.iter().enumerate().map(row).collect::<Vec<_>>().join("\n")
}
