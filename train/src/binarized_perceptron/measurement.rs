//! How good a network is, in the integer meaning: plainly, and with the noise encrypted evaluation adds.

use std::fmt;

use super::integer::Perceptron;
use crate::mnist::Digits;
use crate::randomness::Randomness;
use crate::training::Network;

/// Standard deviations measured at, in units of the hidden sum: what encryption is expected to add, and twice that.
pub(crate) const NOISES: [f32; 2] = [1.0, 2.0];
/// Draws of the noise for every image.
pub(crate) const DRAWS: usize = 10;

/// A network's accuracies on a set of digits, all between 0 and 1.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    /// Without noise.
    pub(crate) plain: f64,
    /// With noise of each of [`NOISES`].
    pub(crate) noisy: [Spread; NOISES.len()],
}

/// Accuracy over draws of the noise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// Over all draws.
    pub(crate) mean: f64,
    /// Of the worst draw.
    pub(crate) least: f64,
    /// Of the best draw.
    pub(crate) most: f64,
}

impl Measurement {
    /// Measures `network` on `digits`.
    pub(crate) fn new(network: &Perceptron, digits: &Digits, randomness: Randomness) -> Self {
        let noisy = NOISES
            .map(|deviation| Spread::of(&network.noisy_accuracies(digits, deviation, DRAWS, randomness)));
        Self { plain: network.accuracy(digits), noisy }
    }
}

impl Spread {
    fn of(accuracies: &[f64]) -> Self {
        Self {
            mean: accuracies.iter().sum::<f64>() / accuracies.len() as f64,
            least: accuracies.iter().copied().fold(f64::INFINITY, f64::min),
            most: accuracies.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [mean, least, most] = [self.mean, self.least, self.most].map(|accuracy| 100.0 * accuracy);
        write!(formatter, "{mean:.2} % ({least:.2} to {most:.2})")
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.2} %", 100.0 * self.plain)?;
        let mut noisy = self.noisy.iter().zip(NOISES);
        noisy.try_for_each(|(spread, noise)| write!(formatter, ", noise {noise:.1}: {spread}"))
    }
}
