//! The convolutional networks: three filters of 5 by 5, rectified and pooled, then scores. Their integer meaning and
//! the real numbers behind it.
//!
//! ```text
//! y = pooled(floor(g a d / 2^shift) + b)        crate::convolution, 432 values
//! s_m = floor(sum_i v_mi y_i / 2^shift) + c_m   crate::dense
//! label = the first m with the largest s_m
//! ```
//!
//! [`binarized`] has filters of signs on an image of signs, each window scaled; it rectifies its scores, too.
//! [`hybrid`] has filters of small integers on an image of few grey levels.

pub(crate) mod binarized;
pub(crate) mod hybrid;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use candle_nn::loss::cross_entropy;
use rand::RngExt;
use rayon::prelude::*;

use crate::convolution::{Convolution, FILTERS, Image, POOLED, Pooled, TAPS};
use crate::dense::{Dense, first_largest};
use crate::error::Result;
use crate::grid::Grid;
use crate::latent_dense::{Form, LatentDense};
use crate::mnist::{CLASSES, Digits};
use crate::pixels::{sign_and_scale, upper_bits};
use crate::randomness::{Purpose, Randomness};
use crate::training::{self, Batch, Network};

/// Latent filter weights start uniform within this distance of zero; 1 stands for the largest weight.
const INITIAL_FILTER_WEIGHT: f32 = 0.5;
/// Latent score weights start uniform within this distance of zero.
const INITIAL_SCORE_WEIGHT: f32 = 0.1;

/// Which of the two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Encoding "sign-and-scale", rectified scores.
    Binarized,
    /// Encoding "grey" of this many bits.
    Hybrid { bits: u32 },
}

impl Kind {
    /// The encoded image.
    fn image(self, grey: &[u8]) -> Image {
        match self {
            Self::Binarized => sign_and_scale(grey),
            Self::Hybrid { bits } => upper_bits(grey, bits),
        }
    }
}

/// The integers of a trained network.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cnn {
    kind: Kind,
    convolution: Convolution,
    scores: Dense,
}

impl Cnn {
    /// The scores of the values after pooling.
    fn scores(&self, pooled: &Pooled) -> Vec<i64> {
        let mut scores = self.scores.of(&pooled.values);
        if self.kind == Kind::Binarized {
            scores.iter_mut().for_each(|score| *score = (*score).max(0));
        }
        scores
    }

    /// The ranges of its values on `digits`.
    fn ranges(&self, digits: &Digits) -> Ranges {
        let of = |index| {
            let pooled = self.convolution.pooled(&self.kind.image(digits.image(index)));
            let scores = self.scores.of(&pooled.values);
            Ranges {
                pooled: pooled.values.into_iter().max().unwrap_or_default(),
                score: scores.iter().map(|score| score.abs()).max().unwrap_or_default(),
                winning: scores.into_iter().max().unwrap_or_default(),
            }
        };
        let none = || Ranges { pooled: 0, score: 0, winning: i64::MAX };
        (0..digits.len()).into_par_iter().map(of).reduce(none, |one, other| Ranges {
            pooled: one.pooled.max(other.pooled),
            score: one.score.max(other.score),
            winning: one.winning.min(other.winning),
        })
    }
}

impl Network for Cnn {
    fn label(&self, grey: &[u8]) -> u8 {
        first_largest(self.scores(&self.convolution.pooled(&self.kind.image(grey))))
    }
}

/// How large values get on a set of images.
#[derive(Clone, Copy, Debug)]
struct Ranges {
    /// The largest value after pooling.
    pooled: i32,
    /// The largest magnitude of a score, before it is rectified.
    score: i64,
    /// The smallest score that is the largest of its image.
    winning: i64,
}

/// The network, its integers and how the real numbers stand for them.
#[derive(Clone, Debug)]
struct Shape {
    kind: Kind,
    /// What filter weights may be.
    filters: Grid,
    /// Every filter's scale.
    scale: i32,
    /// Bits dropped from a filter's product.
    shift: u32,
    /// Integer units to one unit of a filter's latent bias.
    bias_unit: f32,
    /// Least and largest bias of a filter.
    bias_range: [f32; 2],
    /// The last layer.
    scores: Form,
    /// Loss to a unit of the score weights' magnitudes.
    sparsity: f64,
    /// What the scores' latent biases start at.
    initial_score_bias: f32,
    /// Logits are scores divided by two to this power.
    fraction_bits: u32,
}

/// The latent numbers.
struct Latent {
    shape: Shape,
    /// `[FILTERS * TAPS]`; 1 stands for the largest weight.
    filters: Var,
    /// `[FILTERS]`
    biases: Var,
    scores: LatentDense,
}

impl Latent {
    /// Random latent numbers.
    fn new(shape: Shape, randomness: Randomness) -> Result<Self> {
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
    fn logits(&self, pooled: &Tensor) -> Result<Tensor> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Strength;
    use crate::training::Latent as _;
    use crate::training::tests::assert_learns;

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
            let logits =
                latent.logits(&Tensor::new(&[values], &Device::Cpu)?)?.squeeze(0)?.to_vec1::<f32>()?;
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
        assert_computes_its_integers(&Latent::new(binarized::tests::shape(), Randomness::new(5))?)
    }

    #[test]
    fn the_hybrid_integers_compute_what_training_computes() -> Result<()> {
        assert_computes_its_integers(&Latent::new(hybrid::tests::shape(), Randomness::new(5))?)
    }

    #[test]
    fn the_gradient_is_the_losses_difference_quotient() -> Result<()> {
        // Biases this large keep every value positive, so that the loss is smooth in them.
        let shape = Shape { bias_range: [0.0, 1e6], ..binarized::tests::shape() };
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
        for shape in [binarized::tests::shape(), hybrid::tests::shape()] {
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
        let network = Latent::new(hybrid::tests::shape(), Randomness::new(5))?.integers()?;
        let digits = Digits::bars(30);
        let ranges = network.ranges(&digits);
        let scores: Vec<Vec<i64>> = (0..30)
            .map(|index| {
                network.scores(&network.convolution.pooled(&network.kind.image(digits.image(index))))
            })
            .collect();
        assert_eq!(Some(ranges.score), scores.iter().flatten().map(|score| score.abs()).max());
        assert_eq!(
            Some(ranges.winning),
            scores.iter().map(|scores| scores.iter().copied().max()).min().flatten()
        );
        Ok(())
    }
}
