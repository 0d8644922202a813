//! The real numbers behind the binarized perceptron's integers: what training moves.
//!
//! The discrete network is a function of latent reals, and a forward pass in training computes with the discrete
//! values, noise added where encryption adds it (Courbariaux et al., arXiv:1602.02830):
//!
//! ```text
//! w = sign(W)                                   hidden weights, [hidden, 784]
//! b = round(B - w mu)                           hidden biases, [hidden], |b| <= BIAS_LIMIT
//! h = sign(w x + b + 1/2 + noise)               hidden signs, [batch, hidden]
//! v = round(V), c = round(C)                    output weights and biases, |v| <= score_weight_limit
//! s = (v h + c) / 2^fraction_bits               logits, [batch, 10]; |c| <= SCORE_BIAS_LIMIT
//! ```
//!
//! `mu` is the mean training image: subtracting it centres every hidden sum, which is the half of batch
//! normalisation that a sign does not undo, and unlike batch statistics it is the same in training as afterwards.
//! Nothing is left to fold or to quantise at the end: [`training::Latent::integers`] only reads `w`, `b`, `v` and `c` out.

use candle_core::backprop::GradStore;
use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::loss::cross_entropy;
use rand::RngExt;

use crate::binarized_perceptron::integer::Perceptron;
use crate::error;
use crate::mnist::{CLASSES, Digits, PIXELS};
use crate::pixels::{binarize, mean};
use crate::randomness::{Purpose, Randomness};
use crate::straight_through::{round, sign};
use crate::training::{self, Batch};

/// Largest magnitude of a hidden bias.
pub(crate) const BIAS_LIMIT: i32 = 64;
/// Largest magnitude of a score bias.
pub(crate) const SCORE_BIAS_LIMIT: i32 = 127;
/// Hidden weights start uniform within this distance of zero.
const INITIAL_HIDDEN_WEIGHT: f32 = 0.1;
/// Integer units to one unit of a latent bias or score weight: the optimiser's steps are of one size for every
/// latent number, and these integers have further to go than a sign.
const UNIT: f64 = 16.0;

/// The network, its integers and how they are trained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Grey value from which a pixel is 1.
    pub(crate) threshold: u8,
    /// Hidden neurons.
    pub(crate) hidden: usize,
    /// Largest magnitude of a score weight.
    pub(crate) score_weight_limit: i32,
    /// Logits are scores divided by two to this power.
    pub(crate) fraction_bits: u32,
    /// Standard deviation of the noise on hidden sums in training, in their units.
    pub(crate) noise: f32,
    /// Half-width of the hidden sign's straight-through window, in the same units.
    pub(crate) window: f32,
}

/// The latent numbers.
pub(crate) struct Latent {
    shape: Shape,
    /// Mean training image, `[784, 1]`.
    mean: Tensor,
    hidden_weights: Var,
    hidden_biases: Var,
    score_weights: Var,
    score_biases: Var,
}

/// A batch of binary images.
struct Inputs {
    /// `[batch, 784]`, 0 or 1.
    images: Tensor,
    /// `[batch]` digits.
    labels: Tensor,
    /// `[batch, hidden]`, added to the hidden sums, in their units.
    noise: Tensor,
}

impl Latent {
    /// Random latent numbers, for training on `digits`.
    pub(crate) fn new(shape: Shape, digits: &Digits, randomness: Randomness) -> error::Result<Self> {
        Ok(Self::with_mean(shape, &mean(digits, shape.threshold), randomness)?)
    }

    /// Random latent numbers. `mean` is the mean training image, `[784]`.
    fn with_mean(shape: Shape, mean: &[f32], randomness: Randomness) -> Result<Self> {
        let device = &Device::Cpu;
        let mut generator = randomness.stream(Purpose::Initialisation, 0, 0);
        let mut uniform = |rows: usize, columns: usize, bound: f32| {
            let numbers: Vec<f32> =
                (0..rows * columns).map(|_| bound * (2.0 * generator.random::<f32>() - 1.0)).collect();
            Var::from_vec(numbers, (rows, columns), device)
        };
        Ok(Self {
            shape,
            mean: Tensor::new(mean, device)?.unsqueeze(1)?,
            hidden_weights: uniform(shape.hidden, PIXELS, INITIAL_HIDDEN_WEIGHT)?,
            score_weights: uniform(CLASSES, shape.hidden, 1.0 / UNIT as f32)?,
            hidden_biases: Var::zeros(shape.hidden, DType::F32, device)?,
            score_biases: Var::zeros(CLASSES, DType::F32, device)?,
        })
    }

    /// Mean cross-entropy of a batch and its gradient with respect to every latent number.
    ///
    /// The hidden layer's own step back is by hand: the images need no gradient, and automatic differentiation would
    /// spend a third of all training on computing it.
    fn step(&self, batch: &Inputs) -> Result<(f32, GradStore)> {
        let sums = Var::from_tensor(&(self.hidden_sums(&batch.images)? + &batch.noise)?)?;
        let loss = cross_entropy(&self.logits(&sums)?, &batch.labels)?;
        let mut gradients = loss.backward()?;
        if let Some(gradient) = gradients.remove(&sums) {
            let to_biases = gradient.sum(0)?;
            // gradient^T (x - mu), without the slow subtraction of a row from every image.
            let centre = to_biases.unsqueeze(1)?.matmul(&self.mean.t()?)?;
            let to_weights = (gradient.t()?.matmul(&batch.images)? - centre)?;
            gradients.insert(&self.hidden_weights, to_weights);
            gradients.insert(&self.hidden_biases, (to_biases * UNIT)?);
        }
        Ok((loss.to_scalar()?, gradients))
    }

    /// Sums `w x + b + 1/2`, `[batch, hidden]`, of `[batch, 784]` binary images; a constant to the gradient.
    fn hidden_sums(&self, images: &Tensor) -> Result<Tensor> {
        let weights = self.binary_weights()?;
        images.matmul(&weights.t()?)?.broadcast_add(&(self.biases(&weights)? + 0.5)?)
    }

    /// Logits `[batch, 10]` of hidden sums `[batch, hidden]`.
    fn logits(&self, sums: &Tensor) -> Result<Tensor> {
        let hidden = sign(sums, self.shape.window)?;
        let scores = hidden.matmul(&self.score_weights()?.t()?)?.broadcast_add(&self.score_biases()?)?;
        scores * f64::from(self.shape.fraction_bits).exp2().recip()
    }

    /// Hidden weights `w`, `[hidden, 784]`, a constant to the gradient.
    fn binary_weights(&self) -> Result<Tensor> {
        Ok(sign(&self.hidden_weights, 1.0)?.detach())
    }

    /// Hidden biases `b`, `[hidden]`, for the binary `weights`; a constant to the gradient.
    fn biases(&self, weights: &Tensor) -> Result<Tensor> {
        let centre = weights.matmul(&self.mean)?.squeeze(D::Minus1)?;
        Ok(round(&((&*self.hidden_biases * UNIT)? - centre)?, BIAS_LIMIT)?.detach())
    }

    /// Output weights `v`, `[10, hidden]`.
    fn score_weights(&self) -> Result<Tensor> {
        round(&(&*self.score_weights * UNIT)?, self.shape.score_weight_limit)
    }

    /// Output biases `c`, `[10]`.
    fn score_biases(&self) -> Result<Tensor> {
        round(&(&*self.score_biases * UNIT)?, SCORE_BIAS_LIMIT)
    }
}

impl training::Latent for Latent {
    type Network = Perceptron;

    fn variables(&self) -> Vec<Var> {
        [&self.hidden_weights, &self.hidden_biases, &self.score_weights, &self.score_biases]
            .map(Var::clone)
            .to_vec()
    }

    fn loss(&self, batch: &Batch) -> error::Result<(f32, GradStore)> {
        let Shape { threshold, hidden, noise, .. } = self.shape;
        Ok(self.step(&Inputs {
            images: batch.encoded(|grey| binarize(grey, threshold))?,
            labels: batch.labels.clone(),
            noise: batch.noise(hidden, noise)?,
        })?)
    }

    fn clip(&self) -> error::Result<()> {
        let limit = f64::from(self.shape.score_weight_limit) / UNIT;
        self.hidden_weights.set(&self.hidden_weights.clamp(-1.0, 1.0)?)?;
        Ok(self.score_weights.set(&self.score_weights.clamp(-limit, limit)?)?)
    }

    fn integers(&self) -> error::Result<Perceptron> {
        let weights = self.binary_weights()?;
        let integers = |tensor: Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        // Exact casts: every value is an integer within its limit, at most 127 in magnitude.
        let bytes = |values: Vec<f32>| values.into_iter().map(|value| value as i8).collect();
        let words = |values: Vec<f32>| values.into_iter().map(|value| value as i32).collect();
        Ok(Perceptron {
            threshold: self.shape.threshold,
            hidden_biases: words(integers(self.biases(&weights)?)?),
            hidden_weights: bytes(integers(weights)?),
            score_weights: bytes(integers(self.score_weights()?)?),
            score_biases: words(integers(self.score_biases()?)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::BinaryImage;
    use crate::training::Latent as _;
    use crate::training::tests::{assert_learns, assert_refuses_too_large_a_batch};

    const SHAPE: Shape = Shape {
        threshold: 128,
        hidden: 24,
        score_weight_limit: 7,
        fraction_bits: 3,
        noise: 1.2,
        window: 10.0,
    };

    /// Latent numbers as training might leave them, biases included.
    fn latent() -> Result<Latent> {
        let mean: Vec<f32> = (0..PIXELS).map(|pixel| (pixel % 28) as f32 / 100.0).collect();
        let latent = Latent::with_mean(SHAPE, &mean, Randomness::new(5))?;
        let biases: Vec<f32> = (0..SHAPE.hidden).map(|neuron| neuron as f32 / 10.0 - 1.0).collect();
        latent.hidden_biases.set(&Tensor::new(biases, &Device::Cpu)?)?;
        Ok(latent)
    }

    fn images() -> Vec<BinaryImage> {
        let image = |index: usize| std::array::from_fn(|pixel| u8::from(pixel * (index + 3) % 11 < 3));
        (0..10).map(image).collect()
    }

    fn batch() -> Result<Inputs> {
        let pixels: Vec<f32> = images().as_flattened().iter().map(|&pixel| pixel.into()).collect();
        Ok(Inputs {
            images: Tensor::from_vec(pixels, (10, PIXELS), &Device::Cpu)?,
            labels: Tensor::arange(0_u32, 10, &Device::Cpu)?,
            noise: Tensor::full(0.25_f32, (10, SHAPE.hidden), &Device::Cpu)?,
        })
    }

    #[test]
    fn the_integers_compute_what_training_computes() -> error::Result<()> {
        let latent = latent()?;
        let logits = latent.logits(&latent.hidden_sums(&batch()?.images)?)?;
        let scores = (logits * f64::from(SHAPE.fraction_bits).exp2())?.to_vec2::<f32>()?;
        let network = latent.integers()?;
        for (image, scores) in images().iter().zip(scores) {
            let expected: Vec<f32> = network.scores_of(image).iter().map(|&score| score as f32).collect();
            assert_eq!(scores, expected);
        }
        Ok(())
    }

    #[test]
    fn the_step_back_by_hand_is_the_automatic_one() -> Result<()> {
        let (latent, batch) = (latent()?, batch()?);
        let (_, by_hand) = latent.step(&batch)?;

        let weights = sign(&latent.hidden_weights, 1.0)?;
        let centre = weights.matmul(&latent.mean)?.squeeze(D::Minus1)?;
        let biases = round(&((&*latent.hidden_biases * UNIT)? - centre)?, BIAS_LIMIT)?;
        let sums = batch.images.matmul(&weights.t()?)?.broadcast_add(&(biases + 0.5)?)?;
        let loss = cross_entropy(&latent.logits(&(sums + &batch.noise)?)?, &batch.labels)?;
        let automatic = loss.backward()?;

        for variable in latent.variables() {
            let [ours, theirs] = [&by_hand, &automatic].map(|gradients| gradients.get(&variable));
            let (ours, theirs) = (ours.expect("a gradient"), theirs.expect("a gradient"));
            let scale = theirs.abs()?.max_all()?.to_scalar::<f32>()?;
            let error = (ours - theirs)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(scale > 0.0 && error <= 1e-5 * scale, "error {error} of {scale}");
        }
        Ok(())
    }

    #[test]
    fn bars_are_learnt_the_same_whatever_the_threads() {
        let shape = Shape { hidden: 20, ..SHAPE };
        assert_learns(|randomness| Latent::new(shape, &Digits::bars(500), randomness).expect("bars"));
    }

    #[test]
    fn a_batch_too_large_is_refused() -> Result<()> {
        assert_refuses_too_large_a_batch(&latent()?);
        Ok(())
    }
}
