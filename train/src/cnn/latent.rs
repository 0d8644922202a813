//! The real numbers behind the convolutional networks' integers: what training moves.

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use candle_nn::loss::cross_entropy;
use rand::RngExt;
use rayon::prelude::*;

use crate::cnn::integer::{Cnn, Kind};
use crate::convolution::{Convolution, FILTERS, Image, POOLED, Pooled, TAPS};
use crate::error::Result;
use crate::grid::Grid;
use crate::latent_dense::{Form, LatentDense};
use crate::mnist::CLASSES;
use crate::randomness::{Purpose, Randomness};
use crate::training::{self, Batch};

/// Latent filter weights start uniform within this distance of zero; 1 stands for the largest weight.
const INITIAL_FILTER_WEIGHT: f32 = 0.5;
/// Latent score weights start uniform within this distance of zero.
const INITIAL_SCORE_WEIGHT: f32 = 0.1;

/// The network, its integers and how the real numbers stand for them.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// What filter weights may be.
    pub(crate) filters: Grid,
    /// Every filter's scale.
    pub(crate) scale: i32,
    /// Bits dropped from a filter's product.
    pub(crate) shift: u32,
    /// Integer units to one unit of a filter's latent bias.
    pub(crate) bias_unit: f32,
    /// Least and largest bias of a filter.
    pub(crate) bias_range: [f32; 2],
    /// The last layer.
    pub(crate) scores: Form,
    /// Loss to a unit of the score weights' magnitudes.
    pub(crate) sparsity: f64,
    /// What the scores' latent biases start at.
    pub(crate) initial_score_bias: f32,
    /// Logits are scores divided by two to this power.
    pub(crate) fraction_bits: u32,
}

/// The latent numbers.
pub(crate) struct Latent {
    pub(crate) shape: Shape,
    /// `[FILTERS * TAPS]`; 1 stands for the largest weight.
    filters: Var,
    /// `[FILTERS]`
    pub(crate) biases: Var,
    scores: LatentDense,
}

impl Latent {
    /// Random latent numbers.
    pub(crate) fn new(shape: Shape, randomness: Randomness) -> Result<Self> {
        let generator = &mut randomness.stream(Purpose::Initialisation, 0, 0);
        let filters: Vec<f32> = (0..FILTERS * TAPS)
            .map(|_| INITIAL_FILTER_WEIGHT * (2.0 * generator.random::<f32>() - 1.0))
            .collect();
        let (form, bias) = (shape.scores.clone(), shape.initial_score_bias);
        let scores = LatentDense::new(form, &[0.0; POOLED], CLASSES, INITIAL_SCORE_WEIGHT, bias, generator)?;
        Ok(Self {
            shape,
            filters: Var::from_vec(filters, FILTERS * TAPS, &Device::Cpu)?,
            biases: Var::from_vec(vec![0.0_f32; FILTERS], FILTERS, &Device::Cpu)?,
            scores,
        })
    }

    /// The convolution's integers.
    fn convolution(&self) -> Result<Convolution> {
        let Shape { filters, scale, shift, bias_unit, bias_range: [least, largest], .. } = &self.shape;
        let weights = filters.nearest(&(&*self.filters * f64::from(filters.largest()))?)?.to_vec1::<f32>()?;
        let biases = self.biases.to_vec1::<f32>()?;
        let bias = |filter: usize| (biases[filter] * bias_unit).round().clamp(*least, *largest);
        // Exact casts: integers of at most 24 bits.
        Ok(Convolution {
            weights: weights.into_iter().map(|weight| weight as i32).collect(),
            scales: [*scale; FILTERS],
            biases: std::array::from_fn(|filter| bias(filter) as i32),
            shift: *shift,
        })
    }

    /// Logits `[batch, 10]` of values after pooling, `[batch, 432]`.
    pub(crate) fn logits(&self, pooled: &Tensor) -> Result<Tensor> {
        Ok((self.scores.of(pooled)? * f64::from(self.shape.fraction_bits).exp2().recip())?)
    }
}

impl training::Latent for Latent {
    type Network = Cnn;

    fn variables(&self) -> Vec<Var> {
        [[self.filters.clone(), self.biases.clone()], self.scores.variables()].concat()
    }

    fn loss(&self, batch: &Batch) -> Result<(f32, GradStore)> {
        let convolution = self.convolution()?;
        let convolved: Vec<(Image, Pooled)> = batch
            .images
            .par_iter()
            .map(|grey| {
                let image = self.shape.kind.image(grey);
                let pooled = convolution.pooled(&image);
                (image, pooled)
            })
            .collect();
        let values: Vec<f32> =
            convolved.iter().flat_map(|(_, pooled)| pooled.values).map(|value| value as f32).collect();
        let values = Var::from_vec(values, (convolved.len(), POOLED), &Device::Cpu)?;
        let loss = cross_entropy(&self.logits(&values)?, &batch.labels)?;
        let penalty = (self.scores.magnitude()? * self.shape.sparsity)?;
        let mut gradients = (&loss + penalty)?.backward()?;
        if let Some(towards) = gradients.remove(&values) {
            let towards = towards.to_vec2::<f32>()?;
            let each: Vec<_> = convolved
                .par_iter()
                .zip(&towards)
                .map(|((image, pooled), towards)| convolution.gradient(image, pooled, towards))
                .collect();
            // Added in the images' order, whatever the threads.
            let (mut weights, mut biases) = ([0.0; FILTERS * TAPS], [0.0; FILTERS]);
            for gradient in &each {
                weights.iter_mut().zip(gradient.weights).for_each(|(sum, part)| *sum += part);
                biases.iter_mut().zip(gradient.biases).for_each(|(sum, part)| *sum += part);
            }
            // Latent weights are kept where their gradient passes, within 1.
            let weight_unit = self.shape.filters.largest() as f32;
            let bias_unit = self.shape.bias_unit;
            gradients.insert(&self.filters, Tensor::new(&weights.map(|x| x * weight_unit), &Device::Cpu)?);
            gradients.insert(&self.biases, Tensor::new(&biases.map(|x| x * bias_unit), &Device::Cpu)?);
        }
        Ok((loss.to_scalar()?, gradients))
    }

    fn clip(&self) -> Result<()> {
        let [least, largest] = self.shape.bias_range.map(|bias| bias / self.shape.bias_unit);
        self.filters.set(&self.filters.clamp(-1.0, 1.0)?)?;
        self.biases.set(&self.biases.clamp(least, largest)?)?;
        Ok(self.scores.clip()?)
    }

    fn integers(&self) -> Result<Cnn> {
        let (convolution, scores) = (self.convolution()?, self.scores.integers()?);
        Ok(Cnn { kind: self.shape.kind, convolution, scores })
    }
}
