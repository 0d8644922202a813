//! The subcommand that trains the binarized perceptron, measures it and writes its folder.

use clap::{Args, value_parser};

use crate::binarized_perceptron::integer::Perceptron;
use crate::binarized_perceptron::latent::{BIAS_LIMIT, Latent, Shape};
use crate::card::Description;
use crate::error::Result;
use crate::export::{self, Export};
use crate::measurement::Measurement;
use crate::mnist::{CLASSES, PIXELS, SIDE};
use crate::model::{COMMENTS, Input, Layer, Model};
use crate::pixels::{most_active, with_head_room};
use crate::run::Run;
use crate::tensor::Tensor;

/// The network's name, and its folder's.
const NAME: &str = "binarized-perceptron";
/// Standard deviations measured at, in units of the hidden sum: what encryption is expected to add, and twice that.
const NOISES: [(&str, f32); 2] = [("1.0", 1.0), ("2.0", 2.0)];

/// Train the binarized perceptron on MNIST.
///
/// The defaults are the recipe of the network that ships.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    run: Run,
    /// Hidden neurons.
    #[arg(long, default_value_t = 384, value_parser = value_parser!(u16).range(1..))]
    hidden: u16,
    /// Largest magnitude of a score weight.
    #[arg(long, default_value_t = 7, value_parser = value_parser!(i8).range(1..))]
    score_weight_limit: i8,
    /// Logits are scores divided by two to this power.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u8).range(..16))]
    fraction_bits: u8,
    /// Grey value from which a pixel is 1.
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u8).range(1..))]
    threshold: u8,
    /// Standard deviation of the noise on hidden sums in training.
    #[arg(long, default_value_t = 1.2)]
    noise: f32,
    /// Half-width of the hidden sign's straight-through window.
    #[arg(long, default_value_t = 8.0)]
    window: f32,
}

impl Arguments {
    fn shape(&self) -> Shape {
        Shape {
            threshold: self.threshold,
            hidden: self.hidden.into(),
            score_weight_limit: self.score_weight_limit.into(),
            fraction_bits: self.fraction_bits.into(),
            noise: self.noise,
            window: self.window,
        }
    }
}

/// Trains, measures on the validation images and, with `--out`, on the test images, and writes the folder.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let (run, shape) = (&arguments.run, arguments.shape());
    let randomness = run.randomness();
    let digits = run.training_digits()?;
    let most_active = most_active(&digits, shape.threshold);
    let outcome = run.train(digits, |digits| Latent::new(shape, digits, randomness))?;
    let (bias, seconds) = (outcome.network.largest_hidden_bias(), outcome.time.as_secs());
    let report = format!("largest hidden bias {bias}, trained in {seconds} s");
    let export = export(&outcome.network, shape, most_active);
    let measure = |network: &_, digits: &_| Measurement::noisy(network, digits, &NOISES, randomness);
    export::finish(run, &outcome, measure, &report, &export)
}

/// What the folder says of the network. `most_active` is the most set pixels in a training image.
fn export(network: &Perceptron, shape: Shape, most_active: u32) -> Export {
    let Shape { score_weight_limit, noise, window, .. } = shape;
    Export {
        model: model(network, shape, most_active),
        description: Description {
            architecture: architecture(network, shape, most_active),
            method: METHOD,
            window: format!(" (window {window})"),
            details: format!(
                "Noise
of standard deviation {noise} is added to every hidden sum. Limits: |b| <= {BIAS_LIMIT}, |v| <= {score_weight_limit}."
            ),
        },
    }
}

/// The card's first section. `most_active` is the most set pixels in a training image.
fn architecture(network: &Perceptron, shape: Shape, most_active: u32) -> String {
    let Shape { threshold, hidden, fraction_bits, .. } = shape;
    let max_active = with_head_room(most_active);
    let (largest_bias, largest_weight) = (network.largest_hidden_bias(), network.largest_score_weight());
    let pixel = format!("x_i = 1 where the grey value is at least {threshold}, else 0");
    let score = format!("s_m = (sum_j v_mj h_j + c_m) / 2^{fraction_bits}");
    format!(
        "A perceptron that tells handwritten digits apart. Its hidden layer is binarized, so that an encrypted
evaluation costs one bootstrap per hidden neuron and nothing else.

```text
{pixel:<54} {PIXELS} pixels, {SIDE} x {SIDE}, bright on black
h_j = sign(sum_i w_ji x_i + b_j + 1/2)                 {hidden} hidden neurons; w in {{-1, +1}}, |b| <= {largest_bias}
{score:<54} {CLASSES} scores; v, c integers, |v| <= {largest_weight}
label = the first m with the largest s_m
```

The half prevents ties. A client accepts at most {max_active} set pixels: the most in a training image is
{most_active}, and 15 % are a margin. `manifest.toml` describes the layers, `weights.safetensors` holds w, b, v and c.
"
    )
}

/// How the accuracies on the card were measured.
const METHOD: &str = "\
The first row is the accuracy of the integer meaning, which is the network in exact integers, without encryption.
Encrypted evaluation adds Gaussian noise to every hidden sum. The lower rows add such noise in the clear. Its standard
deviation is in units of the sum.
";

/// The input, the layers and their integers. `most_active` is the most set pixels in a training image.
fn model(network: &Perceptron, shape: Shape, most_active: u32) -> Model {
    let Shape { threshold, hidden, fraction_bits, .. } = shape;
    let hidden_weights = Tensor::weights(&[("outputs", hidden), ("inputs", PIXELS)], &network.hidden_weights);
    let score_weights = Tensor::weights(&[("outputs", CLASSES), ("inputs", hidden)], &network.score_weights);
    let kind = r#"kind = "binary-dense"           # h = sign(W x + b + 1/2), W in {-1,+1}"#;
    Model {
        name: NAME,
        description: format!(
            "Handwritten digits: one hidden layer of {hidden} signs with weights +1 and -1, then integer scores"
        ),
        input: Input::Threshold { threshold, max_active: with_head_room(most_active) },
        layers: vec![
            Layer::dense("hidden", kind, "", hidden_weights, &network.hidden_biases),
            Layer::scores('h', fraction_bits, score_weights, &network.score_biases, COMMENTS),
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

    #[test]
    fn the_folder_is_the_same_byte_for_byte() {
        let network = Perceptron {
            threshold: 100,
            hidden_weights: (0..2 * PIXELS).map(|at| if at % 3 == 0 { -1 } else { 1 }).collect(),
            hidden_biases: vec![5, -64],
            score_weights: (-10..10).collect(),
            score_biases: (-5..5).collect(),
        };
        let settings = ["--hidden", "2", "--threshold", "100", "--fraction-bits", "12"];
        let arguments: Arguments = arguments(&settings);
        let export = export(&network, arguments.shape(), 300);
        assert_sums(
            &export,
            &arguments.run,
            &["1.0", "2.0"],
            [
                "6b139965a09c8f0135154470225dbd0f36634ae1cda91595b6e74cd419900e4f",
                "597e2a2d75312339cea5f21df3395aea71eafb0128c7284eb2383322e4ab001a",
                "920000a9f7fd40b33ad78b76423699a682b4315e30aee334f1c468ac01914323",
            ],
        );
    }

    #[test]
    fn the_manifest_says_the_shapes() {
        let network = Perceptron {
            threshold: 128,
            hidden_weights: vec![1; 2 * PIXELS],
            hidden_biases: vec![5, -64],
            score_weights: (-10..10).collect(),
            score_biases: (-5..5).collect(),
        };
        let shape = Shape {
            threshold: 128,
            hidden: 2,
            score_weight_limit: 10,
            fraction_bits: 3,
            noise: 1.0,
            window: 8.0,
        };
        let model = model(&network, shape, 300);
        let manifest = model.parsed();
        assert_eq!(manifest["input"]["threshold"].as_integer(), Some(128));
        assert_eq!(manifest["input"]["max_active"].as_integer(), Some(345));
        assert_eq!(manifest["layers"][0]["outputs"].as_integer(), Some(2));
        assert_eq!(manifest["layers"][1]["inputs"].as_integer(), Some(2));
        assert_eq!(manifest["layers"][1]["fraction_bits"].as_integer(), Some(3));
        assert_eq!(model.tensor("hidden.weights"), (Dtype::I8, vec![2, PIXELS]));
        assert_eq!(model.tensor("scores.biases"), (Dtype::I32, vec![CLASSES]));
    }
}
