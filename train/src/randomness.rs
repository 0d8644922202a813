//! All randomness of a run, as independent streams of one seed.
//!
//! Work is spread over threads, so a single generator would be read in an order that depends on scheduling. Each
//! random choice instead has a ChaCha8 stream of its own, named by what it is for, the epoch and the image: the same
//! seed gives the same numbers, whoever asks for them first.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What random numbers are for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The weights training starts from.
    Initialisation = 0,
    /// The order of the images in an epoch.
    Order = 1,
    /// The distortion of an image.
    Augmentation = 2,
    /// The noise added to the hidden sums while training.
    TrainingNoise = 3,
    /// The noise added to the hidden sums while measuring.
    EvaluationNoise = 4,
}

/// The seed of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Randomness {
    seed: u64,
}

impl Randomness {
    /// Randomness of the run with this seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The stream for `purpose` at `epoch` (or noise draw) and `index` (an image's, or 0).
    pub(crate) fn stream(self, purpose: Purpose, epoch: usize, index: usize) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        // 8, 24 and 32 bits: far beyond the purposes, epochs and images there are.
        generator.set_stream((purpose as u64) << 56 | (epoch as u64) << 32 | index as u64);
        generator
    }
}
