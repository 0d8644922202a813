//! The real numbers behind the network's integers: what training moves.
//!
//! A convolution is a [`LatentDense`] on the rows of windows ([`crate::sign_cnn::windows`]), and what follows it is a sign:
//!
//! ```text
//! y = w x + b                                   for every window, straight-through gradients to w and b
//! h = sign(y + noise)                           noise of standard deviation `noise` * B
//! ```
//!
//! `B` is the largest magnitude that a sum of the layer can have with the weights of the moment, the unit in which
//! encrypted evaluation adds its noise; the gradient passes through the sign where `|y| <= window * B`.
//!
//! Latent biases are relative to the filters' sums over a centre: for the first layer the mean window of the training
//! images, for the others the mean signs of each channel, averaged over the last hundred steps or so. That is the half
//! of batch normalisation that a sign does not undo; the centres are constants of the forward pass, and what ships is
//! computed with the same ones.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::loss::cross_entropy;

use crate::dense::Dense;
use crate::error;
use crate::grid::Grid;
use crate::latent_dense::{Form, LatentDense};
use crate::mnist::{CLASSES, Digits, PIXELS};
use crate::pixels::grey;
use crate::randomness::{Purpose, Randomness};
use crate::sign_cnn::integer::{Convolution, SignCnn};
use crate::sign_cnn::windows::Geometry;
use crate::straight_through::sign;
use crate::training::{self, Batch};

/// Largest magnitude of a convolution's bias.
pub(crate) const BIAS_LIMIT: i32 = 1023;
/// Largest magnitude of a score bias.
pub(crate) const SCORE_BIAS_LIMIT: i32 = 4095;
/// Latent filter weights start uniform within this distance of zero; 1 stands for the largest weight.
const INITIAL_FILTER_WEIGHT: f32 = 0.5;
/// Latent score weights start uniform within this distance of zero.
const INITIAL_SCORE_WEIGHT: f32 = 0.1;
/// Share of the way that a step moves a centre towards the mean of its batch.
const CENTRE_SHARE: f64 = 0.01;

/// A convolution's shape and what its weights may be.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) geometry: Geometry,
    pub(crate) filters: usize,
    pub(crate) grid: Grid,
    /// Least and largest value it reads.
    pub(crate) range: [i32; 2],
}

/// The network, its integers and how they are trained.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Bits of a pixel.
    pub(crate) bits: u32,
    pub(crate) layers: Vec<Layer>,
    /// What score weights may be.
    pub(crate) scores: Grid,
    /// Logits are scores divided by two to this power.
    pub(crate) fraction_bits: u32,
    /// Standard deviation of the noise on sums in training, as a share of the largest possible sum.
    pub(crate) noise: f32,
    /// Half-width of the sign's straight-through window, as a share of the largest possible sum.
    pub(crate) window: f32,
}

impl Layer {
    /// Signs taken of its sums.
    fn signs(&self) -> usize {
        self.filters * self.geometry.positions()
    }

    /// How the real numbers stand for its integers.
    fn form(&self) -> Form {
        let largest = f64::from(self.grid.largest());
        let [low, high] = self.range;
        // About the spread of a sum over pictures, so that weights and biases learn equally fast.
        let spread = f64::from(high - low) / 4.0 * largest * (self.geometry.taps() as f64).sqrt();
        Form {
            grid: self.grid.clone(),
            step: 1,
            shift: 0,
            unit: largest,
            bias_unit: spread,
            bias_limit: BIAS_LIMIT,
        }
    }

    /// The layer of these integers, whose weights are `[filters, (row, column, channel)]`.
    fn convolution(&self, integers: &Dense) -> Convolution {
        let filters = integers.weights.chunks_exact(self.geometry.taps());
        let narrow = |weight| i16::try_from(weight).expect("a grid of at most 127");
        Convolution {
            geometry: self.geometry,
            range: self.range,
            weights: filters
                .flat_map(|filter| self.geometry.channels_first().map(|tap| narrow(filter[tap])))
                .collect(),
            biases: integers.biases.clone(),
        }
    }
}

/// The latent numbers.
pub(crate) struct Latent {
    shape: Shape,
    convolutions: Vec<LatentDense>,
    scores: LatentDense,
}

impl Latent {
    /// Random latent numbers, for training on `digits`.
    pub(crate) fn new(shape: Shape, digits: &Digits, randomness: Randomness) -> error::Result<Self> {
        let mut sums = [0_u64; PIXELS];
        for (image, _) in digits.iter() {
            let pixels = grey(image, shape.bits);
            sums.iter_mut().zip(pixels).for_each(|(sum, pixel)| *sum += u64::from(pixel));
        }
        let mean = sums.map(|sum| (sum as f64 / digits.len() as f64) as f32);
        Ok(Self::with_mean(shape, &mean, randomness)?)
    }

    /// Random latent numbers. `mean` is the mean encoded image, `[784]`.
    fn with_mean(shape: Shape, mean: &[f32], randomness: Randomness) -> Result<Self> {
        let generator = &mut randomness.stream(Purpose::Initialisation, 0, 0);
        let mut convolutions = Vec::new();
        for (index, layer) in shape.layers.iter().enumerate() {
            let centre = if index == 0 {
                let mean = Tensor::new(mean, &Device::Cpu)?.unsqueeze(0)?;
                layer.geometry.rows(&mean)?.mean(0)?.to_vec1()?
            } else {
                vec![0.0; layer.geometry.taps()]
            };
            let (form, bound) = (layer.form(), INITIAL_FILTER_WEIGHT);
            convolutions.push(LatentDense::new(form, &centre, layer.filters, bound, 0.0, generator)?);
        }
        let form = Form {
            grid: shape.scores.clone(),
            step: 1,
            shift: 0,
            unit: 2.0 * f64::from(shape.scores.largest()),
            bias_unit: f64::from(shape.fraction_bits).exp2(),
            bias_limit: SCORE_BIAS_LIMIT,
        };
        let inputs = shape.layers.last().map_or(PIXELS, Layer::signs);
        let scores =
            LatentDense::new(form, &vec![0.0; inputs], CLASSES, INITIAL_SCORE_WEIGHT, 0.0, generator)?;
        Ok(Self { shape, convolutions, scores })
    }

    /// The signs of each convolution, `[batch, signs]`, and the logits, `[batch, 10]`, of encoded images `[batch, 784]`;
    /// `noise`, `[batch, signs of all]`, is standard normal.
    fn signs_and_logits(&self, images: &Tensor, noise: &Tensor) -> Result<(Vec<Tensor>, Tensor)> {
        let Shape { layers, fraction_bits, window, .. } = &self.shape;
        let (batch, mut values, mut before) = (images.dim(0)?, images.clone(), 0);
        let mut signs = Vec::new();
        for (layer, latent) in layers.iter().zip(&self.convolutions) {
            let bound = layer.convolution(&latent.integers()?).bound();
            let sums = latent.of(&layer.geometry.rows(&values)?)?.reshape((batch, layer.signs()))?;
            let noise = noise.narrow(1, before, layer.signs())?;
            let deviation = f64::from(self.shape.noise * bound);
            values = sign(&(sums + (noise * deviation)?)?, window * bound)?;
            before += layer.signs();
            signs.push(values.clone());
        }
        let logits = (self.scores.of(&values)? * f64::from(*fraction_bits).exp2().recip())?;
        Ok((signs, logits))
    }

    /// Moves the centres of all convolutions but the first towards the mean `signs` of each channel before them.
    fn recentre(&self, signs: &[Tensor]) -> Result<()> {
        let later = self.shape.layers.iter().zip(&self.convolutions).skip(1);
        for ((layer, latent), signs) in later.zip(signs) {
            let channels = layer.geometry.channels;
            let count = signs.elem_count() / channels;
            // A product with ones is a faster sum over rows than `sum`.
            let ones = Tensor::ones((1, count), DType::F32, &Device::Cpu)?;
            let sums = ones.matmul(&signs.detach().reshape((count, channels))?)?.squeeze(0)?;
            let mean = (sums / count as f64)?.repeat(layer.geometry.taps() / channels)?;
            latent.recentre(&mean, CENTRE_SHARE)?;
        }
        Ok(())
    }
}

impl training::Latent for Latent {
    type Network = SignCnn;

    fn variables(&self) -> Vec<Var> {
        self.convolutions.iter().chain([&self.scores]).flat_map(LatentDense::variables).collect()
    }

    fn loss(&self, batch: &Batch) -> error::Result<(f32, GradStore)> {
        let images = batch.encoded(|image| grey(image, self.shape.bits))?;
        let signs = self.shape.layers.iter().map(Layer::signs).sum();
        let (signs, logits) = self.signs_and_logits(&images, &batch.noise(signs, 1.0)?)?;
        let loss = cross_entropy(&logits, &batch.labels)?;
        self.recentre(&signs)?;
        Ok((loss.to_scalar()?, loss.backward()?))
    }

    fn clip(&self) -> error::Result<()> {
        Ok(self.convolutions.iter().chain([&self.scores]).try_for_each(LatentDense::clip)?)
    }

    fn integers(&self) -> error::Result<SignCnn> {
        let mut convolutions = Vec::new();
        for (layer, latent) in self.shape.layers.iter().zip(&self.convolutions) {
            convolutions.push(layer.convolution(&latent.integers()?));
        }
        let mut scores = self.scores.integers()?;
        // From (position, filter) to (filter, position).
        if let Some(Layer { geometry, filters, .. }) = self.shape.layers.last() {
            let signs = Geometry { channels: *filters, size: geometry.across(), ..*geometry };
            let order: Vec<usize> = signs.channels_first().collect();
            let rows = scores.weights.chunks_exact(order.len());
            scores.weights = rows.flat_map(|row| order.iter().map(|&at| row[at])).collect();
        }
        Ok(SignCnn { bits: self.shape.bits, convolutions, scores })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Latent as _;
    use crate::training::tests::{assert_learns, assert_refuses_too_large_a_batch};

    /// A small network of two convolutions.
    fn shape() -> Shape {
        let geometry = Geometry { channels: 1, side: 28, size: 6, stride: 2 };
        let grid = Grid::new(7, u32::MAX);
        let first = Layer { geometry, filters: 3, grid: grid.clone(), range: [0, 7] };
        let geometry = Geometry { channels: 3, side: 12, size: 5, stride: 2 };
        let second = Layer { geometry, filters: 4, grid: grid.clone(), range: [-1, 1] };
        Shape {
            bits: 3,
            layers: vec![first, second],
            scores: grid,
            fraction_bits: 3,
            noise: 0.006,
            window: 0.1,
        }
    }

    /// Latent numbers as training might leave them, biases included.
    fn latent() -> Result<Latent> {
        let mean: [f32; PIXELS] = std::array::from_fn(|pixel| (pixel % 28) as f32 / 10.0);
        let latent = Latent::with_mean(shape(), &mean, Randomness::new(5))?;
        for layer in latent.convolutions.iter().chain([&latent.scores]) {
            let [_, variable] = layer.variables();
            let biases: Vec<f32> = (0..variable.dim(0)?).map(|output| output as f32 / 10.0 - 0.2).collect();
            variable.set(&Tensor::new(biases, &Device::Cpu)?)?;
        }
        Ok(latent)
    }

    fn image(index: usize) -> [u8; PIXELS] {
        std::array::from_fn(|pixel| (pixel * (index + 3) % 31 * 8) as u8)
    }

    #[test]
    fn the_integers_compute_what_training_computes() -> error::Result<()> {
        let latent = latent()?;
        let network = latent.integers()?;
        let signs = network.signs();
        assert_eq!(signs, 3 * 144 + 4 * 16);
        let mut seen = Vec::new();
        for image in (0..10).map(image) {
            let pixels = grey(&image, 3).map(f32::from);
            let none = Tensor::zeros((1, signs), DType::F32, &Device::Cpu)?;
            let logits = latent.signs_and_logits(&Tensor::new(&[pixels], &Device::Cpu)?, &none)?.1;
            let scores = (logits * 8.0)?.squeeze(0)?.to_vec1::<f32>()?;
            let expected: Vec<f32> = network.exact_scores(&image).iter().map(|&score| score as f32).collect();
            assert_eq!(scores, expected);
            seen.push(expected);
        }
        seen.dedup();
        assert!(seen.len() > 5, "images are told apart: {seen:?}");
        Ok(())
    }

    #[test]
    fn noise_and_window_are_shares_of_the_bound() -> error::Result<()> {
        let latent = latent()?;
        let network = latent.integers()?;
        let images = Tensor::new(&[grey(&image(1), 3).map(f32::from)], &Device::Cpu)?;
        let logits = |share: f64| -> error::Result<Vec<f32>> {
            let noise = Tensor::full((share / 0.006) as f32, (1, network.signs()), &Device::Cpu)?;
            Ok(latent.signs_and_logits(&images, &noise)?.1.squeeze(0)?.to_vec1()?)
        };
        // Noise of a whole bound outweighs every sum, and then all signs are those of the noise.
        let row_sums = |way: i32| -> Vec<f32> {
            let Dense { weights, biases, .. } = &network.scores;
            let rows = weights.chunks_exact(64).zip(biases);
            rows.map(|(row, bias)| (way * row.iter().sum::<i32>() + bias) as f32 / 8.0).collect()
        };
        assert_eq!(logits(1.01)?, row_sums(1));
        assert_eq!(logits(-1.01)?, row_sums(-1));
        assert_ne!(logits(0.1)?, row_sums(1));
        Ok(())
    }

    #[test]
    fn bars_are_learnt_the_same_whatever_the_threads() {
        assert_learns(|randomness| Latent::new(shape(), &Digits::bars(500), randomness).expect("bars"));
    }

    #[test]
    fn a_batch_too_large_is_refused() -> Result<()> {
        assert_refuses_too_large_a_batch(&latent()?);
        Ok(())
    }
}
