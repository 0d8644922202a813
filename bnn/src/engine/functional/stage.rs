//! A network as stages: a linear map, which is free on ciphertexts, and what follows it up to the next one, which is
//! bootstrapped.
//!
//! ```text
//! stage = sums of squares, linear map, additions, maxima of squares, activation
//! ```
//!
//! Sums are free too. Those behind a linear map that drops no bits become part of it; others wait for the next linear map.
//! Where that gives the scores, which add up the noise of every value, wide sums are a stage of their own: a bootstrap each
//! leaves the noise of one value in place of many.
//!
//! **Graphs.** What several layers read, or what is added to another layer's sums, is the result of a stage; so a layer that would
//! join that stage, but comes after it, has a stage of its own, with a linear map that changes nothing.
//!
//! Maxima and activations change places: every activation here is monotone, and so is what a linear layer and a scale behind it still
//! do to sums (a scale that is not negative, dropping bits, a bias). So the maximum is taken of the bare sums, and all the rest
//! of a stage is one table.

use std::sync::Arc;

use crate::{
    client::{
        encoding::input::{InputEncoding, PixelEncoding},
        shape::Shape,
    },
    error::{Error, Result},
    layer::{
        activation::Table, convolution::Convolution, kind::Layer, matrix::Matrix, pool::Pool, scale::Scale,
        xnor_convolution::XnorConvolution,
    },
    model::network::Model,
};

/// Values of a square from which on sums before the scores are bootstrapped: at most a sixteenth of the bootstraps before.
const REFRESHED_CELLS: usize = 16;

/// The sums that units are chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ranges {
    /// Those of calibration pictures, where the model knows them.
    Calibrated,
    /// All that an accepted picture can have.
    WorstCase,
}

/// A linear map and what follows it.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// The linear layer's name, and its place in the model.
    pub(super) name: Arc<str>,
    pub(super) index: usize,
    /// The stage whose values it reads; none for the picture.
    pub(super) reads: Option<usize>,
    /// Sums of squares before the linear map, one after another, with the shapes that they read.
    pub(super) sums: Vec<(Pool, Shape)>,
    pub(super) linear: Linear,
    /// What is added to the sums: the values of these stages, times a number.
    pub(super) added: Vec<(usize, i64)>,
    /// The least and the greatest sum on calibration pictures, if they are known.
    pub(super) calibrated: Option<(i64, i64)>,
    /// The shape of what the linear layer reads: of the picture, for an XNOR convolution.
    pub(super) input: Shape,
    /// Maxima, one after another, with the shapes that they read.
    pub(super) pools: Vec<(Pool, Shape)>,
    /// A scale a channel, before the activation.
    pub(super) scale: Option<Scale>,
    pub(super) activation: Activation,
}

/// A linear layer.
#[derive(Debug, Clone)]
pub(super) enum Linear {
    /// A row an output, each with a bias; a sum loses its lowest bits *after* the bias, which is larger by as many.
    Dense { weights: Matrix, biases: Arc<[i32]>, shift: u32, bits: Option<usize> },
    /// Filters, of which the same holds.
    Convolution(Convolution),
    /// Filters on planes of the products of window means and signs; scale and bias come after the sum.
    Xnor(XnorConvolution),
}

/// What becomes of a sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Activation {
    /// +1 from 0 on, else -1.
    Sign,
    /// max(x, 0).
    Relu,
    /// The nearest value from one end to the other.
    Clip(i64, i64),
    /// A curve.
    Table(Table),
    /// x.
    Identity,
    /// Nothing: the client decrypts sums.
    Scores,
}

impl Stage {
    /// The stages of a network, each after those that it reads; the last one's activation is [`Activation::Scores`]. Rectifiers
    /// behind it are the client's.
    ///
    /// # Errors
    /// [`Error::UnsupportedLayer`] for a layer before the first linear one, which has nothing to follow, for a sign of what was
    /// rectified, which is always +1, and for what follows a sum of squares that waits for a linear map.
    pub(super) fn of(model: &Model, ranges: Ranges) -> Result<Vec<Self>> {
        let layers = model.layers_and_shapes();
        let is_linear = |layer: &Layer| Linear::of(layer).is_some();
        let last = layers.iter().rposition(|(layer, _)| is_linear(layer));
        let last = last.expect("invariant: a model has a dense layer");
        let mut stages: Vec<Self> = Vec::new();
        let mut sums: Vec<(Pool, Shape)> = Vec::new();
        // For each layer so far the stage that gives its values, or that is to; none where only the picture was read.
        let mut given_by: Vec<Option<usize>> = Vec::new();
        for (index, (layer, shape)) in layers[..=last].iter().enumerate() {
            let reads = model.reads(index).and_then(|layer| given_by[layer]);
            let calibrated = match ranges {
                Ranges::Calibrated => model.calibrated(index),
                Ranges::WorstCase => None,
            };
            // What other layers read as well is bootstrapped for them.
            let mut is_open = sums.is_empty() && index > 0 && !model.is_kept(index - 1);
            let unsupported = || {
                let (layer, kind) = (layer.name().into(), layer.kind());
                Error::UnsupportedLayer { layer, kind, engine: "functional" }
            };
            if let Layer::SumPool(pool) = layer {
                let stage = stages.last_mut().filter(|_| is_open);
                if !stage.is_some_and(|stage| stage.sum(pool)) {
                    sums.push((pool.clone(), *shape));
                    if model.is_kept(index) {
                        stages.extend(Self::of_sums(index, reads, &mut sums));
                        given_by.push(Some(stages.len() - 1));
                        continue;
                    }
                }
                given_by.push(reads);
                continue;
            }
            if let Some(linear) = Linear::of(layer) {
                let mut reads = reads;
                if index == last && reads.is_some() && cells(&sums) >= REFRESHED_CELLS {
                    stages.extend(Self::of_sums(index - 1, reads, &mut sums));
                    reads = Some(stages.len() - 1);
                }
                let activation = match layer {
                    Layer::BinaryDense(_) => Activation::Sign,
                    _ => Activation::Identity,
                };
                let stage = Self::new((layer.name(), index), (reads, *shape), linear);
                stages.push(Self { sums: std::mem::take(&mut sums), calibrated, activation, ..stage });
                given_by.push(Some(stages.len() - 1));
                continue;
            }
            let sign_of_rectified = matches!(layer, Layer::Sign(_))
                && stages.last().is_some_and(|stage| stage.activation == Activation::Relu);
            let needs_own =
                !is_open || matches!(layer, Layer::Add(_)) && !stages.last().is_some_and(Self::is_sum);
            if needs_own && reads.is_some() && sums.is_empty() && !sign_of_rectified {
                // A stage whose linear map changes nothing.
                let pool = Pool { name: layer.name().into(), size: 1 };
                let linear = Linear::Convolution(Convolution::of_sums(&pool, shape.channels));
                stages.push(Self::new((layer.name(), index), (reads, *shape), linear));
                is_open = true;
            }
            match (stages.last_mut().filter(|_| is_open), layer) {
                (Some(stage), Layer::Add(add)) => {
                    let from = given_by[add.from].ok_or_else(unsupported)?;
                    let shift = stage.linear.shift();
                    stage.added.push((from, i64::from(add.factor) << shift));
                    // Where the product is too much for a number, it is no help either.
                    stage.calibrated = calibrated.and_then(|(least, most)| {
                        let end = most.checked_add(1)?.checked_mul(1 << shift)?;
                        Some((least.checked_mul(1 << shift)?, end - 1))
                    });
                }
                (Some(stage), Layer::MaxPool(pool)) => stage.pools.push((pool.clone(), *shape)),
                (
                    Some(Self { scale: scale @ None, activation: Activation::Identity, .. }),
                    Layer::Scale(layer),
                ) => *scale = Some(layer.clone()),
                (
                    Some(Self { activation: activation @ (Activation::Identity | Activation::Relu), .. }),
                    Layer::Relu(_),
                ) => {
                    *activation = Activation::Relu;
                }
                (
                    Some(Self { activation: activation @ (Activation::Identity | Activation::Relu), .. }),
                    Layer::Clip(clip),
                ) => {
                    let least = if *activation == Activation::Relu { 0 } else { clip.least.into() };
                    *activation = Activation::Clip(least, clip.most.into());
                }
                (Some(Self { activation: activation @ Activation::Identity, .. }), Layer::Table(table)) => {
                    *activation = Activation::Table(table.clone());
                }
                (
                    Some(Self {
                        scale: None,
                        activation: activation @ (Activation::Identity | Activation::Sign),
                        ..
                    }),
                    Layer::Sign(_),
                ) => {
                    *activation = Activation::Sign;
                }
                _ => return Err(unsupported()),
            }
            given_by.push(Some(stages.len() - 1));
        }
        stages.last_mut().expect("invariant: a model has a dense layer").activation = Activation::Scores;
        Ok(stages)
    }

    /// A linear map of what a stage gives, and nothing else yet.
    fn new((name, index): (&str, usize), (reads, input): (Option<usize>, Shape), linear: Linear) -> Self {
        Self {
            name: name.into(),
            index,
            reads,
            sums: Vec::new(),
            linear,
            added: Vec::new(),
            calibrated: None,
            input,
            pools: Vec::new(),
            scale: None,
            activation: Activation::Identity,
        }
    }

    /// Makes a stage of the last of the sums of squares that wait, behind the others.
    fn of_sums(index: usize, reads: Option<usize>, sums: &mut Vec<(Pool, Shape)>) -> Option<Self> {
        let (pool, input) = sums.pop()?;
        let linear = Linear::Convolution(Convolution::of_sums(&pool, input.channels));
        let stage = Self::new((&pool.name, index), (reads, input), linear);
        Some(Self { sums: std::mem::take(sums), ..stage })
    }

    /// Whether it has done nothing yet with its sums, to which others may then be added.
    fn is_sum(&self) -> bool {
        self.pools.is_empty()
            && self.scale.is_none()
            && self.activation == Activation::Identity
            && !matches!(self.linear, Linear::Xnor(_) | Linear::Dense { bits: Some(_), .. })
    }

    /// Makes the sums of squares of the linear map's results a part of it; whether that was possible.
    fn sum(&mut self, pool: &Pool) -> bool {
        let Linear::Convolution(convolution) = &self.linear else { return false };
        if !self.is_sum() || !self.added.is_empty() {
            return false;
        }
        let Some(summed) = convolution.summed(pool.size()) else { return false };
        self.linear = Linear::Convolution(summed);
        let cells = pool.cells() as i64;
        // Where the product is too much for a number, it is no help either.
        self.calibrated =
            self.calibrated.and_then(|(least, most)| least.checked_mul(cells).zip(most.checked_mul(cells)));
        true
    }

    /// The range of the sums that the stage is planned for, of the range that no accepted picture leaves.
    pub(super) fn planned(&self, (least, most): (i64, i64)) -> (i64, i64) {
        let Some((low, high)) = self.calibrated else { return (least, most) };
        let (low, high) = (low.max(least), high.min(most));
        // Ranges that do not meet are of other pictures.
        if low <= high { (low, high) } else { (least, most) }
    }

    /// What the linear map reads of inputs of a range and a variance.
    pub(super) fn reads_of(&self, inputs: Range, variance: f64) -> (Range, f64) {
        let cells = cells(&self.sums);
        let range = inputs.summed(cells);
        // Squares side by side have no input in common.
        (if self.linear.is_padded() { range.with_zero() } else { range }, cells as f64 * variance)
    }

    /// Bootstraps of the maxima: one fewer than a square has values, for each.
    fn maxima(&self) -> usize {
        let squares = |(pool, input): &(Pool, Shape)| pool.output(*input).values() * (pool.cells() - 1);
        self.pools.iter().map(squares).sum()
    }

    /// Bootstraps of the stage.
    pub(super) fn bootstraps(&self) -> usize {
        match self.activation {
            Activation::Scores => 0,
            _ => self.maxima() + self.outputs().values(),
        }
    }

    /// The shape of what the stage gives.
    pub(super) fn outputs(&self) -> Shape {
        self.pools.last().map_or(self.linear.output(self.input), |(pool, input)| pool.output(*input))
    }

    /// Whether channels do the same to their sums.
    pub(super) fn is_uniform(&self) -> bool {
        self.scale.is_none() && !matches!(self.linear, Linear::Xnor(_))
    }

    /// What the next stage reads of a sum of the filter or row `channel`.
    pub(super) fn activated(&self, channel: usize, sum: i64) -> i64 {
        let finished = self.linear.finished(channel, sum);
        let value = self.scale.as_ref().map_or(finished, |scale| scale.scaled(channel, finished));
        match &self.activation {
            Activation::Sign => 2 * i64::from(value >= 0) - 1,
            Activation::Relu => value.max(0),
            Activation::Clip(least, most) => value.clamp(*least, *most),
            Activation::Table(table) => table.at(value),
            Activation::Identity | Activation::Scores => value,
        }
    }
}

impl Linear {
    fn of(layer: &Layer) -> Option<Self> {
        let dense = |weights: &Matrix, biases: &Arc<[i32]>, shift, bits| {
            Some(Self::Dense { weights: weights.clone(), biases: Arc::clone(biases), shift, bits })
        };
        match layer {
            Layer::BinaryDense(layer) => dense(&layer.weights, &layer.biases, 0, None),
            Layer::Dense(layer) => dense(&layer.weights, &layer.biases, layer.shift(), layer.bits()),
            Layer::Convolution(layer) => Some(Self::Convolution(layer.clone())),
            Layer::XnorConvolution(layer) => Some(Self::Xnor(layer.clone())),
            _ => None,
        }
    }

    /// Refuses a layer whose results, of these least and greatest sums, would wrap around in words of its width: on the
    /// torus they do not.
    ///
    /// # Errors
    /// [`Error::WrappingLayer`].
    pub(super) fn check_width(&self, layer: &str, (least, most): (i64, i64)) -> Result<()> {
        let Self::Dense { shift, bits: Some(bits), .. } = *self else { return Ok(()) };
        let (low, high) = (least >> shift, most >> shift);
        let half = 1_i64 << (bits - 1);
        if -half <= low && high < half {
            return Ok(());
        }
        Err(Error::WrappingLayer { layer: layer.into(), bits, low, high })
    }

    /// Bits that a sum loses.
    fn shift(&self) -> u32 {
        match self {
            Self::Dense { shift, .. } => *shift,
            Self::Convolution(layer) => layer.shift(),
            Self::Xnor(_) => 0,
        }
    }

    /// A row an output, or a filter.
    pub(super) fn weights(&self) -> &Matrix {
        match self {
            Self::Dense { weights, .. } => weights,
            Self::Convolution(layer) => layer.weights(),
            Self::Xnor(layer) => layer.weights(),
        }
    }

    /// The shape of the sums.
    pub(super) fn output(&self, input: Shape) -> Shape {
        match self {
            Self::Dense { weights, .. } => Shape::vector(weights.rows()),
            Self::Convolution(layer) => layer.output(input),
            Self::Xnor(layer) => layer.output(input),
        }
    }

    /// What is added to the sums of a row or filter, in their units.
    pub(super) fn constant(&self, channel: usize) -> i64 {
        match self {
            Self::Dense { biases, shift, .. } => i64::from(biases[channel]) << shift,
            Self::Convolution(layer) => i64::from(layer.biases()[channel]) << layer.shift(),
            Self::Xnor(_) => 0,
        }
    }

    /// What the layer makes of a sum: the bits that it drops, the scale and bias that are not in the sum.
    pub(super) fn finished(&self, channel: usize, sum: i64) -> i64 {
        match self {
            Self::Dense { shift, .. } => sum >> shift,
            Self::Convolution(layer) => sum >> layer.shift(),
            Self::Xnor(layer) => {
                ((sum * i64::from(layer.scales()[channel])) >> layer.fraction_bits())
                    + i64::from(layer.biases()[channel])
            }
        }
    }

    /// Whether some windows read zeros around the values.
    fn is_padded(&self) -> bool {
        matches!(self, Self::Convolution(layer) if layer.padding > 0)
    }

    /// Groups of filters, side by side: those of a group read the same values at a place.
    pub(super) fn groups(&self) -> usize {
        match self {
            Self::Convolution(layer) => layer.groups,
            Self::Dense { .. } | Self::Xnor(_) => 1,
        }
    }

    /// What an output reads: for each input the place in its row of the weight, and the input's own place. Those of a whole
    /// row are in the row's order.
    pub(super) fn taps(&self, input: Shape, output: Shape, place: usize) -> Vec<(usize, usize)> {
        match self {
            Self::Dense { weights, .. } => (0..weights.columns()).map(|place| (place, place)).collect(),
            Self::Convolution(layer) => {
                let (row, column) = (place / output.width % output.height, place % output.width);
                let filter = place / (output.width * output.height);
                layer.taps(input, layer.group_of(filter), row, column)
            }
            Self::Xnor(_) => unreachable!("invariant: planes are summed whole"),
        }
    }
}

/// Values of a square of squares.
fn cells(sums: &[(Pool, Shape)]) -> usize {
    sums.iter().map(|(pool, _)| pool.cells()).product()
}

/// What is known of the values that a stage reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// Zeros and ones, of which at most so many are ones.
    Bits { active: usize },
    /// From `low` to `high`, each.
    Interval { low: i64, high: i64 },
}

impl Range {
    /// The values of an encoded picture, of which an XNOR convolution reads products.
    pub(super) fn of_inputs(input: &InputEncoding) -> Self {
        match input.pixels() {
            PixelEncoding::Threshold { max_active, .. } => Self::Bits { active: max_active },
            PixelEncoding::Grey { bits } => Self::Interval { low: 0, high: (1 << bits) - 1 },
            PixelEncoding::SignAndScale { largest, .. } => {
                Self::Interval { low: -i64::from(largest), high: largest.into() }
            }
        }
    }

    /// The range of sums of so many values.
    fn summed(self, cells: usize) -> Self {
        match self {
            _ if cells == 1 => self,
            Self::Bits { active } => Self::Interval { low: 0, high: active.min(cells) as i64 },
            Self::Interval { low, high } => {
                Self::Interval { low: low * cells as i64, high: high * cells as i64 }
            }
        }
    }

    /// The range where some values are left out.
    fn with_zero(self) -> Self {
        match self {
            Self::Bits { .. } => self,
            Self::Interval { low, high } => Self::Interval { low: low.min(0), high: high.max(0) },
        }
    }

    /// The least and the greatest product with a weight.
    pub(super) fn products(&self, w: i64) -> (i64, i64) {
        let (low, high) = match *self {
            Self::Interval { low, high } => (low, high),
            Self::Bits { active } => (0, active.min(1) as i64),
        };
        ((w * low).min(w * high), (w * low).max(w * high))
    }

    /// The least and the greatest sum of a row: some input reaches each (for the planes of an XNOR convolution as well,
    /// whose values of one window are equal but for their signs).
    pub(super) fn sums(&self, row: &[i32]) -> (i64, i64) {
        let row = row.iter().copied().map(i64::from);
        match *self {
            Self::Interval { low, high } => row.fold((0, 0), |(least, most), w| {
                (least + (w * low).min(w * high), most + (w * low).max(w * high))
            }),
            Self::Bits { active } => {
                let largest = |sign: i64| {
                    let mut gains: Vec<i64> = row.clone().map(|w| sign * w).filter(|&w| w > 0).collect();
                    if active < gains.len() {
                        gains.select_nth_unstable_by(active, |a, b| b.cmp(a));
                    }
                    gains.iter().take(active).sum::<i64>()
                };
                (-largest(-1), largest(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn some_input_reaches_a_bound_and_none_passes_it(
            row in proptest::collection::vec(-5..=5_i32, 1..=6),
            active in 0..=7_usize,
            (low, size) in (-3..=0_i64, 0..=3_i64),
        ) {
            let extremes = |range: Range, inputs: Vec<Vec<i64>>| {
                let sums = inputs.iter().map(|x| x.iter().zip(&row).map(|(x, &w)| x * i64::from(w)).sum::<i64>());
                let sums: Vec<i64> = sums.collect();
                let ends = sums.iter().min().copied().zip(sums.iter().max().copied());
                prop_assert_eq!(Some(range.sums(&row)), ends);
                Ok(())
            };
            let all = |values: [i64; 2]| -> Vec<Vec<i64>> {
                (0..1 << row.len()).map(|x| (0..row.len()).map(|i| values[x >> i & 1]).collect()).collect()
            };
            let bits = all([0, 1]).into_iter().filter(|x| x.iter().sum::<i64>() as usize <= active).collect();
            extremes(Range::Bits { active }, bits)?;
            // A linear function is extreme at corners.
            extremes(Range::Interval { low, high: low + size }, all([low, low + size]))?;
        }
    }
}
