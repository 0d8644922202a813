//! How good a network is, in the integer meaning: plainly and, for a network of signs, with the noise that encrypted
//! evaluation adds.

use std::fmt;

use rand::Rng;

use crate::mnist::Digits;
use crate::randomness::{Purpose, Randomness};
use crate::run::VALIDATION;
use crate::training::Network;

/// Draws of the noise for every image.
pub(crate) const DRAWS: usize = 10;

/// A network that can add to its sums the noise that encrypted evaluation adds.
pub(crate) trait Noisy: Network {
    /// The digit the network takes an image, `[28, 28]` grey values, for when Gaussian noise of this standard
    /// deviation, in the network's unit, is added to every sum before its sign.
    fn noisy_label(&self, grey: &[u8], deviation: f32, rng: &mut impl Rng) -> u8;

    /// Fraction of the digits told right, for each of `draws` draws of the noise.
    fn noisy_accuracies(
        &self,
        digits: &Digits,
        deviation: f32,
        draws: usize,
        randomness: Randomness,
    ) -> Vec<f64> {
        let accuracy = |draw| {
            digits.fraction(|index, grey, label| {
                let mut rng = randomness.stream(Purpose::EvaluationNoise, draw, index);
                self.noisy_label(grey, deviation, &mut rng) == label
            })
        };
        (0..draws).map(accuracy).collect()
    }
}

/// A network's accuracies on a set of digits, all between 0 and 1.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    /// Without noise.
    pub(crate) plain: f64,
    /// With noise: its name and the accuracy. Empty for a network that is evaluated without noise.
    pub(crate) noisy: Vec<(String, Spread)>,
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
    /// Measures `network` on `digits` without noise.
    pub(crate) fn exact(network: &impl Network, digits: &Digits) -> Self {
        Self { plain: network.accuracy(digits), noisy: Vec::new() }
    }

    /// Measures `network` on `digits`, also with noise of each of the standard deviations, named for a reader.
    pub(crate) fn noisy(
        network: &impl Noisy,
        digits: &Digits,
        noises: &[(&str, f32)],
        randomness: Randomness,
    ) -> Self {
        let spread = |&(name, deviation): &(&str, f32)| {
            let accuracies = network.noisy_accuracies(digits, deviation, DRAWS, randomness);
            (name.to_owned(), Spread::of(&accuracies))
        };
        Self { noisy: noises.iter().map(spread).collect(), ..Self::exact(network, digits) }
    }
}

/// A card's table of a network's accuracies, measured with the same noises.
pub(crate) fn table(validation: &Measurement, test: &Measurement) -> String {
    let images = format!("| validation ({VALIDATION} images) | test (10000 images) |\n");
    let plain = format!("| {} | {} |\n", percent(validation.plain), percent(test.plain));
    if validation.noisy.is_empty() {
        return format!("{images}|---|---|\n{plain}");
    }
    let mut table = format!("| {images}|---|---|---|\n| plain {plain}");
    for ((noise, validation), (_, test)) in validation.noisy.iter().zip(&test.noisy) {
        table += &format!("| noise {noise} | {validation} | {test} |\n");
    }
    table + &format!("\nWith noise: mean (least to most) of {DRAWS} draws.\n")
}

fn percent(accuracy: f64) -> String {
    format!("{:.2} %", 100.0 * accuracy)
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
        formatter.write_str(&percent(self.plain))?;
        self.noisy.iter().try_for_each(|(noise, spread)| write!(formatter, ", noise {noise}: {spread}"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Accuracies of a network measured with these noises, around `plain`.
    pub(crate) fn measured(plain: f64, noises: &[&str]) -> Measurement {
        let spread = Spread { mean: plain - 0.01, least: plain - 0.0225, most: plain + 0.0025 };
        Measurement { plain, noisy: noises.iter().map(|&noise| (noise.to_owned(), spread)).collect() }
    }
}
