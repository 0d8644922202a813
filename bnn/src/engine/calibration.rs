//! Calibrated ranges: how large the sums of a model's layers become on pictures like those that it is for.
//!
//! The functional engine gives an integer of a layer's sums a unit of the torus, which is the larger the smaller the range of
//! the sums is, and with the unit grows what the sums have over their noise. The range that no picture can leave is that of
//! the weights' absolute sum; pictures reach a small part of it. So a manifest may state, as `sums` of a layer, the range that
//! calibration pictures had, and a margin.
//!
//! Where a sign, a clip or a curve comes next, which are flat beyond their slope, a few sums outside do little harm. So of each picture
//! some sums at either end are left out there: a thousandth part before a sign, which is a wrong one outside, and a hundredth before a
//! clip or a curve, which fall outside as slowly as they rise.
//!
//! **What it risks.** A sum outside of the range is looked up wrongly, and so may be the label; security is as before. Of n
//! calibration pictures and one more like them, each is as likely as another to have the greatest sum of a layer:
//!
//! ```text
//! P(a new picture has a sum, or more than that part, outside of the range of n others) <= 2 / (n + 1)        for each layer
//! ```
//!
//! and the margin makes it less. (An order statistic; nothing is assumed of how sums are distributed. Pictures on which a network was
//! trained are only nearly like those that come later.)

use std::sync::Arc;

use rayon::prelude::*;
use tfhe_core::control::Control;

use crate::{
    client::{encoding::encoded::EncodedImage, shape::Shape},
    engine::{functional::Plan, plaintext::trace},
    error::Result,
    layer::kind::Layer,
    model::{files::ModelFiles, network::Model},
};

/// What is added to a range at either end, in parts of its width.
const MARGIN: f64 = 1.0 / 8.0;
/// The sums of a picture of which one is left out at either end before a sign.
const SIGNS: usize = 1000;
/// The same before a clip or a curve.
const SLOPES: usize = 100;
/// Pictures on which noise is simulated, and how often each.
const SIMULATED: usize = 100;
const TRIALS: u32 = 20;

/// The model of two files with the ranges that its layers' sums have on these pictures, and a margin of an eighth of the range at
/// either end, and with the share of labels that noise then changes. That is simulated on the last hundred of the pictures (or the last
/// half, where there are fewer than 200), with the ranges of the others. What the manifest states of this already is replaced.
///
/// # Errors
/// Those of [`Model::from_bytes`]; [`EncodingFault::Length`](crate::client::EncodingFault::Length) for a picture that was
/// encoded for another model; [`Error::Cancelled`](crate::Error::Cancelled).
pub fn calibrate(files: &ModelFiles, pictures: &[EncodedImage], control: &Control) -> Result<ModelFiles> {
    let model = files.model()?;
    // Noise is simulated on pictures that had no part in the ranges, as those that come later will not.
    let (used, others) = pictures.split_at(pictures.len() - SIMULATED.min(pictures.len() / 2));
    let simulated = if others.is_empty() { used } else { others };
    let first = files.calibrated(&sums_of(&model, used, control)?, None)?;
    let changes = label_changes(first.model()?, simulated, control)?;
    files.calibrated(&sums_of(&model, pictures, control)?, changes)
}

/// For each layer with weights, and each addition, the range of its sums on these pictures, and a margin.
fn sums_of(model: &Model, pictures: &[EncodedImage], control: &Control) -> Result<Ranges> {
    let of_picture = |picture| {
        control.check()?;
        ranges(model, picture)
    };
    let of_each = pictures.par_iter().map(of_picture);
    let union = |first: Ranges, second: Ranges| {
        let both = first.into_iter().zip(second).map(|ranges| match ranges {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        });
        Ok(both.collect())
    };
    let seen = of_each.try_reduce(|| vec![None; model.layers_and_shapes().len()], union)?;
    let with_margin = |(least, most): (i64, i64)| {
        let margin = ((most - least) as f64 * MARGIN).ceil() as i64;
        (least - margin, most + margin)
    };
    Ok(seen.into_iter().map(|range| range.map(with_margin)).collect())
}

/// The share of labels that noise changes in simulated runs of these pictures; none where the functional engine does not run the
/// model, or there are none.
fn label_changes(model: Model, simulated: &[EncodedImage], control: &Control) -> Result<Option<f64>> {
    let Ok(plan) = Plan::cheapest(Arc::new(model)) else { return Ok(None) };
    let changed = plan.label_changes(simulated, TRIALS, control)?;
    // What so few runs tell, without the noise of its last digits.
    Ok(changed.map(|share| (share * 1e4).round() / 1e4))
}

/// For each layer that has weights, and each addition, the least and the greatest of its sums.
type Ranges = Vec<Option<(i64, i64)>>;

fn ranges(model: &Model, picture: &EncodedImage) -> Result<Ranges> {
    let given = trace(model, picture)?;
    let layers = model.layers_and_shapes();
    let range = |(index, (layer, shape)): (usize, &(Layer, Shape))| {
        let values = model.reads(index).map_or(picture.values(), |layer| &given[layer]);
        let mut sums = match layer {
            Layer::Add(_) => given[index].clone(),
            _ => sums(layer, *shape, values)?,
        };
        let place = sums_of_one_left_out(&layers[index..]).map_or(0, |count| sums.len() / count);
        let (least, most) = (place, sums.len().checked_sub(1 + place)?);
        Some((*sums.select_nth_unstable(least).1, *sums.select_nth_unstable(most).1))
    };
    Ok(layers.iter().enumerate().map(range).collect())
}

/// Of how many sums of the first of these layers one is left out at either end, if what comes of them is flat there.
fn sums_of_one_left_out(layers: &[(Layer, Shape)]) -> Option<usize> {
    let mut kinds = layers.iter().map(|(layer, _)| layer);
    if let Some(Layer::BinaryDense(_)) = kinds.next() {
        return Some(SIGNS);
    }
    match kinds.find(|layer| !matches!(layer, Layer::Scale(_))) {
        Some(Layer::Sign(_)) => Some(SIGNS),
        Some(Layer::Clip(_) | Layer::Table(_)) => Some(SLOPES),
        _ => None,
    }
}

/// The sums of a layer, bias included and before bits are dropped: what the functional engine has on the torus.
fn sums(layer: &Layer, input: Shape, values: &[i64]) -> Option<Vec<i64>> {
    match layer {
        Layer::BinaryDense(layer) => Some(layer.sums(values)),
        Layer::Dense(layer) => Some(layer.sums(values)),
        Layer::Convolution(layer) => Some(layer.sums(input, values)),
        Layer::XnorConvolution(layer) => Some(layer.products(input, values)),
        _ => None,
    }
}
