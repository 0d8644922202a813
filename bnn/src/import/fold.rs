//! Maps a x + b of channels (batch normalisation, biases by themselves, the scale of pixels) become part of a linear layer.
//!
//! ```text
//! a (W x + c) + b  =  (a W) x + (a c + b)           the layer before
//! W (a x + b) + c  =  (W a) x + (W b + c)           the layer after, if no zeros are padded there or b = 0
//! ```
//!
//! An average of squares straight behind a convolution becomes part of its filters, which then lie further apart.
//!
//! A map that stands between branches, where neither is possible, becomes a convolution of 1 x 1 in as many groups as there are channels; and
//! so does, without changing anything, what comes before an addition and is no linear layer.
//!
//! On the way averages may be passed; maxima, if no factor is negative; rectifiers and signs, if all are positive and b = 0; and clips,
//! whose ends change, if the factors are one as well.

use super::{
    fault::{ImportFault, Result},
    network::{Grid, Linear, Operation, RealLayer, Window, kept},
};
use crate::client::shape::Shape;

/// The largest filter that averages make, and the most weights.
const MOST_SIZE: usize = 64;
const MOST_WEIGHTS: usize = 1 << 24;

/// Channels times a factor, plus an offset.
struct Affine {
    /// The layer's name.
    name: String,
    scales: Vec<f64>,
    offsets: Vec<f64>,
}

impl Affine {
    fn fault(&self, reason: &str) -> ImportFault {
        ImportFault::Node { node: self.name.clone(), kind: "scale and offset".into(), reason: reason.into() }
    }

    fn passes_maxima(&self) -> bool {
        self.scales.iter().all(|&scale| scale >= 0.0)
    }

    fn passes_rectifiers(&self) -> bool {
        self.scales.iter().all(|&scale| scale > 0.0) && self.has_no_offset()
    }

    /// Whether it can go on behind this operation, or become a part of it.
    fn passes(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Affine { .. } | Operation::AveragePool { .. } | Operation::Dense(_) => true,
            Operation::Convolution(_, window) => window.padding == 0 || self.has_no_offset(),
            Operation::MaxPool { .. } => self.passes_maxima(),
            Operation::Relu | Operation::Sign => self.passes_rectifiers(),
            Operation::Clip { .. } => self.passes_rectifiers() && self.has_one_factor(),
            Operation::Quantised { .. } | Operation::Curve(_) | Operation::Add { .. } => false,
        }
    }

    fn has_one_factor(&self) -> bool {
        self.scales.iter().all(|&scale| scale == self.scales[0])
    }

    fn has_no_offset(&self) -> bool {
        self.offsets.iter().all(|&offset| offset == 0.0)
    }
}

/// The same layers without affine maps.
///
/// # Errors
/// [`ImportFault::Node`] for a map that no linear layer can take, and for a layer without weights that reads the values of another than
/// the one before it.
pub(super) fn fold(layers: Vec<RealLayer>) -> Result<Vec<RealLayer>> {
    let kept = kept(&layers);
    let mut folded: Vec<RealLayer> = Vec::new();
    // For the last layer of each chain its place among the folded ones.
    let mut places = vec![None; layers.len()];
    let mut chain: Vec<RealLayer> = Vec::new();
    let mut layers = layers.into_iter().enumerate().peekable();
    while let Some((place, layer)) = layers.next() {
        let is_addition = matches!(layer.operation, Operation::Add { .. });
        chain.push(layer);
        let goes_on = |next: &RealLayer| next.reads == Some(place) && !kept[place] && !is_addition;
        if layers.peek().is_some_and(|(_, next)| goes_on(next)) {
            continue;
        }
        let source = chain[0].reads;
        let reads = source.and_then(|source: usize| places[source]);
        let ends = Ends { starts_the_network: source.is_none(), ends_the_network: layers.peek().is_none() };
        for (index, mut layer) in fold_chain(std::mem::take(&mut chain), ends)?.into_iter().enumerate() {
            layer.reads = if index == 0 { reads } else { folded.len().checked_sub(1) };
            if let Operation::Add { from } = &mut layer.operation {
                *from = places[*from].expect("invariant: what is added ends a chain");
            }
            let has_weights = matches!(layer.operation, Operation::Dense(_) | Operation::Convolution(..));
            if !has_weights && layer.reads != folded.len().checked_sub(1) {
                let reason = "it reads values that were given before other layers, which only a Conv, a Gemm or an Add can";
                return Err(ImportFault::Node {
                    node: layer.name,
                    kind: "layer".into(),
                    reason: reason.into(),
                });
            }
            folded.push(layer);
        }
        places[place] = folded.len().checked_sub(1);
    }
    Ok(folded)
}

/// Where a chain of layers lies.
#[derive(Clone, Copy)]
struct Ends {
    starts_the_network: bool,
    ends_the_network: bool,
}

/// A convolution that multiplies each channel, and adds to it.
fn by_itself(affine: &Affine, input: Shape) -> RealLayer {
    let linear = Linear {
        columns: 1,
        weights: affine.scales.clone(),
        biases: affine.offsets.clone(),
        grid: Grid::Layer,
    };
    let window = Window { size: 1, stride: 1, padding: 0, groups: input.channels };
    RealLayer {
        name: affine.name.clone(),
        reads: None,
        input,
        operation: Operation::Convolution(linear, window),
    }
}

/// The layers of a chain, each of which reads what the one before gives, without affine maps.
fn fold_chain(layers: Vec<RealLayer>, ends: Ends) -> Result<Vec<RealLayer>> {
    let mut folded: Vec<RealLayer> = Vec::new();
    let output = layers.last().map(RealLayer::output);
    // On its way to the next linear layer.
    let mut pending: Option<Affine> = None;
    for mut layer in layers {
        if let Some(affine) =
            pending.take_if(|affine| !ends.starts_the_network && !affine.passes(&layer.operation))
        {
            folded.push(by_itself(&affine, layer.input));
        }
        if let Operation::Add { .. } = layer.operation {
            if let Some(affine) = pending.take() {
                folded.push(by_itself(&affine, layer.input));
            }
            let has_weights = |layer: &RealLayer| {
                matches!(layer.operation, Operation::Dense(_) | Operation::Convolution(..))
            };
            folded = averaged(folded);
            if !folded.last().is_some_and(has_weights) {
                let channels = layer.input.channels;
                let same = Affine {
                    name: layer.name.clone(),
                    scales: vec![1.0; channels],
                    offsets: vec![0.0; channels],
                };
                folded.push(by_itself(&same, layer.input));
            }
        }
        match (&mut layer.operation, pending.take()) {
            (Operation::Affine { scales, offsets }, None) => {
                let affine = Affine {
                    name: layer.name,
                    scales: std::mem::take(scales),
                    offsets: std::mem::take(offsets),
                };
                match before(&mut folded, &affine) {
                    Some(linear) => into_rows(linear, &affine),
                    None => pending = Some(affine),
                }
                continue;
            }
            (Operation::Affine { scales, offsets }, Some(first)) => {
                let both = first.scales.iter().zip(&first.offsets).zip(scales.iter().zip(offsets.iter()));
                let (scales, offsets) = both.map(|((a, b), (c, d))| (a * c, b * c + d)).unzip();
                pending = Some(Affine { name: layer.name, scales, offsets });
                continue;
            }
            (_, None) => {}
            (Operation::Add { .. }, Some(_)) => {
                unreachable!("invariant: no map is on its way to an addition")
            }
            (Operation::AveragePool { .. }, affine) => pending = affine,
            (Operation::MaxPool { .. }, Some(affine)) => {
                if !affine.passes_maxima() {
                    return Err(affine.fault("a factor is negative, and maxima come after it"));
                }
                pending = Some(affine);
            }
            (Operation::Clip { least, most }, Some(affine)) => {
                if !affine.passes_rectifiers() || !affine.has_one_factor() {
                    return Err(affine.fault(
                        "no layer with weights comes before it, and a clip after it has the same ends for all channels",
                    ));
                }
                let scale = affine.scales[0];
                (*least, *most) = (*least / scale, *most / scale);
                pending = Some(affine);
            }
            (Operation::Quantised { .. } | Operation::Curve(_), Some(affine)) => {
                return Err(affine.fault(
                    "no layer with weights comes before it, and what comes after it needs its scale",
                ));
            }
            (operation @ (Operation::Relu | Operation::Sign), Some(affine)) => {
                if !affine.passes_rectifiers() {
                    return Err(affine.fault(
                        "no layer with weights comes before it or after it, until values are rectified",
                    ));
                }
                if matches!(operation, Operation::Relu) {
                    pending = Some(affine);
                }
            }
            (Operation::Dense(linear), Some(affine)) => {
                let area = layer.input.height * layer.input.width;
                into_columns(linear, &affine, |_, column| column / area);
            }
            (Operation::Convolution(linear, window), Some(affine)) => {
                if window.padding > 0 && !affine.has_no_offset() {
                    return Err(affine.fault(
                        "its offset comes before a convolution whose padding it does not change: train the network without the \
                         offset (with black at 0, where it is that of pixels), or without the padding",
                    ));
                }
                let (area, filters) = (window.size * window.size, linear.biases.len());
                let channels = layer.input.channels / window.groups;
                let groups = window.groups;
                into_columns(linear, &affine, |row, column| {
                    row * groups / filters * channels + column / area
                });
            }
        }
        folded.push(layer);
    }
    folded = averaged(folded);
    match (pending, output) {
        (Some(affine), Some(output)) if !ends.ends_the_network => {
            folded.push(by_itself(&affine, output));
            Ok(folded)
        }
        (Some(affine), _) => Err(affine.fault("no layer with weights comes before it or after it")),
        (None, _) => Ok(folded),
    }
}

/// The same layers with averages straight behind convolutions as part of these.
fn averaged(layers: Vec<RealLayer>) -> Vec<RealLayer> {
    let mut result: Vec<RealLayer> = Vec::new();
    for layer in layers {
        if let (Operation::AveragePool { size }, Some(before)) = (&layer.operation, result.last_mut())
            && let Operation::Convolution(linear, window) = &before.operation
            && let Some((linear, window)) = spread(linear, *window, *size)
        {
            before.operation = Operation::Convolution(linear, window);
            continue;
        }
        result.push(layer);
    }
    result
}

/// The convolution that gives averages of squares of `side` x `side` of this one's results; none where its filters would be too
/// large.
fn spread(linear: &Linear, window: Window, side: usize) -> Option<(Linear, Window)> {
    let (size, stride) = (window.size + (side - 1) * window.stride, window.stride * side);
    let channels = linear.columns / (window.size * window.size);
    let columns = channels * size * size;
    let filters = linear.biases.len();
    if size > MOST_SIZE || stride > MOST_SIZE || filters * columns > MOST_WEIGHTS {
        return None;
    }
    let mut weights = vec![0.0; filters * columns];
    for (index, weight) in linear.weights.iter().enumerate() {
        let (row, i, j) =
            (index / (window.size * window.size), index / window.size % window.size, index % window.size);
        for (down, right) in (0..side).flat_map(|down| (0..side).map(move |right| (down, right))) {
            let (i, j) = (i + down * window.stride, j + right * window.stride);
            weights[(row * size + i) * size + j] += weight / (side * side) as f64;
        }
    }
    let linear = Linear { columns, weights, biases: linear.biases.clone(), grid: linear.grid };
    Some((linear, Window { size, stride, ..window }))
}

/// The linear layer before a map, if the map can go there.
fn before<'a>(layers: &'a mut [RealLayer], affine: &Affine) -> Option<&'a mut Linear> {
    for layer in layers.iter_mut().rev() {
        match &mut layer.operation {
            Operation::Dense(linear) | Operation::Convolution(linear, _) => return Some(linear),
            Operation::AveragePool { .. } => {}
            Operation::MaxPool { .. } if affine.passes_maxima() => {}
            _ => return None,
        }
    }
    None
}

fn into_rows(linear: &mut Linear, affine: &Affine) {
    let Linear { columns, weights, biases, grid } = linear;
    if !affine.has_one_factor() {
        *grid = Grid::Row;
    }
    for (row, (scale, offset)) in affine.scales.iter().zip(&affine.offsets).enumerate() {
        weights[row * *columns..][..*columns].iter_mut().for_each(|weight| *weight *= scale);
        biases[row] = biases[row] * scale + offset;
    }
}

/// `channel` gives the channel that a row's column reads.
fn into_columns(linear: &mut Linear, affine: &Affine, channel: impl Fn(usize, usize) -> usize) {
    let rows = linear.weights.chunks_mut(linear.columns).zip(&mut linear.biases);
    for (row, (weights, bias)) in rows.enumerate() {
        for (column, weight) in weights.iter_mut().enumerate() {
            let channel = channel(row, column);
            *bias += *weight * affine.offsets[channel];
            *weight *= affine.scales[channel];
        }
    }
}
