//! The training loop: distorted images, Adam with a learning rate that falls along a cosine.

use std::f64::consts::PI;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;
use rayon::prelude::*;

use crate::augment::{Distortion, Strength};
use crate::error::{Error, Result};
use crate::mnist::{Digits, PIXELS};
use crate::randomness::{Purpose, Randomness};

/// The real numbers behind a network's integers: what training moves.
pub(crate) trait Latent {
    /// The network in its integer meaning.
    type Network: Network;

    /// What the optimiser moves.
    fn variables(&self) -> Vec<Var>;

    /// Mean cross-entropy of a batch and its gradient with respect to every variable.
    fn loss(&self, batch: &Batch) -> Result<(f32, GradStore)>;

    /// Brings the latent numbers back to where their gradient passes, after an optimiser's step.
    fn clip(&self) -> Result<()>;

    /// The integer network these numbers stand for.
    fn integers(&self) -> Result<Self::Network>;
}

/// A network in its integer meaning.
pub(crate) trait Network: Sync {
    /// The digit the network takes an image, `[28, 28]` grey values, for.
    fn label(&self, grey: &[u8]) -> u8;

    /// Fraction of the digits told right.
    fn accuracy(&self, digits: &Digits) -> f64 {
        digits.fraction(|_, grey, label| self.label(grey) == label)
    }
}

/// How a network is trained, whichever it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Passes over the training images.
    pub(crate) epochs: usize,
    /// Images to a step.
    pub(crate) batch: usize,
    /// Largest learning rate.
    pub(crate) learning_rate: f64,
    /// How far images are distorted.
    pub(crate) distortion: Strength,
}

/// Trains `latent` on `digits`. `report` is told each epoch's number, mean loss and network.
pub(crate) fn train<L: Latent>(
    latent: &L,
    digits: &Digits,
    schedule: Schedule,
    randomness: Randomness,
    mut report: impl FnMut(usize, f32, &L::Network),
) -> Result<L::Network> {
    let parameters = ParamsAdamW { weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut optimizer = AdamW::new(latent.variables(), parameters)?;
    let mut order: Vec<usize> = (0..digits.len()).collect();
    let steps = digits.len() / schedule.batch;
    if steps == 0 {
        return Err(Error::BadSetting("a batch takes more images than there are to train on"));
    }
    for epoch in 0..schedule.epochs {
        order.shuffle(&mut randomness.stream(Purpose::Order, epoch, 0));
        let mut losses = 0.0;
        // The few images that do not fill a batch wait for the next epoch, and its other order.
        for (step, indices) in order.chunks_exact(schedule.batch).enumerate() {
            let progress = (epoch * steps + step) as f64 / (schedule.epochs * steps) as f64;
            optimizer.set_learning_rate(schedule.learning_rate * falling(progress));
            let batch = Batch::new(digits, indices, schedule.distortion, randomness, epoch)?;
            let (loss, gradients) = latent.loss(&batch)?;
            optimizer.step(&gradients)?;
            latent.clip()?;
            losses += loss;
        }
        report(epoch + 1, losses / steps as f32, &latent.integers()?);
    }
    latent.integers()
}

/// From 1 at the start (progress 0) to 0 at the end (1), along a cosine (Loshchilov and Hutter, arXiv:1608.03983).
fn falling(progress: f64) -> f64 {
    (1.0 + (PI * progress).cos()) / 2.0
}

/// The images of a step.
pub(crate) struct Batch {
    /// Distorted grey values, `[28, 28]` each.
    pub(crate) images: Vec<[u8; PIXELS]>,
    /// `[batch]` digits.
    pub(crate) labels: Tensor,
    /// Of each image, among those trained on.
    indices: Vec<usize>,
    randomness: Randomness,
    epoch: usize,
}

impl Batch {
    /// The images `indices` of `digits`, distorted.
    pub(crate) fn new(
        digits: &Digits,
        indices: &[usize],
        distortion: Strength,
        randomness: Randomness,
        epoch: usize,
    ) -> Result<Self> {
        let distorted = |&index: &usize| {
            let mut rng = randomness.stream(Purpose::Augmentation, epoch, index);
            Distortion::sample(distortion, &mut rng).apply(digits.image(index))
        };
        let labels: Vec<u32> = indices.iter().map(|&index| digits.label(index).into()).collect();
        Ok(Self {
            images: indices.par_iter().map(distorted).collect(),
            labels: Tensor::new(labels, &Device::Cpu)?,
            indices: indices.to_vec(),
            randomness,
            epoch,
        })
    }

    /// The encoded images, `[batch, 784]`.
    pub(crate) fn encoded(&self, encode: impl Fn(&[u8]) -> [u8; PIXELS] + Sync) -> Result<Tensor> {
        let mut rows = vec![0.0_f32; self.images.len() * PIXELS];
        rows.par_chunks_exact_mut(PIXELS).zip(&self.images).for_each(|(row, grey)| {
            row.iter_mut().zip(encode(grey)).for_each(|(x, value)| *x = f32::from(value));
        });
        Ok(Tensor::from_vec(rows, (self.images.len(), PIXELS), &Device::Cpu)?)
    }

    /// Gaussian noise of standard deviation `deviation`, `[batch, width]`.
    pub(crate) fn noise(&self, width: usize, deviation: f32) -> Result<Tensor> {
        let mut rows = vec![0.0_f32; self.images.len() * width];
        rows.par_chunks_exact_mut(width).zip(&self.indices).for_each(|(row, &index)| {
            let mut rng = self.randomness.stream(Purpose::TrainingNoise, self.epoch, index);
            row.iter_mut().for_each(|x| *x = deviation * rng.sample::<f32, _>(StandardNormal));
        });
        Ok(Tensor::from_vec(rows, (self.images.len(), width), &Device::Cpu)?)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule {
        epochs: 6,
        batch: 50,
        learning_rate: 0.02,
        distortion: Strength { rotation: 0.1, scale: 0.1, shear: 0.1, shift: 1.0, elastic: 0.5 },
    };

    /// What `latent`, made from a run's randomness, learns of 500 bars.
    fn trained<L: Latent>(
        latent: impl Fn(Randomness) -> L + Sync,
        epochs: usize,
        seed: u64,
        threads: usize,
    ) -> L::Network
    where
        L::Network: Send,
    {
        let (schedule, randomness) = (Schedule { epochs, ..SCHEDULE }, Randomness::new(seed));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
        let run = || train(&latent(randomness), &Digits::bars(500), schedule, randomness, |_, _, _| ());
        pool.install(run).expect("settings that fit")
    }

    /// Asserts that the seed alone decides the network, and that bars are learnt.
    pub(crate) fn assert_learns<L: Latent>(latent: impl Fn(Randomness) -> L + Sync)
    where
        L::Network: Send + PartialEq + std::fmt::Debug,
    {
        let network = trained(&latent, 1, 1, 1);
        assert_eq!(network, trained(&latent, 1, 1, 3));
        assert_ne!(network, trained(&latent, 1, 2, 1));
        let accuracy = trained(&latent, SCHEDULE.epochs, 1, 2).accuracy(&Digits::bars(500));
        assert!(accuracy > 0.95, "{accuracy}");
    }

    /// Asserts that a batch larger than the training images is refused.
    pub(crate) fn assert_refuses_too_large_a_batch<L: Latent>(latent: &L) {
        let outcome = train(latent, &Digits::bars(49), SCHEDULE, Randomness::new(1), |_, _, _| ());
        assert!(matches!(outcome.map(|_| ()), Err(Error::BadSetting(_))));
    }
}
