//! A run: the settings that every network has, the images, and training. What follows is [`crate::export`]'s.
//!
//! The last [`VALIDATION`] training images are held out for choosing between settings. The test images are read
//! once, after training, and only when the network is written: a trial (no `--out`) never sees them.

use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, value_parser};

use crate::augment::Strength;
use crate::error::Result;
use crate::mnist::{Collection, Digits};
use crate::randomness::Randomness;
use crate::training::{Latent, Network, Schedule, train};

/// Images held out of the 60,000, the last ones.
pub(crate) const VALIDATION: usize = 5_000;

/// How far images are distorted: written digits still look written, by eye.
const DISTORTION: Strength = Strength { rotation: 0.2, scale: 0.12, shear: 0.12, shift: 1.5, elastic: 1.0 };

/// The settings every network has.
#[derive(Args)]
pub(crate) struct Run {
    /// Folder of MNIST's four gzipped IDX files.
    #[arg(long, value_name = "DIR", default_value = "../shared/data/mnist")]
    data: PathBuf,
    /// Model folder to write; without it, a trial: validation accuracy only.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Decides every random number of the run.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Date and machine, for the model card.
    #[arg(long, value_name = "TEXT", default_value = "not stated")]
    pub(crate) measured: String,
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

/// What training came to, before the test images are read.
pub(crate) struct Outcome<N> {
    /// The network.
    pub(crate) network: N,
    /// The images held out.
    pub(crate) validation: Digits,
    /// How long training took.
    pub(crate) time: Duration,
}

impl Run {
    /// How to train.
    pub(crate) fn schedule(&self) -> Schedule {
        Schedule {
            epochs: self.epochs.into(),
            batch: self.batch.into(),
            learning_rate: self.learning_rate,
            distortion: DISTORTION.times(self.distortion),
        }
    }

    /// The run's random numbers.
    pub(crate) const fn randomness(&self) -> Randomness {
        Randomness::new(self.seed)
    }

    /// The 60,000 images, those held out included.
    pub(crate) fn training_digits(&self) -> Result<Digits> {
        Digits::read(&self.data, Collection::Training)
    }

    /// The test images.
    pub(crate) fn test_digits(&self) -> Result<Digits> {
        Digits::read(&self.data, Collection::Test)
    }

    /// Trains the network that `latent` makes of the training images, on all `digits` but the last.
    pub(crate) fn train<L: Latent>(
        &self,
        digits: Digits,
        latent: impl FnOnce(&Digits) -> Result<L>,
    ) -> Result<Outcome<L::Network>> {
        let (training, validation) = digits.split_last(VALIDATION)?;
        let start = Instant::now();
        let report = |epoch, loss, network: &L::Network| {
            let (accuracy, time) = (100.0 * network.accuracy(&validation), start.elapsed().as_secs());
            eprintln!("epoch {epoch:3}  loss {loss:.4}  validation {accuracy:.2} %  {time} s");
        };
        let network = train(&latent(&training)?, &training, self.schedule(), self.randomness(), report)?;
        let time = start.elapsed();
        Ok(Outcome { network, validation, time })
    }
}

/// The command this run was started with, as typed at the workspace's root.
pub(crate) fn command() -> String {
    let quoted = |argument: String| if argument.contains(' ') { format!("'{argument}'") } else { argument };
    let arguments: Vec<_> = env::args().skip(1).map(quoted).collect();
    format!("cargo run --release -p train -- {}", arguments.join(" "))
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command<A: Args> {
        #[command(flatten)]
        arguments: A,
    }

    /// A subcommand's arguments: its defaults but for `settings`.
    pub(crate) fn arguments<A: Args>(settings: &[&str]) -> A {
        Command::parse_from(["train"].iter().chain(settings)).arguments
    }
}
