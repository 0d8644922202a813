//! The integer oracle: a model evaluated in the clear, exactly.
//!
//! For each hidden layer `h = sign(W x + b + 1/2)`, that is +1 where `W x + b >= 0` and -1 elsewhere; then the scores
//! `V h + c` in fixed point.

use super::Scores;
use crate::{Result, encoding::BinaryImage, layer::Layer, model::Model};

/// The values inside a network for one picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// For each hidden layer, `W x + b` of its neurons: what the sign is taken of, less the half.
    pub sums: Vec<Vec<i64>>,
    /// What the network gives.
    pub scores: Scores,
}

/// Evaluates the model on an encoded picture.
///
/// # Errors
/// [`Error::InputLength`](crate::Error::InputLength) where the picture has been encoded for a model with another number of inputs.
pub fn evaluate(model: &Model, image: &BinaryImage) -> Result<Scores> {
    Ok(trace(model, image)?.scores)
}

/// Evaluates the model on an encoded picture, and keeps what the neurons summed up to.
///
/// # Errors
/// As [`evaluate`].
pub fn trace(model: &Model, image: &BinaryImage) -> Result<Trace> {
    model.input().check_value_count(image.bits().len())?;

    let mut values: Vec<i8> = image.bits().iter().map(|&bit| bit.into()).collect();
    let mut hidden_sums = Vec::new();
    for layer in model.layers() {
        match layer {
            Layer::BinaryDense(layer) => {
                let sums = layer.sums(&values);
                values = sums.iter().map(|&sum| if sum >= 0 { 1 } else { -1 }).collect();
                hidden_sums.push(sums);
            }
            Layer::Dense(layer) => {
                let scores = Scores { integers: layer.sums(&values), fraction_bits: layer.fraction_bits() };
                return Ok(Trace { sums: hidden_sums, scores });
            }
        }
    }
    unreachable!("invariant: a model's last layer is dense")
}
