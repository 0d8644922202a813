//! The integer oracle: a model evaluated in the clear, exactly, layer by layer.

use super::Scores;
use crate::{Result, encoding::EncodedImage, model::Model};

/// The values inside a network for one picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// What each layer gives, the last one's being the scores.
    pub values: Vec<Vec<i64>>,
    /// What the network gives.
    pub scores: Scores,
}

/// Evaluates the model on an encoded picture.
///
/// # Errors
/// [`Error::InputLength`](crate::Error::InputLength) where the picture has been encoded for a model with another number of inputs.
pub fn evaluate(model: &Model, image: &EncodedImage) -> Result<Scores> {
    Ok(trace(model, image)?.scores)
}

/// Evaluates the model on an encoded picture, and keeps what every layer gave.
///
/// # Errors
/// As [`evaluate`].
pub fn trace(model: &Model, image: &EncodedImage) -> Result<Trace> {
    model.input().check_value_count(image.values().len())?;

    let mut values: Vec<Vec<i64>> = Vec::new();
    for (layer, shape) in model.layers_and_shapes() {
        let input = values.last().map_or(image.values(), Vec::as_slice);
        values.push(layer.evaluate(*shape, input));
    }
    let integers = values.last().cloned().expect("invariant: a model has a layer");
    Ok(Trace { values, scores: Scores { integers, fraction_bits: model.fraction_bits() } })
}
