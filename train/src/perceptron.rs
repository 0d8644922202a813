//! The perceptron with a rectified hidden layer of small integers: its integer meaning, its training and the
//! subcommand that ships it.
//!
//! ```text
//! h_j = max(0, floor(sum_i w_ji x_i / 2^shift) + b_j)
//! s_m = sum_j v_mj h_j + c_m
//! label = the first m with the largest s_m
//! ```

use candle_core::Var;
use candle_core::backprop::GradStore;
use candle_nn::loss::cross_entropy;
use clap::{Args, value_parser};
use rayon::prelude::*;

use crate::card::{Description, EXACT};
use crate::dense::{Dense, first_largest};
use crate::error::Result;
use crate::export::{self, Export};
use crate::grid::Grid;
use crate::latent_dense::{Form, LatentDense};
use crate::measurement::Measurement;
use crate::mnist::{CLASSES, Digits, PIXELS, SIDE};
use crate::model::{COMMENTS, Input, Layer, Model};
use crate::pixels::{binarize, mean, most_active, with_head_room};
use crate::randomness::{Purpose, Randomness};
use crate::run::Run;
use crate::tensor::Tensor;
use crate::training::{self, Batch, Network};

/// The network's name, and its folder's.
const NAME: &str = "perceptron";
/// Largest magnitude of a bias.
const BIAS_LIMIT: i32 = 255;
/// Integer units to one unit of a latent bias.
const BIAS_UNIT: f64 = 16.0;
/// Steps to one unit of a latent score weight, as multiples of the largest weight.
const SCORE_UNIT: f64 = 2.0;

/// Train the perceptron with a rectified hidden layer on MNIST.
///
/// The card of the network that ships has its command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    run: Run,
    /// Hidden neurons.
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u16).range(1..))]
    hidden: u16,
    /// Largest magnitude of a hidden weight.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u8).range(1..128))]
    hidden_weight_limit: u8,
    /// Nonzero signed digits of a hidden weight, at most.
    #[arg(long, default_value_t = 1)]
    hidden_digits: u32,
    /// Bits dropped from a hidden sum.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u8).range(..8))]
    shift: u8,
    /// Largest magnitude of a score weight.
    #[arg(long, default_value_t = 7, value_parser = value_parser!(u8).range(1..128))]
    score_weight_limit: u8,
    /// Nonzero signed digits of a score weight, at most.
    #[arg(long, default_value_t = 2)]
    score_digits: u32,
    /// What the loss charges for the sum of the latent weights' magnitudes.
    #[arg(long, default_value_t = 3e-5)]
    sparsity: f64,
    /// Logits are scores divided by two to this power.
    #[arg(long, default_value_t = 6, value_parser = value_parser!(u8).range(..16))]
    fraction_bits: u8,
    /// Grey value from which a pixel is 1.
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u8).range(1..))]
    threshold: u8,
}

/// The integers of a trained network.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Perceptron {
    threshold: u8,
    hidden: Dense,
    scores: Dense,
}

impl Perceptron {
    /// The hidden values of `grey`, rectified.
    fn hidden(&self, grey: &[u8]) -> Vec<i32> {
        let image = binarize(grey, self.threshold).map(i32::from);
        // Exact: a sum of 784 bytes and a bias of ten bits.
        self.hidden.of(&image).into_iter().map(|value| value.max(0) as i32).collect()
    }

    /// The largest hidden value of any image.
    fn largest_hidden(&self, digits: &Digits) -> i32 {
        let largest = |index| self.hidden(digits.image(index)).into_iter().max().unwrap_or_default();
        (0..digits.len()).into_par_iter().map(largest).max().unwrap_or_default()
    }
}

impl Network for Perceptron {
    fn label(&self, grey: &[u8]) -> u8 {
        first_largest(self.scores.of(&self.hidden(grey)))
    }
}

/// The real numbers behind the integers.
struct Latent {
    threshold: u8,
    /// Loss to a unit of the weights' magnitudes.
    sparsity: f64,
    fraction_bits: u32,
    hidden: LatentDense,
    scores: LatentDense,
}

impl Latent {
    /// Random latent numbers, for training on `digits`.
    fn new(arguments: &Arguments, digits: &Digits, randomness: Randomness) -> Result<Self> {
        let generator = &mut randomness.stream(Purpose::Initialisation, 0, 0);
        let hidden = Form {
            grid: Grid::new(arguments.hidden_weight_limit, arguments.hidden_digits),
            step: 1,
            shift: arguments.shift.into(),
            unit: arguments.hidden_weight_limit.into(),
            bias_unit: BIAS_UNIT,
            bias_limit: BIAS_LIMIT,
        };
        let scores = Form {
            grid: Grid::new(arguments.score_weight_limit, arguments.score_digits),
            shift: 0,
            unit: SCORE_UNIT * f64::from(arguments.score_weight_limit),
            ..hidden.clone()
        };
        let (mean, width) = (mean(digits, arguments.threshold), usize::from(arguments.hidden));
        Ok(Self {
            threshold: arguments.threshold,
            sparsity: arguments.sparsity,
            fraction_bits: arguments.fraction_bits.into(),
            hidden: LatentDense::new(hidden, &mean, width, 0.3, 0.0, generator)?,
            scores: LatentDense::new(scores, &vec![0.0; width], CLASSES, 0.15, 0.0, generator)?,
        })
    }
}

impl training::Latent for Latent {
    type Network = Perceptron;

    fn variables(&self) -> Vec<Var> {
        [self.hidden.variables(), self.scores.variables()].concat()
    }

    fn loss(&self, batch: &Batch) -> Result<(f32, GradStore)> {
        let images = batch.encoded(|grey| binarize(grey, self.threshold))?;
        let scores = self.scores.of(&self.hidden.of(&images)?.relu()?)?;
        let loss = cross_entropy(&(scores * f64::from(self.fraction_bits).exp2().recip())?, &batch.labels)?;
        let penalty = ((self.hidden.magnitude()? + self.scores.magnitude()?)? * self.sparsity)?;
        Ok((loss.to_scalar()?, (&loss + penalty)?.backward()?))
    }

    fn clip(&self) -> Result<()> {
        self.hidden.clip()?;
        Ok(self.scores.clip()?)
    }

    fn integers(&self) -> Result<Perceptron> {
        let (hidden, scores) = (self.hidden.integers()?, self.scores.integers()?);
        Ok(Perceptron { threshold: self.threshold, hidden, scores })
    }
}

/// Trains, measures on the validation images and, with `--out`, on the test images, and writes the folder.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let run = &arguments.run;
    let outcome =
        run.train(run.training_digits()?, |digits| Latent::new(arguments, digits, run.randomness()))?;
    let (network, digits) = (&outcome.network, run.training_digits()?);
    let (most_active, largest_hidden) =
        (most_active(&digits, network.threshold), network.largest_hidden(&digits));
    let [hidden_digits, score_digits] = [&network.hidden, &network.scores].map(Dense::signed_digits);
    let report = format!(
        "signed digits: hidden {hidden_digits}, scores {score_digits}; largest hidden value {largest_hidden}"
    );
    let export = export(network, arguments, most_active, largest_hidden);
    export::finish(run, &outcome, Measurement::exact, &report, &export)
}

/// What the folder says of the network: of the training images, `most_active` is the most set pixels and
/// `largest_hidden` the largest hidden value.
fn export(network: &Perceptron, arguments: &Arguments, most_active: u32, largest_hidden: i32) -> Export {
    Export {
        model: model(network, arguments.fraction_bits, most_active),
        description: Description {
            architecture: architecture(network, arguments.fraction_bits, most_active, largest_hidden),
            method: EXACT,
            window: String::new(),
            details: format!(
                "The loss
charges {} for the sum of the latent weights' magnitudes. Limits: |w| <= {}, |v| <= {}, |b|, |c| <= {BIAS_LIMIT}.",
                arguments.sparsity, arguments.hidden_weight_limit, arguments.score_weight_limit
            ),
        },
    }
}

/// The card's first section: of the training images, `most_active` is the most set pixels and `largest_hidden` the
/// largest hidden value.
fn architecture(network: &Perceptron, fraction_bits: u8, most_active: u32, largest_hidden: i32) -> String {
    let Perceptron { threshold, hidden, scores } = network;
    let max_active = with_head_room(most_active);
    let [hidden_digits, score_digits] = [hidden, scores].map(Dense::signed_digits);
    let pixel = format!("x_i = 1 where the grey value is at least {threshold}, else 0");
    let value = format!("h_j = max(0, floor(sum_i w_ji x_i / 2^{}) + b_j)", hidden.shift);
    let score = format!("s_m = (sum_j v_mj h_j + c_m) / 2^{fraction_bits}");
    let (neurons, hidden_weight) = (hidden.outputs(), hidden.largest_weight());
    let score_weight = scores.largest_weight();
    format!(
        "A perceptron that tells handwritten digits apart. Its weights are small integers and its hidden layer is
rectified.

```text
{pixel:<54} {PIXELS} pixels, {SIDE} x {SIDE}, bright on black
{value:<54} {neurons} hidden neurons; w, b integers, |w| <= {hidden_weight}
{score:<54} {CLASSES} scores; v, c integers, |v| <= {score_weight}
label = the first m with the largest s_m
```

A client accepts at most {max_active} set pixels: the most in a training image is {most_active}, and 15 % are a margin. The
largest hidden value of a training image is {largest_hidden}. The weights' canonical signed digit forms have {hidden_digits} (w) and
{score_digits} (v) nonzero digits. `manifest.toml` describes the layers, `weights.safetensors` holds w, b, v and c.
"
    )
}

/// The input, the layers and their integers. `most_active` is the most set pixels in a training image.
fn model(network: &Perceptron, fraction_bits: u8, most_active: u32) -> Model {
    let Perceptron { threshold, hidden, scores } = network;
    let neurons = hidden.outputs();
    let hidden_weights = Tensor::weights(&[("outputs", neurons), ("inputs", PIXELS)], &hidden.weights);
    let score_weights = Tensor::weights(&[("outputs", CLASSES), ("inputs", neurons)], &scores.weights);
    let kind = r#"kind = "dense"                  # floor(W x / 2^shift) + b"#;
    let settings = format!("shift = {}\n", hidden.shift);
    Model {
        name: NAME,
        description: format!(
            "Handwritten digits: {neurons} rectified hidden values of small integers, then integer scores"
        ),
        input: Input::Threshold { threshold: *threshold, max_active: with_head_room(most_active) },
        layers: vec![
            Layer::dense("hidden", kind, &settings, hidden_weights, &hidden.biases),
            Layer::rectifier("rectified"),
            Layer::scores('h', fraction_bits.into(), score_weights, &scores.biases, COMMENTS),
        ],
        comments: COMMENTS,
    }
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;

    use super::*;
    use crate::export::tests::assert_sums;
    use crate::run::tests::arguments;
    use crate::training::tests::assert_learns;

    #[test]
    fn bars_are_learnt_the_same_whatever_the_threads() {
        let arguments: Arguments = arguments(&["--hidden", "20"]);
        assert_learns(|randomness| Latent::new(&arguments, &Digits::bars(500), randomness).expect("bars"));
    }

    #[test]
    fn the_manifest_says_the_shapes() {
        let network = Perceptron {
            threshold: 100,
            hidden: Dense { weights: vec![-3; 2 * PIXELS], biases: vec![5, -64], shift: 2 },
            scores: Dense { weights: vec![1; 20], biases: vec![0; 10], shift: 0 },
        };
        let model = model(&network, 4, 300);
        let manifest = model.parsed();
        assert_eq!(manifest["input"]["threshold"].as_integer(), Some(100));
        assert_eq!(manifest["input"]["max_active"].as_integer(), Some(345));
        assert_eq!(manifest["layers"][0]["outputs"].as_integer(), Some(2));
        assert_eq!(manifest["layers"][0]["shift"].as_integer(), Some(2));
        assert_eq!(manifest["layers"][2]["inputs"].as_integer(), Some(2));
        assert_eq!(manifest["layers"][2]["fraction_bits"].as_integer(), Some(4));
        assert_eq!(model.tensor("hidden.weights"), (Dtype::I8, vec![2, PIXELS]));
        assert_eq!(model.tensor("scores.biases"), (Dtype::I32, vec![CLASSES]));
    }

    #[test]
    fn the_folder_is_the_same_byte_for_byte() {
        let hidden = Dense {
            weights: (0..3 * PIXELS as i32).map(|at| at % 7 - 3).collect(),
            biases: vec![5, -64, 0],
            shift: 2,
        };
        let scores = Dense { weights: (-15..15).collect(), biases: (-5..5).collect(), shift: 0 };
        let network = Perceptron { threshold: 100, hidden, scores };
        let arguments: Arguments = arguments(&["--hidden", "20"]);
        let export = export(&network, &arguments, 300, 57);
        assert_sums(
            &export,
            &arguments.run,
            &[],
            [
                "ebabc3acaea0170b54a7d52c2d7844d7575cf7c6403f9698c76504c0b6efde84",
                "a1536076dc42ddec2c9455ade209f7c3ff1a3014a0a8244168108509041041f5",
                "8c57604a82b7e4786e21c554dca128e9b0b7c962765283eaf3e595fcfa547c92",
            ],
        );
    }

    #[test]
    fn hidden_values_are_floored_and_rectified() {
        let mut weights = vec![1; 3 * PIXELS];
        weights[PIXELS..].fill(-1);
        let hidden = Dense { weights, biases: vec![0, 0, 4], shift: 1 };
        let scores = Dense { weights: vec![0; 30], biases: vec![0; 10], shift: 0 };
        let network = Perceptron { threshold: 128, hidden, scores };
        let grey: Vec<u8> = (0..PIXELS).map(|pixel| if pixel < 5 { 255 } else { 0 }).collect();
        assert_eq!(network.hidden(&grey), [2, 0, 1]);
    }
}
