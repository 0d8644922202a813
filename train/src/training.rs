//! The training loop: distorted images, noisy sums, Adam with a learning rate that falls along a cosine.

use std::f64::consts::PI;

use candle_core::{Device, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;
use rayon::prelude::*;

use crate::augment::{Distortion, Strength};
use crate::error::{Error, Result};
use crate::integer::Perceptron;
use crate::latent::{Batch, Latent, Shape};
use crate::mnist::{Digits, PIXELS};
use crate::pixels::{BinaryDigits, binarize};
use crate::randomness::{Purpose, Randomness};

/// Everything a training run depends on, the images and the seed aside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The network.
    pub(crate) shape: Shape,
    /// Grey value from which a pixel is 1.
    pub(crate) threshold: u8,
    /// Standard deviation of the noise on hidden sums, in their units.
    pub(crate) noise: f32,
    /// Half-width of the hidden sign's straight-through window, in the same units.
    pub(crate) window: f32,
    /// Passes over the training images.
    pub(crate) epochs: usize,
    /// Images to a step.
    pub(crate) batch: usize,
    /// Largest learning rate.
    pub(crate) learning_rate: f64,
    /// How far images are distorted.
    pub(crate) distortion: Strength,
}

/// Trains a network on `digits`. `report` is told each epoch's number, mean loss and network.
pub(crate) fn train(
    digits: &Digits,
    settings: Settings,
    randomness: Randomness,
    mut report: impl FnMut(usize, f32, &Perceptron),
) -> Result<Perceptron> {
    let mean = BinaryDigits::new(digits, settings.threshold).mean();
    let latent = Latent::new(settings.shape, settings.window, &mean, randomness)?;
    let parameters = ParamsAdamW { weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut optimizer = AdamW::new(latent.variables(), parameters)?;
    let mut order: Vec<usize> = (0..digits.len()).collect();
    let steps = digits.len() / settings.batch;
    if steps == 0 {
        return Err(Error::BadSetting("a batch takes more images than there are to train on"));
    }
    for epoch in 0..settings.epochs {
        order.shuffle(&mut randomness.stream(Purpose::Order, epoch, 0));
        let mut losses = 0.0;
        // The few images that do not fill a batch wait for the next epoch, and its other order.
        for (step, indices) in order.chunks_exact(settings.batch).enumerate() {
            let progress = (epoch * steps + step) as f64 / (settings.epochs * steps) as f64;
            optimizer.set_learning_rate(settings.learning_rate * falling(progress));
            let (loss, gradients) = latent.loss(&batch(digits, indices, settings, randomness, epoch)?)?;
            optimizer.step(&gradients)?;
            latent.clip()?;
            losses += loss;
        }
        report(epoch + 1, losses / steps as f32, &latent.integers()?);
    }
    Ok(latent.integers()?)
}

/// From 1 at the start (progress 0) to 0 at the end (1), along a cosine (Loshchilov and Hutter, arXiv:1608.03983).
fn falling(progress: f64) -> f64 {
    (1.0 + (PI * progress).cos()) / 2.0
}

/// The images `indices` of `digits`, distorted and binarized, with noise for their hidden sums.
fn batch(
    digits: &Digits,
    indices: &[usize],
    settings: Settings,
    randomness: Randomness,
    epoch: usize,
) -> Result<Batch> {
    let hidden = settings.shape.hidden;
    let mut images = vec![0.0_f32; indices.len() * PIXELS];
    let mut noise = vec![0.0_f32; indices.len() * hidden];
    let rows = images.par_chunks_exact_mut(PIXELS).zip(noise.par_chunks_exact_mut(hidden));
    rows.zip(indices).for_each(|((image, noise), &index)| {
        let mut rng = randomness.stream(Purpose::Augmentation, epoch, index);
        let grey = Distortion::sample(settings.distortion, &mut rng).apply(digits.image(index));
        let binary = binarize(&grey, settings.threshold);
        image.iter_mut().zip(binary).for_each(|(x, bit)| *x = f32::from(bit));
        let mut rng = randomness.stream(Purpose::TrainingNoise, epoch, index);
        noise.iter_mut().for_each(|x| *x = settings.noise * rng.sample::<f32, _>(StandardNormal));
    });
    let labels: Vec<u32> = indices.iter().map(|&index| digits.label(index).into()).collect();
    Ok(Batch {
        images: Tensor::from_vec(images, (indices.len(), PIXELS), &Device::Cpu)?,
        labels: Tensor::new(labels, &Device::Cpu)?,
        noise: Tensor::from_vec(noise, (indices.len(), hidden), &Device::Cpu)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings {
        shape: Shape { hidden: 20, score_weight_limit: 7, fraction_bits: 3 },
        threshold: 128,
        noise: 1.2,
        window: 10.0,
        epochs: 6,
        batch: 50,
        learning_rate: 0.02,
        distortion: Strength { rotation: 0.1, scale: 0.1, shear: 0.1, shift: 1.0, elastic: 0.5 },
    };

    fn trained(epochs: usize, seed: u64, threads: usize) -> Perceptron {
        let settings = Settings { epochs, ..SETTINGS };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
        let run = || train(&Digits::bars(500), settings, Randomness::new(seed), |_, _, _| ());
        pool.install(run).expect("settings that fit")
    }

    #[test]
    fn the_seed_decides_the_network_whatever_the_threads() {
        let network = trained(1, 1, 1);
        assert_eq!(network, trained(1, 1, 3));
        assert_ne!(network, trained(1, 2, 1));
    }

    #[test]
    fn bars_are_learnt() {
        let accuracy = trained(6, 1, 2).accuracy(&BinaryDigits::new(&Digits::bars(500), SETTINGS.threshold));
        assert!(accuracy > 0.95, "{accuracy}");
    }

    #[test]
    fn a_batch_too_large_is_refused() {
        let outcome = train(&Digits::bars(49), SETTINGS, Randomness::new(1), |_, _, _| ());
        assert!(matches!(outcome, Err(Error::BadSetting(_))));
    }
}
