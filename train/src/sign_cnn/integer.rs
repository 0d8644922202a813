//! The network in its integer meaning: what the model folder holds and what is evaluated encrypted.
//!
//! ```text
//! y = sum of w x over each window + b           per filter, for every convolution
//! h = +1 where y >= 0, else -1                  per sum
//! s_m = sum_i v_mi h_i + c_m
//! label = the first m with the largest s_m
//! ```
//!
//! Values are `[channels, rows, columns]`, as a manifest orders them. Encrypted evaluation adds Gaussian noise to
//! every sum before its sign, of a standard deviation that is a share of the largest magnitude a sum of the layer can
//! have: that magnitude decides how sums are scaled to the torus.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::dense::{Dense, first_largest};
use crate::measurement::Noisy;
use crate::pixels::grey;
use crate::sign_cnn::windows::Geometry;
use crate::training::Network;

/// A convolution whose sums go to a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Convolution {
    pub(crate) geometry: Geometry,
    /// Least and largest value it reads.
    pub(crate) range: [i32; 2],
    /// `[filters, channels, size, size]`
    pub(crate) weights: Vec<i16>,
    /// `[filters]`
    pub(crate) biases: Vec<i32>,
}

impl Convolution {
    /// Number of filters.
    pub(crate) fn filters(&self) -> usize {
        self.biases.len()
    }

    /// Signs taken of its sums: bootstraps.
    pub(crate) fn signs(&self) -> usize {
        self.filters() * self.geometry.positions()
    }

    /// The largest magnitude that a sum can have.
    pub(crate) fn bound(&self) -> f32 {
        let [low, high] = self.range;
        let of = |(weights, &bias): (&[i16], &i32)| {
            let sum: i32 = weights.iter().map(|&weight| i32::from(weight)).sum();
            let magnitude: i32 = weights.iter().map(|&weight| i32::from(weight.abs())).sum();
            // Half the range of the product, and how far its middle and the bias are off zero.
            (high - low) * magnitude + ((low + high) * sum + 2 * bias).abs()
        };
        let twice = self.weights.chunks_exact(self.geometry.taps()).zip(&self.biases).map(of).max();
        twice.unwrap_or_default() as f32 / 2.0
    }

    /// Largest magnitude of a weight.
    pub(crate) fn largest_weight(&self) -> u16 {
        self.weights.iter().map(|weight| weight.unsigned_abs()).max().unwrap_or_default()
    }

    /// Largest magnitude of a bias.
    pub(crate) fn largest_bias(&self) -> u32 {
        self.biases.iter().map(|bias| bias.unsigned_abs()).max().unwrap_or_default()
    }

    /// The sums `y`, `[filters, across, across]`, of values `[channels, side, side]`.
    fn sums(&self, x: &[i16]) -> Vec<i32> {
        let Geometry { channels, side, size, stride } = self.geometry;
        let (across, positions) = (self.geometry.across(), self.geometry.positions());
        let mut sums = vec![0; self.signs()];
        let mut window = Vec::with_capacity(self.geometry.taps());
        for position in 0..positions {
            let corner = stride * (position / across * side + position % across);
            window.clear();
            for channel in 0..channels {
                for row in 0..size {
                    window.extend_from_slice(&x[(channel * side + row) * side + corner..][..size]);
                }
            }
            let filters = self.weights.chunks_exact(window.len()).zip(&self.biases);
            for (filter, (weights, bias)) in filters.enumerate() {
                let products = weights.iter().zip(&window).map(|(&w, &x)| i32::from(w) * i32::from(x));
                sums[filter * positions + position] = bias + products.sum::<i32>();
            }
        }
        sums
    }
}

/// The integers of a trained network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignCnn {
    /// Bits of a pixel.
    pub(crate) bits: u32,
    pub(crate) convolutions: Vec<Convolution>,
    /// Of the last signs.
    pub(crate) scores: Dense,
}

impl SignCnn {
    /// Signs taken for an image: bootstraps.
    pub(crate) fn signs(&self) -> usize {
        self.convolutions.iter().map(Convolution::signs).sum()
    }

    /// The scores, when `noise(layer)` is added to every sum of a convolution.
    fn scores(&self, image: &[u8], mut noise: impl FnMut(usize) -> f32) -> Vec<i64> {
        let mut values: Vec<i16> = grey(image, self.bits).map(i16::from).to_vec();
        for (layer, convolution) in self.convolutions.iter().enumerate() {
            let sign = |sum: i32| if sum as f32 + noise(layer) >= 0.0 { 1 } else { -1 };
            values = convolution.sums(&values).into_iter().map(sign).collect();
        }
        let signs: Vec<i32> = values.into_iter().map(i32::from).collect();
        self.scores.of(&signs)
    }

    /// The scores.
    #[cfg(test)]
    pub(crate) fn exact_scores(&self, image: &[u8]) -> Vec<i64> {
        self.scores(image, |_| 0.0)
    }
}

impl Network for SignCnn {
    fn label(&self, grey: &[u8]) -> u8 {
        first_largest(self.scores(grey, |_| 0.0))
    }
}

impl Noisy for SignCnn {
    /// `deviation` is the share of a layer's largest possible sum.
    fn noisy_label(&self, grey: &[u8], deviation: f32, rng: &mut impl Rng) -> u8 {
        let deviations: Vec<f32> =
            self.convolutions.iter().map(|convolution| deviation * convolution.bound()).collect();
        first_largest(self.scores(grey, |layer| deviations[layer] * rng.sample::<f32, _>(StandardNormal)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mnist::{CLASSES, PIXELS};
    use crate::randomness::{Purpose, Randomness};

    fn convolution() -> Convolution {
        let geometry = Geometry { channels: 2, side: 7, size: 3, stride: 2 };
        let weights = (0..4 * geometry.taps()).map(|at| (at * 7 % 11) as i16 - 5).collect();
        Convolution { geometry, range: [-1, 1], weights, biases: vec![3, -2, 0, 40] }
    }

    #[test]
    fn sums_are_those_of_the_formula() {
        let convolution = convolution();
        let x: Vec<i16> = (0..convolution.geometry.values()).map(|at| (at * 5 % 13) as i16 - 6).collect();
        let sums = convolution.sums(&x);
        assert_eq!((sums.len(), convolution.signs()), (36, 36));
        for (index, &found) in sums.iter().enumerate() {
            let (filter, i, j) = (index / 9, index % 9 / 3, index % 3);
            let mut sum = convolution.biases[filter];
            for (channel, u, v) in (0..18).map(|tap| (tap / 9, tap / 3 % 3, tap % 3)) {
                let w = convolution.weights[((filter * 2 + channel) * 3 + u) * 3 + v];
                sum += i32::from(w) * i32::from(x[(channel * 7 + 2 * i + u) * 7 + 2 * j + v]);
            }
            assert_eq!(found, sum, "{index}");
        }
    }

    #[test]
    fn no_sum_is_larger_than_the_bound_and_one_reaches_it() {
        for range in [[0, 7], [-1, 1]] {
            let convolution = Convolution { range, ..convolution() };
            // Every window the extreme one of a filter, in one direction or the other.
            let geometry = Geometry { side: 3, ..convolution.geometry };
            let one = Convolution { geometry, ..convolution };
            let extremes = one.weights.chunks_exact(geometry.taps()).flat_map(|weights| {
                [1, -1].map(|way| {
                    let best = weights.iter().map(|&w| range[usize::from(way * w > 0)] as i16);
                    one.sums(&best.collect::<Vec<_>>()).into_iter().map(i32::abs).max()
                })
            });
            assert_eq!(extremes.max().flatten().map(|sum| sum as f32), Some(one.bound()), "{range:?}");
        }
    }

    /// Digit 7 where the picture's first pixel is at least 2 of 0 to 7, else digit 3.
    fn first_pixel() -> SignCnn {
        let geometry = Geometry { channels: 1, side: 28, size: 28, stride: 1 };
        let mut weights = vec![0; PIXELS];
        weights[0] = 1;
        let convolution = Convolution { geometry, range: [0, 7], weights, biases: vec![-2] };
        let mut scores = vec![0; CLASSES];
        (scores[7], scores[3]) = (1, -1);
        let scores = Dense { weights: scores, biases: vec![0; CLASSES], shift: 0 };
        SignCnn { bits: 3, convolutions: vec![convolution], scores }
    }

    #[test]
    fn a_sum_of_zero_is_positive() {
        let image = |grey: u8| [vec![grey], vec![0; PIXELS - 1]].concat();
        assert_eq!(first_pixel().label(&image(64)), 7);
        assert_eq!(first_pixel().label(&image(63)), 3);
    }

    #[test]
    fn noise_is_a_share_of_the_bound() {
        let (network, image) = (first_pixel(), [vec![96], vec![0; PIXELS - 1]].concat());
        // The sum is 1 and the bound 5.
        assert_eq!(network.convolutions[0].bound(), 5.0);
        let sevens = |deviation| {
            let label = |draw| {
                let mut rng = Randomness::new(1).stream(Purpose::EvaluationNoise, draw, 0);
                network.noisy_label(&image, deviation, &mut rng)
            };
            (0..1000).filter(|&draw| label(draw) == 7).count()
        };
        assert_eq!((sevens(0.0), sevens(0.02)), (1000, 1000));
        // One standard deviation: 84 %.
        assert!((800..880).contains(&sevens(0.2)), "{}", sevens(0.2));
    }
}
