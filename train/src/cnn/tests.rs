//! Both convolutional networks, with the shapes of their defaults: what training computes, and what it learns.

use candle_core::{Device, Tensor};

use crate::augment::Strength;
use crate::cnn::integer::{Cnn, Kind};
use crate::cnn::latent::{Latent, Shape};
use crate::cnn::{binarized, hybrid};
use crate::convolution::{Convolution, FILTERS, POOLED};
use crate::dense::Dense;
use crate::error::Result;
use crate::mnist::Digits;
use crate::pixels::upper_bits;
use crate::randomness::Randomness;
use crate::run::tests::arguments;
use crate::training::tests::assert_learns;
use crate::training::{Batch, Latent as _};

/// The shape of the binarized network, by its defaults.
fn binarized_shape() -> Shape {
    arguments::<binarized::Arguments>(&[]).shape()
}

/// The shape of the hybrid network, by its defaults.
fn hybrid_shape() -> Shape {
    arguments::<hybrid::Arguments>(&[]).shape()
}

/// Bars turned a little.
fn batch(count: usize) -> Result<Batch> {
    let turned = Strength { rotation: 0.1, scale: 0.0, shear: 0.0, shift: 0.0, elastic: 0.0 };
    let indices: Vec<usize> = (0..count).collect();
    Batch::new(&Digits::bars(count), &indices, turned, Randomness::new(1), 0)
}

/// Asserts that the logits of training are those of the integers of `latent`.
fn assert_computes_its_integers(latent: &Latent) -> Result<()> {
    let network = latent.integers()?;
    for grey in &batch(40)?.images {
        let pooled = network.convolution.pooled(&network.kind.image(grey));
        let values = pooled.values.map(|value| value as f32);
        let logits = latent.logits(&Tensor::new(&[values], &Device::Cpu)?)?.squeeze(0)?.to_vec1::<f32>()?;
        let unit = f64::from(latent.shape.fraction_bits).exp2();
        for (logit, score) in logits.into_iter().zip(network.scores.of(&pooled.values)) {
            // Scores of 15 fraction bits round in training: 24 bits hold a sum of 432 only nearly.
            assert!((f64::from(logit) - score as f64 / unit).abs() < 1e-4, "{logit} and {score}");
        }
    }
    Ok(())
}

#[test]
fn the_binarized_integers_compute_what_training_computes() -> Result<()> {
    assert_computes_its_integers(&Latent::new(binarized_shape(), Randomness::new(5))?)
}

#[test]
fn the_hybrid_integers_compute_what_training_computes() -> Result<()> {
    assert_computes_its_integers(&Latent::new(hybrid_shape(), Randomness::new(5))?)
}

#[test]
fn the_gradient_is_the_losses_difference_quotient() -> Result<()> {
    // Biases this large keep every value positive, so that the loss is smooth in them.
    let shape = Shape { bias_range: [0.0, 1e6], ..binarized_shape() };
    let latent = Latent::new(shape, Randomness::new(5))?;
    let biases = [4.0_f32; FILTERS];
    latent.biases.set(&Tensor::new(&biases, &Device::Cpu)?)?;
    let batch = batch(40)?;
    let gradient = latent.loss(&batch)?.1.get(&latent.biases).map(Tensor::to_vec1::<f32>);
    let gradient = gradient.expect("a gradient")?;
    for filter in 0..FILTERS {
        let loss = |step: f32| -> Result<f32> {
            let mut biases = biases;
            biases[filter] += step;
            latent.biases.set(&Tensor::new(&biases, &Device::Cpu)?)?;
            Ok(latent.loss(&batch)?.0)
        };
        let quotient = (loss(0.01)? - loss(-0.01)?) / 0.02;
        let error = (gradient[filter] - quotient).abs();
        assert!(error <= 0.01 * quotient.abs(), "{filter}: {} and {quotient}", gradient[filter]);
    }
    Ok(())
}

#[test]
fn bars_are_learnt_the_same_whatever_the_threads() {
    for shape in [binarized_shape(), hybrid_shape()] {
        assert_learns(|randomness| Latent::new(shape.clone(), randomness).expect("a shape that fits"));
    }
}

#[test]
fn a_score_is_rectified_only_where_the_manifest_says() {
    let mut pooled = Convolution { weights: vec![0; 75], scales: [1; 3], biases: [7; 3], shift: 0 }
        .pooled(&upper_bits(&[0; 784], 3));
    pooled.values[1..].fill(0);
    let mut scores = Dense { weights: vec![0; 10 * POOLED], biases: vec![0; 10], shift: 0 };
    scores.weights[0] = -1;
    let convolution = Convolution { weights: vec![], scales: [1; 3], biases: [0; 3], shift: 0 };
    let network = |kind| Cnn { kind, convolution: convolution.clone(), scores: scores.clone() };
    assert_eq!(network(Kind::Binarized).scores(&pooled)[0], 0);
    assert_eq!(network(Kind::Hybrid { bits: 3 }).scores(&pooled)[0], -7);
}

#[test]
fn ranges_are_those_of_the_images() -> Result<()> {
    let network = Latent::new(hybrid_shape(), Randomness::new(5))?.integers()?;
    let digits = Digits::bars(30);
    let ranges = network.ranges(&digits);
    let scores: Vec<Vec<i64>> = (0..30)
        .map(|index| network.scores(&network.convolution.pooled(&network.kind.image(digits.image(index)))))
        .collect();
    assert_eq!(Some(ranges.score), scores.iter().flatten().map(|score| score.abs()).max());
    assert_eq!(
        Some(ranges.winning),
        scores.iter().map(|scores| scores.iter().copied().max()).min().flatten()
    );
    Ok(())
}
