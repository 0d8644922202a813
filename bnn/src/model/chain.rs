//! Whether layers fit one another: shapes, kinds that may follow each other, and values that stay within their words.

use super::{fault::ModelFault, manifest::LayerEntry};
use crate::{
    client::{
        encoding::input::{InputEncoding, PixelEncoding},
        shape::Shape,
    },
    layer::{kind::Layer, matrix::Matrix},
};

type Result<T> = std::result::Result<T, ModelFault>;

/// What values that a layer multiplies may reach, so that products of two fit 62 bits in the published circuits.
const LARGEST_VALUE: i128 = 1 << 30;
/// The most values between two layers.
const MOST_VALUES: usize = 1 << 20;
/// What a sum may reach before its lowest bits are dropped: circuits have words of up to 63 bits.
const LARGEST_SUM: i128 = 1 << 50;

/// What the values are that the next layer reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    /// Zeros and ones, or -1 and +1.
    Binary,
    /// Integers.
    Integers,
    /// A picture's signs, with the mean magnitude of each window of this side.
    SignsAndMeans { window: usize },
}

/// What there is behind a layer.
#[derive(Clone)]
pub(super) struct Chain {
    shape: Shape,
    values: Values,
    /// The largest magnitude a value may have.
    largest: i128,
    /// The fraction bits of a dense layer's results, as long as only rectifiers follow it.
    scores: Option<u32>,
}

impl Chain {
    pub(super) fn new(input: &InputEncoding) -> Self {
        let values = match input.pixels() {
            PixelEncoding::Threshold { .. } => Values::Binary,
            PixelEncoding::Grey { .. } => Values::Integers,
            PixelEncoding::SignAndScale { window, .. } => Values::SignsAndMeans { window },
        };
        let largest = input.ranges().iter().map(|range| range.largest.into()).max().unwrap_or_default();
        Self { shape: input.shape(), values, largest, scores: None }
    }

    /// Checks that a layer takes what comes from before it, and gives the shape of that.
    pub(super) fn check(&self, entry: &LayerEntry) -> Result<Shape> {
        let given = self.shape.values();
        let refuse =
            |reason: String| ModelFault::LayerFit { place: format!("layer {:?}", entry.name()), reason };
        let side = self.shape.height.min(self.shape.width);
        let fits = |size: usize| {
            if size > side { Err(refuse(format!("size {size} on values of {side} a side"))) } else { Ok(()) }
        };
        match (entry, self.values) {
            (LayerEntry::XnorConvolution { size, .. }, Values::SignsAndMeans { window })
                if *size != window =>
            {
                return Err(refuse(format!("size {size}, where the input's windows have {window}")));
            }
            (LayerEntry::XnorConvolution { fraction_bits, bits, .. }, Values::SignsAndMeans { .. })
                if *fraction_bits as usize > *bits =>
            {
                return Err(refuse(format!("{fraction_bits} fraction bits in words of {bits} bits")));
            }
            (LayerEntry::XnorConvolution { .. }, Values::SignsAndMeans { .. }) => {}
            (LayerEntry::XnorConvolution { .. }, _) | (_, Values::SignsAndMeans { .. }) => {
                return Err(refuse(
                    "the encoding sign-and-scale is read by an xnor-convolution, and nothing else".into(),
                ));
            }
            (LayerEntry::BinaryDense { .. }, Values::Integers) => {
                return Err(refuse("binary-dense reads bits or signs, not integers".into()));
            }
            (LayerEntry::BinaryDense { inputs, .. } | LayerEntry::Dense { inputs, .. }, _)
                if *inputs != given =>
            {
                let place = format!("layer {:?}", entry.name());
                return Err(ModelFault::LayerInputs { place, inputs: *inputs, given });
            }
            (LayerEntry::MaxPool { size, .. } | LayerEntry::SumPool { size, .. }, _) => fits(*size)?,
            (&LayerEntry::Convolution { filters, size, padding, groups, .. }, _) => {
                let channels = self.shape.channels;
                if padding >= size {
                    return Err(refuse(format!(
                        "padding {padding} for filters of size {size}: some windows read nothing"
                    )));
                }
                if !channels.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
                    return Err(refuse(format!(
                        "{groups} groups of {channels} channels and {filters} filters"
                    )));
                }
                fits(size.saturating_sub(2 * padding))?;
            }
            _ => {}
        }
        Ok(self.shape)
    }

    /// Goes on behind a layer, if its values stay within its words. `behind` is what there is behind each layer before it.
    pub(super) fn push(&mut self, layer: &Layer, behind: &[Self]) -> Result<()> {
        let refuse = |largest: i128, limit: i128| {
            Err(ModelFault::LayerRange { layer: layer.name().into(), largest, limit })
        };
        let row_sum = |weights: &Matrix| {
            let sums = weights.iter().map(|row| row.iter().map(|&w| i128::from(w).abs()).sum::<i128>());
            sums.max().unwrap_or_default()
        };
        let largest_of =
            |numbers: &[i32]| numbers.iter().map(|&x| i128::from(x).abs()).max().unwrap_or_default();
        if matches!(layer, Layer::Dense(_) | Layer::Convolution(_)) && self.largest >= LARGEST_VALUE {
            return refuse(self.largest, LARGEST_VALUE);
        }
        match layer {
            Layer::BinaryDense(_) | Layer::Sign(_) => {
                (self.values, self.largest) = (Values::Binary, 1);
            }
            Layer::Dense(dense) => {
                let sum = row_sum(dense.weights()) * self.largest;
                if sum >= LARGEST_SUM {
                    return refuse(sum, LARGEST_SUM);
                }
                let result = (sum >> dense.shift()) + 1 + largest_of(dense.biases());
                self.largest = dense.bits().map_or(result, |bits| result.min(1 << (bits - 1)));
                self.values = Values::Integers;
            }
            Layer::Convolution(convolution) => {
                let sum = row_sum(convolution.weights()) * self.largest;
                if sum >= LARGEST_SUM {
                    return refuse(sum, LARGEST_SUM);
                }
                self.largest = (sum >> convolution.shift()) + 1 + largest_of(convolution.biases());
                self.values = Values::Integers;
            }
            Layer::XnorConvolution(convolution) => {
                let product = row_sum(convolution.weights()) * self.largest;
                let scaled = (product * largest_of(convolution.scales())) >> convolution.fraction_bits();
                let result = scaled + 1 + largest_of(convolution.biases());
                let limit = 1 << (convolution.bits() - 1);
                let largest = product.max(result).max(largest_of(convolution.scales()));
                if largest >= limit {
                    return refuse(largest, limit);
                }
                if product * largest_of(convolution.scales()) >= LARGEST_SUM {
                    return refuse(product * largest_of(convolution.scales()), LARGEST_SUM);
                }
                self.largest = result;
                self.values = Values::Integers;
            }
            Layer::SumPool(pool) => {
                let sum = self.largest * pool.cells() as i128;
                if sum >= LARGEST_SUM {
                    return refuse(sum, LARGEST_SUM);
                }
                self.largest = sum;
                self.values = Values::Integers;
            }
            Layer::Add(add) => {
                let added = &behind[add.from];
                if added.shape != self.shape {
                    return Err(ModelFault::LayerFit {
                        place: format!("layer {:?}", layer.name()),
                        reason: format!("values of {} are added to values of {}", added.shape, self.shape),
                    });
                }
                let sum = self.largest + i128::from(add.factor) * added.largest;
                if sum >= LARGEST_SUM {
                    return refuse(sum, LARGEST_SUM);
                }
                self.largest = sum;
                self.values = Values::Integers;
            }
            Layer::Scale(scale) => {
                let product = self.largest * largest_of(&scale.scales);
                if product >= LARGEST_SUM {
                    return refuse(product, LARGEST_SUM);
                }
                self.largest = (product >> scale.shift) + 1;
                self.values = Values::Integers;
            }
            Layer::Clip(clip) => {
                let ends = i128::from(clip.least.unsigned_abs().max(clip.most.unsigned_abs()));
                self.largest = self.largest.min(ends);
                self.values = Values::Integers;
            }
            Layer::Table(table) => {
                self.largest = largest_of(&table.entries);
                self.values = Values::Integers;
            }
            Layer::Relu(_) | Layer::MaxPool(_) => {}
        }
        self.shape = layer.output(self.shape);
        if self.shape.values() > MOST_VALUES {
            return Err(ModelFault::LayerFit {
                place: format!("layer {:?}", layer.name()),
                reason: format!("{} values, where {MOST_VALUES} are the most", self.shape.values()),
            });
        }
        self.scores = match layer {
            Layer::Dense(dense) => Some(dense.fraction_bits()),
            Layer::Relu(_) => self.scores,
            _ => None,
        };
        Ok(())
    }

    /// The fraction bits of the scores.
    pub(super) fn finish(self) -> u32 {
        self.scores.expect("invariant: a manifest's last layer is dense, but for rectifiers")
    }
}
