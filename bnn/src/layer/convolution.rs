//! A convolution with small filters of integers: `floor(sum w x / 2^shift) + b` for each window of each filter.
//!
//! Channels and filters may be in *groups*: the filters of a group read the channels of that group alone. Around the values
//! there may be a *padding* of zeros.

use std::sync::Arc;

use super::{
    matrix::{Matrix, dot, narrow_dot},
    pool::Pool,
};
use crate::client::shape::Shape;

/// Weights that filters may grow to by sums of squares: wide strides leave mostly zeros between them.
const MOST_WEIGHTS: usize = 1 << 24;

/// Filters of `size` x `size` over the channels of their group, every `stride` values.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    pub(crate) name: Arc<str>,
    pub(crate) size: usize,
    pub(crate) stride: usize,
    /// Zeros on each side of the rows and columns.
    pub(crate) padding: usize,
    /// Divides channels and filters.
    pub(crate) groups: usize,
    pub(crate) shift: u32,
    /// A row a filter: channel of the group, row, column.
    pub(crate) weights: Matrix,
    /// One a filter.
    pub(crate) biases: Arc<[i32]>,
}

impl Convolution {
    /// The sums of squares, of so many channels, as filters of ones.
    pub(crate) fn of_sums(pool: &Pool, channels: usize) -> Self {
        Self {
            name: Arc::clone(&pool.name),
            size: pool.size(),
            stride: pool.size(),
            padding: 0,
            groups: channels,
            shift: 0,
            weights: Matrix::new(pool.cells(), vec![1; channels * pool.cells()].into()),
            biases: vec![0; channels].into(),
        }
    }

    /// The layer's name in the manifest.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A row for each filter: its channels' rows of `size` weights.
    pub(crate) fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// One for each filter, in units of the result.
    pub(crate) fn biases(&self) -> &[i32] {
        &self.biases
    }

    /// Bits that the sum loses, rounding down, before the bias is added.
    pub(crate) fn shift(&self) -> u32 {
        self.shift
    }

    pub(crate) fn output(&self, input: Shape) -> Shape {
        let along = |length: usize| (length + 2 * self.padding - self.size) / self.stride + 1;
        Shape { channels: self.filters(), height: along(input.height), width: along(input.width) }
    }

    /// The number of filters.
    pub(crate) fn filters(&self) -> usize {
        self.weights.rows()
    }

    /// The filters of a group.
    pub(crate) fn group(&self, group: usize) -> std::ops::Range<usize> {
        let count = self.filters() / self.groups;
        group * count..(group + 1) * count
    }

    /// The group of a filter.
    pub(crate) fn group_of(&self, filter: usize) -> usize {
        filter * self.groups / self.filters()
    }

    /// What the filters of a group read of a window: for each input the place in a filter's row of its weight, and its own
    /// place. Inputs of the padding are left out.
    pub(crate) fn taps(&self, input: Shape, group: usize, row: usize, column: usize) -> Vec<(usize, usize)> {
        let channels = input.channels / self.groups;
        // What of a window lies on so many values: those before are padding, and so are those behind.
        let inside = |start: usize, length: usize| {
            let start = start * self.stride;
            self.padding.saturating_sub(start)..self.size.min(length + self.padding - start)
        };
        let (rows, columns) = (inside(row, input.height), inside(column, input.width));
        let mut taps = Vec::with_capacity(self.weights.columns());
        for channel in 0..channels {
            for i in rows.clone() {
                let weights = (channel * self.size + i) * self.size;
                let values = input.place(
                    group * channels + channel,
                    row * self.stride + i - self.padding,
                    column * self.stride + columns.start - self.padding,
                );
                taps.extend(columns.clone().map(|j| (weights + j, values + j - columns.start)));
            }
        }
        taps
    }

    pub(crate) fn evaluate(&self, input: Shape, values: &[i64]) -> Vec<i64> {
        let mut results = self.sums(input, values);
        // A bias that is a multiple of 2^shift passes the floor.
        results.iter_mut().for_each(|sum| *sum >>= self.shift);
        results
    }

    /// The sums before bits are dropped, each with its bias times 2^shift.
    pub(crate) fn sums(&self, input: Shape, values: &[i64]) -> Vec<i64> {
        match self.weights.narrow(values) {
            Some(weights) => {
                let values: Vec<i16> = values.iter().map(|&value| value as i16).collect();
                self.sums_by(input, &values, &weights, narrow_dot)
            }
            None => self.sums_by(input, values, self.weights.entries(), dot),
        }
    }

    /// The sums, by an inner product of weights and values of some width.
    fn sums_by<W, X: Copy + Default>(
        &self,
        input: Shape,
        values: &[X],
        weights: &[W],
        dot: impl Fn(&[W], &[X]) -> i64,
    ) -> Vec<i64> {
        let (output, columns) = (self.output(input), self.weights.columns());
        let mut results = vec![0; output.values()];
        let mut window = vec![X::default(); columns];
        for place in 0..self.groups * output.height * output.width {
            let (row, column) = (place / output.width % output.height, place % output.width);
            let group = place / (output.width * output.height);
            window.fill(X::default());
            for (index, place) in self.taps(input, group, row, column) {
                window[index] = values[place];
            }
            for filter in self.group(group) {
                let sum = dot(&weights[filter * columns..][..columns], &window);
                results[output.place(filter, row, column)] =
                    sum + (i64::from(self.biases[filter]) << self.shift);
            }
        }
        results
    }

    /// The convolution that gives the sums of squares of `side` x `side` of this one's results; none where this one drops bits,
    /// a weight would not fit, or there would be more than [`MOST_WEIGHTS`].
    pub(crate) fn summed(&self, side: usize) -> Option<Self> {
        let (size, stride) = (self.size + (side - 1) * self.stride, self.stride * side);
        let channels = self.weights.columns() / (self.size * self.size);
        let count = self.filters() * channels * size * size;
        if self.shift > 0 || count > MOST_WEIGHTS {
            return None;
        }
        let mut entries = vec![0_i64; count];
        for (filter, row) in self.weights.iter().enumerate() {
            for (index, &weight) in row.iter().enumerate() {
                let channel = index / (self.size * self.size);
                let (i, j) = (index / self.size % self.size, index % self.size);
                for (down, right) in (0..side).flat_map(|down| (0..side).map(move |right| (down, right))) {
                    let (i, j) = (i + down * self.stride, j + right * self.stride);
                    entries[((filter * channels + channel) * size + i) * size + j] += i64::from(weight);
                }
            }
        }
        let fit = |entries: &[i64]| {
            entries.iter().map(|&entry| i32::try_from(entry).ok()).collect::<Option<Vec<_>>>()
        };
        let biases: Vec<i64> =
            self.biases.iter().map(|&bias| i64::from(bias) * (side * side) as i64).collect();
        let weights = Matrix::new(channels * size * size, fit(&entries)?.into());
        Some(Self { size, stride, weights, biases: fit(&biases)?.into(), ..self.clone() })
    }
}

/// The places of a square of values in every channel, whose first row and column are given.
pub(crate) fn window(input: Shape, size: usize, row: usize, column: usize) -> Vec<usize> {
    let mut places = Vec::with_capacity(input.channels * size * size);
    for channel in 0..input.channels {
        for i in 0..size {
            places.extend((0..size).map(|j| input.place(channel, row + i, column + j)));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::layer::pool::Pool;

    /// A small file must not become many gigabytes of zeros.
    #[test]
    fn filters_do_not_grow_without_bound() {
        let layer = Convolution {
            name: "".into(),
            size: 1,
            stride: 64,
            padding: 0,
            groups: 1,
            shift: 0,
            weights: Matrix::new(1, vec![1; 4096].into()),
            biases: vec![0; 4096].into(),
        };
        assert!(4096 * 65 * 65 > MOST_WEIGHTS && layer.summed(2).is_none());
        assert!(Convolution { stride: 1, ..layer }.summed(2).is_some());
    }

    proptest! {
        /// A convolution and the sums of its squares are one convolution.
        #[test]
        fn sums_of_squares_are_part_of_the_filters(
            (size, stride, padding, groups) in (1..=3_usize, 1..=2_usize, 0..=2_usize, 1..=2_usize),
            (height, width, side) in (3..=9_usize, 3..=9_usize, 1..=3_usize),
            numbers in proptest::collection::vec(-9..=9_i32, 60),
        ) {
            let padding = padding.min(size - 1);
            let numbers = |count| numbers.iter().copied().cycle().take(count).collect::<Vec<_>>();
            let layer = Convolution {
                name: "".into(),
                size,
                stride,
                padding,
                groups,
                shift: 0,
                weights: Matrix::new(size * size, numbers(4 * size * size).into()),
                biases: numbers(4).into(),
            };
            let input = Shape { channels: groups, height, width };
            let values: Vec<i64> = numbers(input.values()).into_iter().map(i64::from).collect();
            let (between, pool) = (layer.output(input), Pool { name: "".into(), size: side });
            prop_assume!(side <= between.height.min(between.width));
            let results = layer.evaluate(input, &values);
            let sums: Vec<i64> =
                pool.windows(between).map(|square| square.into_iter().map(|place| results[place]).sum()).collect();
            let summed = layer.summed(side).unwrap();
            prop_assert_eq!(summed.output(input), pool.output(between));
            prop_assert_eq!(summed.evaluate(input, &values), sums);
            let shifted = Convolution { shift: 1, ..layer };
            prop_assert!(shifted.summed(side).is_none());
        }
    }
}
