//! The subcommand that trains the binarized perceptron, measures it and writes its folder.
//!
//! The last [`VALIDATION`] training images are held out for choosing between settings. The test images are read
//! once, after training, and only when the network is written: a trial (no `--out`) never sees them.

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, value_parser};

use crate::augment::Strength;
use crate::card::Card;
use crate::error::Result;
use crate::folder::{self, Interface};
use crate::integer::Perceptron;
use crate::latent::Shape;
use crate::measurement::Measurement;
use crate::mnist::{Collection, Digits};
use crate::pixels::BinaryDigits;
use crate::randomness::Randomness;
use crate::training::{Settings, train};

/// Images held out of the 60,000, the last ones.
pub(crate) const VALIDATION: usize = 5_000;

/// How far images are distorted: written digits still look written, by eye.
const DISTORTION: Strength = Strength { rotation: 0.2, scale: 0.12, shear: 0.12, shift: 1.5, elastic: 1.0 };

/// Train the binarized perceptron on MNIST.
///
/// The defaults are the recipe of the network that ships.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of MNIST's four gzipped IDX files.
    #[arg(long, value_name = "DIR", default_value = "../shared/data/mnist")]
    data: PathBuf,
    /// Model folder to write; without it, a trial: validation accuracy only.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Decides every random number of the run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Date and machine, for the model card.
    #[arg(long, value_name = "TEXT", default_value = "not stated")]
    measured: String,
    /// Hidden neurons.
    #[arg(long, default_value_t = 384, value_parser = value_parser!(u16).range(1..))]
    hidden: u16,
    /// Largest magnitude of a score weight.
    #[arg(long, default_value_t = 7, value_parser = value_parser!(i8).range(1..))]
    score_weight_limit: i8,
    /// Logits are scores divided by two to this power.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u8).range(..16))]
    fraction_bits: u8,
    /// Grey value from which a pixel is 1.
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u8).range(1..))]
    threshold: u8,
    /// Standard deviation of the noise on hidden sums in training.
    #[arg(long, default_value_t = 1.2)]
    noise: f32,
    /// Half-width of the hidden sign's straight-through window.
    #[arg(long, default_value_t = 8.0)]
    window: f32,
    /// Passes over the training images.
    #[arg(long, default_value_t = 60, value_parser = value_parser!(u16).range(1..))]
    epochs: u16,
    /// Images to a step.
    #[arg(long, default_value_t = 512, value_parser = value_parser!(u16).range(1..))]
    batch: u16,
    /// Learning rate of the first step; it falls to zero along a cosine.
    #[arg(long, default_value_t = 0.02)]
    learning_rate: f64,
    /// Strength of the images' distortion, 0 for none and 1 for the recipe's.
    #[arg(long, default_value_t = 1.0)]
    distortion: f32,
}

impl Arguments {
    fn settings(&self) -> Settings {
        Settings {
            shape: Shape {
                hidden: self.hidden.into(),
                score_weight_limit: self.score_weight_limit.into(),
                fraction_bits: self.fraction_bits.into(),
            },
            threshold: self.threshold,
            noise: self.noise,
            window: self.window,
            epochs: self.epochs.into(),
            batch: self.batch.into(),
            learning_rate: self.learning_rate,
            distortion: DISTORTION.times(self.distortion),
        }
    }
}

/// What training came to, before the test images are read.
struct Outcome {
    network: Perceptron,
    /// Most set pixels in any of the 60,000 images.
    most_active: u32,
    validation: Measurement,
    time: Duration,
}

/// Trains, measures on the validation images and, with `--out`, on the test images, and writes the folder.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let outcome = trial(arguments)?;
    println!("validation: {}", outcome.validation);
    let (bias, seconds) = (outcome.network.largest_hidden_bias(), outcome.time.as_secs());
    println!("largest hidden bias {bias}, trained in {seconds} s");
    arguments.out.as_ref().map_or(Ok(()), |out| ship(arguments, outcome, out))
}

/// Trains, and measures on the validation images.
fn trial(arguments: &Arguments) -> Result<Outcome> {
    let (settings, randomness) = (arguments.settings(), Randomness::new(arguments.seed));
    let digits = Digits::read(&arguments.data, Collection::Training)?;
    let most_active = BinaryDigits::new(&digits, settings.threshold).most_active();
    let (training, validation) = digits.split_last(VALIDATION)?;
    let validation = BinaryDigits::new(&validation, settings.threshold);

    let start = Instant::now();
    let network = train(&training, settings, randomness, |epoch, loss, network| {
        let (accuracy, time) = (100.0 * network.accuracy(&validation), start.elapsed().as_secs());
        eprintln!("epoch {epoch:3}  loss {loss:.4}  validation {accuracy:.2} %  {time} s");
    })?;
    let time = start.elapsed();
    let validation = Measurement::new(&network, &validation, randomness);
    Ok(Outcome { network, most_active, validation, time })
}

/// Measures on the test images and writes the model folder `out`.
fn ship(arguments: &Arguments, outcome: Outcome, out: &Path) -> Result<()> {
    let settings = arguments.settings();
    let Outcome { network, most_active, validation, time } = outcome;
    let test = Digits::read(&arguments.data, Collection::Test)?;
    let test = BinaryDigits::new(&test, settings.threshold);
    let test = Measurement::new(&network, &test, Randomness::new(arguments.seed));
    println!("test: {test}");
    let interface = Interface {
        threshold: settings.threshold,
        max_active: with_head_room(most_active),
        fraction_bits: settings.shape.fraction_bits,
    };
    let card = Card {
        network: &network,
        interface,
        settings,
        seed: arguments.seed,
        command: command(),
        most_active,
        validation,
        test,
        time,
        measured: &arguments.measured,
    };
    folder::write(out, &network, interface, &card.to_string())
}

/// 15 % more than the most set pixels seen, rounded up.
const fn with_head_room(most_active: u32) -> u32 {
    (most_active * 115).div_ceil(100)
}

/// The command this run was started with, as typed at the workspace's root.
fn command() -> String {
    let quoted = |argument: String| if argument.contains(' ') { format!("'{argument}'") } else { argument };
    let arguments: Vec<_> = env::args().skip(1).map(quoted).collect();
    format!("cargo run --release -p train -- {}", arguments.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_room_rounds_up() {
        assert_eq!(with_head_room(100), 115);
        assert_eq!(with_head_room(101), 117);
    }
}
