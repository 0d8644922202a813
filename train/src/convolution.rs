//! Convolution, rectification and pooling of an image, in integers, and the gradient through them.
//!
//! ```text
//! d_cp = sum_t w_ct x_pt                        the filter's 25 taps on window p of the image
//! r_cp = floor(g_p a_c d_cp / 2^shift) + b_c    g_p the image's gain there, a_c the filter's scale
//! y_ci = max(0, the r_cp of the four windows p of cell i)
//! ```
//!
//! Rectifying commutes with the maximum, so both happen at once. Training and the network that ships call the same
//! code. The gradient is by hand: it flows only through the window that is its cell's maximum, one of four, and the
//! image needs none.

use crate::grid::total_signed_digits;
use crate::mnist::{PIXELS, SIDE};

/// Filters.
pub(crate) const FILTERS: usize = 3;
/// Pixels on a side of a filter.
pub(crate) const SIZE: usize = 5;
/// Weights of a filter.
pub(crate) const TAPS: usize = SIZE * SIZE;
/// Windows on a side of an image.
const ACROSS: usize = SIDE - SIZE + 1;
/// Windows of an image.
pub(crate) const WINDOWS: usize = ACROSS * ACROSS;
/// Windows on a side of a pooling cell.
pub(crate) const CELL: usize = 2;
/// Cells on a side.
const CELLS_ACROSS: usize = ACROSS / CELL;
/// Cells of a filter.
const CELLS: usize = CELLS_ACROSS * CELLS_ACROSS;
/// Values of an image after pooling.
pub(crate) const POOLED: usize = FILTERS * CELLS;

/// An encoded image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// `[28, 28]`
    pub(crate) pixels: [i16; PIXELS],
    /// `[24, 24]`, a factor for every window.
    pub(crate) gains: [i32; WINDOWS],
}

/// The layer's integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Convolution {
    /// `[FILTERS, SIZE, SIZE]`, small enough that an `i16` holds `d`.
    pub(crate) weights: Vec<i32>,
    /// `[FILTERS]`
    pub(crate) scales: [i32; FILTERS],
    /// `[FILTERS]`
    pub(crate) biases: [i32; FILTERS],
    /// Bits dropped from the product.
    pub(crate) shift: u32,
}

/// What comes of an image.
#[derive(Clone, Debug)]
pub(crate) struct Pooled {
    /// `[FILTERS, 12, 12]`, none negative.
    pub(crate) values: [i32; POOLED],
    /// `[FILTERS, 12, 12]`, the first window with the cell's maximum.
    windows: [usize; POOLED],
}

/// The gradient with respect to weights and biases, both in units of their integers.
#[derive(Clone, Debug)]
pub(crate) struct Gradient {
    /// `[FILTERS, SIZE, SIZE]`
    pub(crate) weights: [f32; FILTERS * TAPS],
    /// `[FILTERS]`
    pub(crate) biases: [f32; FILTERS],
}

impl Convolution {
    /// Convolves, rectifies and pools.
    pub(crate) fn pooled(&self, image: &Image) -> Pooled {
        let mut pooled = Pooled { values: [0; POOLED], windows: [0; POOLED] };
        for (filter, (weights, (&scale, &bias))) in
            self.weights.chunks_exact(TAPS).zip(self.scales.iter().zip(&self.biases)).enumerate()
        {
            let products = products(weights, &image.pixels);
            let value = |window: usize| {
                let product = i64::from(image.gains[window]) * i64::from(scale) * i64::from(products[window]);
                // Below 2^31: a product has at most 18 + 15 + 5 bits, and then shift is 15.
                (product >> self.shift) as i32 + bias
            };
            for cell in 0..CELLS {
                let first = CELL * (cell / CELLS_ACROSS * ACROSS + cell % CELLS_ACROSS);
                let windows = [first, first + 1, first + ACROSS, first + ACROSS + 1];
                let (window, value) = windows
                    .map(|window| (window, value(window)))
                    .into_iter()
                    .reduce(|best, next| if next.1 > best.1 { next } else { best })
                    .expect("a cell has windows");
                pooled.values[filter * CELLS + cell] = value.max(0);
                pooled.windows[filter * CELLS + cell] = window;
            }
        }
        pooled
    }

    /// The gradient, given what came of `image` and the gradient with respect to it, `[FILTERS, 12, 12]`.
    pub(crate) fn gradient(&self, image: &Image, pooled: &Pooled, towards: &[f32]) -> Gradient {
        let mut gradient = Gradient { weights: [0.0; FILTERS * TAPS], biases: [0.0; FILTERS] };
        let unit = (self.shift as f32).exp2().recip();
        for (index, &towards) in towards.iter().enumerate() {
            if pooled.values[index] == 0 {
                continue;
            }
            let (filter, window) = (index / CELLS, pooled.windows[index]);
            let slope = towards * unit * image.gains[window] as f32 * self.scales[filter] as f32;
            let corner = window / ACROSS * SIDE + window % ACROSS;
            let taps = gradient.weights[filter * TAPS..][..TAPS].chunks_exact_mut(SIZE);
            for (taps, row) in taps.zip(image.pixels[corner..].chunks(SIDE)) {
                taps.iter_mut().zip(row).for_each(|(tap, &pixel)| *tap += slope * f32::from(pixel));
            }
            gradient.biases[filter] += towards;
        }
        gradient
    }

    /// Nonzero signed digits of all weights.
    pub(crate) fn signed_digits(&self) -> u32 {
        total_signed_digits(&self.weights)
    }
}

/// `d` of one filter at every window.
fn products(weights: &[i32], pixels: &[i16; PIXELS]) -> [i16; WINDOWS] {
    let mut products = [0_i16; WINDOWS];
    for (row, products) in products.chunks_exact_mut(ACROSS).enumerate() {
        for (tap, &weight) in weights.iter().enumerate() {
            let pixels = &pixels[(row + tap / SIZE) * SIDE + tap % SIZE..][..ACROSS];
            let weight = weight as i16;
            products.iter_mut().zip(pixels).for_each(|(product, &pixel)| *product += weight * pixel);
        }
    }
    products
}

/// The sum over every window of `[28, 28]` numbers.
pub(crate) fn window_sums(numbers: &[f64; PIXELS]) -> [f64; WINDOWS] {
    std::array::from_fn(|window| {
        let corner = window / ACROSS * SIDE + window % ACROSS;
        (0..SIZE).flat_map(|row| &numbers[corner + row * SIDE..][..SIZE]).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        Image {
            pixels: std::array::from_fn(|pixel| (pixel * pixel % 31 % 8) as i16 - 3),
            gains: std::array::from_fn(|window| (window % 5 + 1) as i32),
        }
    }

    fn convolution() -> Convolution {
        let weights = (0..FILTERS * TAPS).map(|tap| (tap * 5 % 7) as i32 - 3).collect();
        Convolution { weights, scales: [3, 1, 2], biases: [-4, 0, 9], shift: 2 }
    }

    /// `r` by its formula.
    fn value(layer: &Convolution, image: &Image, filter: usize, row: usize, column: usize) -> i64 {
        let taps = (0..TAPS).map(|tap| (tap, (row + tap / SIZE) * SIDE + column + tap % SIZE));
        let d: i64 = taps
            .map(|(tap, pixel)| {
                i64::from(layer.weights[filter * TAPS + tap]) * i64::from(image.pixels[pixel])
            })
            .sum();
        let product = d * i64::from(image.gains[row * ACROSS + column]) * i64::from(layer.scales[filter]);
        product.div_euclid(1 << layer.shift) + i64::from(layer.biases[filter])
    }

    #[test]
    fn pooling_takes_the_largest_of_four_rectified_values() {
        let (layer, image) = (convolution(), image());
        let pooled = layer.pooled(&image);
        for (index, &found) in pooled.values.iter().enumerate() {
            let (filter, row, column) =
                (index / CELLS, 2 * (index % CELLS / CELLS_ACROSS), 2 * (index % CELLS_ACROSS));
            let four = [(0, 0), (0, 1), (1, 0), (1, 1)];
            let values = four.map(|(down, right)| value(&layer, &image, filter, row + down, column + right));
            assert_eq!(i64::from(found), values.into_iter().fold(0, i64::max), "{index}");
        }
        assert!(pooled.values.contains(&0) && pooled.values.iter().any(|&value| value > 9));
    }

    #[test]
    fn the_gradient_is_the_difference_quotient() {
        // Without a shift every value is linear in weights and biases while no maximum changes; scales of 1000 and
        // steps of one weight unit on ten times the weights keep the maxima where they are.
        let image = image();
        let mut layer = Convolution { shift: 0, ..convolution() };
        layer.weights.iter_mut().for_each(|weight| *weight = *weight * 100 + 7);
        let towards: Vec<f32> = (0..POOLED).map(|index| (index % 3) as f32 - 1.0).collect();
        let objective = |layer: &Convolution| -> f32 {
            let values = layer.pooled(&image).values;
            values.iter().zip(&towards).map(|(&value, towards)| value as f32 * towards).sum()
        };
        let gradient = layer.gradient(&image, &layer.pooled(&image), &towards);
        let base = objective(&layer);
        for tap in [0, 13, 30, 74] {
            let mut moved = layer.clone();
            moved.weights[tap] += 1;
            let quotient = objective(&moved) - base;
            let error = (gradient.weights[tap] - quotient).abs();
            assert!(error <= 0.02 * quotient.abs(), "{tap}: {} and {quotient}", gradient.weights[tap]);
        }
        for filter in 0..FILTERS {
            let mut moved = layer.clone();
            moved.biases[filter] += 1;
            assert_eq!(gradient.biases[filter], objective(&moved) - base, "{filter}");
        }
    }

    #[test]
    fn window_sums_add_25_pixels() {
        let numbers = std::array::from_fn(|pixel| pixel as f64);
        // The mean of a window is its centre pixel, two rows and two columns on.
        assert_eq!(window_sums(&numbers)[ACROSS + 3], 25.0 * (3.0 * SIDE as f64 + 5.0));
    }
}
