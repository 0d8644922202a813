//! The integer oracle: a model evaluated in the clear, exactly, layer by layer.

use crate::{
    client::{encoding::encoded::EncodedImage, scores::Scores},
    error::Result,
    model::network::Model,
};

/// Evaluates the model on an encoded picture.
///
/// # Errors
/// [`EncodingFault::Length`](crate::client::EncodingFault::Length) where the picture has been encoded for a model with another number of inputs.
pub fn evaluate(model: &Model, image: &EncodedImage) -> Result<Scores> {
    let last = trace(model, image)?.pop().expect("invariant: a model has a layer");
    Ok(Scores::new(last, model.fraction_bits()))
}

/// What each layer of a model gives on an encoded picture, the last one's values being the scores.
///
/// # Errors
/// As [`evaluate`].
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
pub fn trace(model: &Model, image: &EncodedImage) -> Result<Vec<Vec<i64>>> {
    model.input().check_value_count(image.values().len())?;
    let mut values: Vec<Vec<i64>> = Vec::new();
    for (index, (layer, shape)) in model.layers_and_shapes().iter().enumerate() {
        let input = model.reads(index).map_or(image.values(), |layer| &values[layer]);
        values.push(layer.evaluate(*shape, input, &values));
    }
    Ok(values)
}
