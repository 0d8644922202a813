//! The binarized perceptron in its integer meaning: what the model folder holds and what is evaluated encrypted.
//!
//! ```text
//! h_j = sign(sum_i w_ji x_i + b_j + 1/2)     in {+1, -1}; the half leaves no ties
//! s_m = sum_j v_mj h_j + c_m
//! label = the first m with the largest s_m
//! ```
//!
//! Encrypted evaluation adds Gaussian noise to every hidden sum before its sign; [`Noisy::noisy_label`] does so
//! in the clear.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::dense::first_largest;
use crate::measurement::Noisy;
use crate::mnist::PIXELS;
use crate::pixels::{BinaryImage, binarize};
use crate::training::Network;

/// The integers of a trained network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Perceptron {
    /// Grey value from which a pixel is 1.
    pub(crate) threshold: u8,
    /// `[hidden, 784]`, each +1 or -1.
    pub(crate) hidden_weights: Vec<i8>,
    /// `[hidden]`
    pub(crate) hidden_biases: Vec<i32>,
    /// `[10, hidden]`
    pub(crate) score_weights: Vec<i8>,
    /// `[10]`
    pub(crate) score_biases: Vec<i32>,
}

impl Perceptron {
    /// Number of hidden neurons.
    pub(crate) fn hidden(&self) -> usize {
        self.hidden_biases.len()
    }

    /// Largest magnitude of a hidden bias.
    pub(crate) fn largest_hidden_bias(&self) -> u32 {
        self.hidden_biases.iter().map(|bias| bias.unsigned_abs()).max().unwrap_or_default()
    }

    /// Largest magnitude of a score weight.
    pub(crate) fn largest_score_weight(&self) -> u8 {
        self.score_weights.iter().map(|weight| weight.unsigned_abs()).max().unwrap_or_default()
    }

    /// The digit the network takes `image` for.
    pub(crate) fn plain_label(&self, image: &BinaryImage) -> u8 {
        first_largest(self.scores(self.sums(image).map(|sum| sum >= 0)))
    }

    /// The digit it takes `image` for when Gaussian noise of this standard deviation is added to every hidden sum.
    fn noisy_label_of(&self, image: &BinaryImage, deviation: f32, rng: &mut impl Rng) -> u8 {
        let mut noise = || deviation * rng.sample::<f32, _>(StandardNormal);
        first_largest(self.scores(self.sums(image).map(|sum| sum as f32 + 0.5 + noise() >= 0.0)))
    }

    /// Hidden sums `w x + b`, without the half.
    fn sums(&self, image: &BinaryImage) -> impl Iterator<Item = i32> {
        self.hidden_weights.chunks_exact(PIXELS).zip(&self.hidden_biases).map(move |(weights, bias)| {
            // Two bytes hold the sum of 784 signs.
            let sum: i16 = weights.iter().zip(image).map(|(&w, &x)| i16::from(w) * i16::from(x)).sum();
            i32::from(sum) + bias
        })
    }

    /// The scores `v h + c`, given which hidden neurons are +1.
    fn scores(&self, hidden: impl Iterator<Item = bool>) -> Vec<i32> {
        let signs: Vec<i32> = hidden.map(|positive| if positive { 1 } else { -1 }).collect();
        let rows = self.score_weights.chunks_exact(self.hidden()).zip(&self.score_biases);
        rows.map(|(row, bias)| {
            bias + row.iter().zip(&signs).map(|(&weight, sign)| i32::from(weight) * sign).sum::<i32>()
        })
        .collect()
    }
}

impl Network for Perceptron {
    fn label(&self, grey: &[u8]) -> u8 {
        self.plain_label(&binarize(grey, self.threshold))
    }
}

impl Noisy for Perceptron {
    /// `deviation` is in units of the hidden sum.
    fn noisy_label(&self, grey: &[u8], deviation: f32, rng: &mut impl Rng) -> u8 {
        self.noisy_label_of(&binarize(grey, self.threshold), deviation, rng)
    }
}

#[cfg(test)]
impl Perceptron {
    /// The scores of an image.
    pub(crate) fn scores_of(&self, image: &BinaryImage) -> Vec<i32> {
        self.scores(self.sums(image).map(|sum| sum >= 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::{Purpose, Randomness};

    /// Two neurons: one counts set pixels above 2, the other pixels below 1. Digit 7 follows the first, 3 the second.
    fn counting() -> Perceptron {
        let mut score_weights = vec![0; 20];
        score_weights[2 * 7] = 5;
        score_weights[2 * 3 + 1] = 5;
        Perceptron {
            threshold: 128,
            hidden_weights: [[1; PIXELS], [-1; PIXELS]].concat(),
            hidden_biases: vec![-3, 0],
            score_weights,
            score_biases: vec![0; 10],
        }
    }

    fn set(count: usize) -> BinaryImage {
        std::array::from_fn(|pixel| u8::from(pixel < count))
    }

    #[test]
    fn a_sum_of_zero_is_positive() {
        let network = counting();
        assert_eq!(network.scores_of(&set(3))[7], 5);
        assert_eq!(network.scores_of(&set(2))[7], -5);
        assert_eq!(network.scores_of(&set(0))[3], 5);
    }

    #[test]
    fn the_first_of_equal_scores_wins() {
        let network = counting();
        assert_eq!(network.plain_label(&set(PIXELS)), 7);
        assert_eq!(network.plain_label(&set(0)), 3);
        assert_eq!(network.plain_label(&set(1)), 0, "both neurons -1: eight digits at 0");
    }

    #[test]
    fn noise_decides_only_close_sums() {
        let network = counting();
        let label = |count, deviation, draw| {
            let mut rng = Randomness::new(1).stream(Purpose::EvaluationNoise, draw, 0);
            network.noisy_label_of(&set(count), deviation, &mut rng)
        };
        let sevens = |count, deviation| (0..100).filter(|&draw| label(count, deviation, draw) == 7).count();
        assert_eq!((sevens(2, 0.0), sevens(3, 0.0)), (0, 100));
        // The sum with its half is 1/2, so at deviation 1 the sign is right with probability 0.69.
        assert!((50..90).contains(&sevens(3, 1.0)), "{}", sevens(3, 1.0));
        assert_eq!(sevens(20, 1.0), 100);
    }
}
