//! The integer oracle: a model evaluated in the clear, exactly, layer by layer.

use crate::{
    client::{encoding::encoded::EncodedImage, scores::Scores},
    error::Result,
    model::network::Model,
};

/// The values inside a network for one picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    values: Vec<Vec<i64>>,
    scores: Scores,
}

impl Trace {
    /// What each layer gives, the last one's being the scores.
    pub fn values(&self) -> &[Vec<i64>] {
        &self.values
    }

    /// What the network gives.
    pub fn scores(&self) -> &Scores {
        &self.scores
    }
}

/// Evaluates the model on an encoded picture.
///
/// # Errors
/// [`EncodingFault::Length`](crate::client::EncodingFault::Length) where the picture has been encoded for a model with another number of inputs.
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
    Ok(Trace { values, scores: Scores::new(integers, model.fraction_bits()) })
}
