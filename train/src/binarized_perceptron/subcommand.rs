//! The subcommand that trains the binarized perceptron, measures it and writes its folder.

use std::time::Duration;

use clap::{Args, value_parser};

use crate::binarized_perceptron::integer::Perceptron;
use crate::binarized_perceptron::latent::{BIAS_LIMIT, Latent, Shape};
use crate::card::Card;
use crate::error::Result;
use crate::folder::{self, Contents, Tensor};
use crate::measurement::{self, Measurement};
use crate::mnist::{CLASSES, PIXELS, SIDE};
use crate::pixels::{most_active, with_head_room};
use crate::run::Run;

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
    let validation = Measurement::new(&outcome.network, &outcome.validation, &NOISES, randomness);
    println!("validation: {validation}");
    let (bias, seconds) = (outcome.network.largest_hidden_bias(), outcome.time.as_secs());
    println!("largest hidden bias {bias}, trained in {seconds} s");

    let Some(out) = &run.out else { return Ok(()) };
    let test = Measurement::new(&outcome.network, &run.test_digits()?, &NOISES, randomness);
    println!("test: {test}");
    let card = Card {
        accuracy: accuracy(&validation, &test),
        time: outcome.time,
        ..card(&outcome.network, arguments, most_active)
    };
    folder::write(out, &contents(&outcome.network, shape, most_active), &card.to_string())
}

/// The card, but for what was measured.
fn card<'a>(network: &Perceptron, arguments: &'a Arguments, most_active: u32) -> Card<'a> {
    let shape = arguments.shape();
    let Shape { score_weight_limit, noise, window, .. } = shape;
    Card {
        name: NAME,
        architecture: architecture(network, shape, most_active),
        accuracy: String::new(),
        window: format!(" (window {window})"),
        details: format!(
            "Noise
of standard deviation {noise} is added to every hidden sum. Limits: |b| <= {BIAS_LIMIT}, |v| <= {score_weight_limit}."
        ),
        run: &arguments.run,
        time: Duration::ZERO,
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

The half leaves no ties. A client accepts at most {max_active} set pixels: the most in a training image is
{most_active}, and 15 % is head room. `manifest.toml` describes the layers, `weights.safetensors` holds w, b, v and c.
"
    )
}

/// The card's accuracy section.
fn accuracy(validation: &Measurement, test: &Measurement) -> String {
    format!(
        "## Accuracy

In the integer meaning. Encrypted evaluation adds Gaussian noise to every hidden sum; the lower rows add it in the
clear, with its standard deviation in units of the sum.

{}",
        measurement::table(validation, test)
    )
}

/// Manifest and tensors. `most_active` is the most set pixels in a training image.
fn contents(network: &Perceptron, shape: Shape, most_active: u32) -> Contents {
    let Shape { threshold, hidden, fraction_bits, .. } = shape;
    let max_active = with_head_room(most_active);
    let manifest = format!(
        r#"format = 1
name = "{NAME}"
description = "Handwritten digits: one hidden layer of {hidden} signs with weights +1 and -1, then integer scores"

[input]
width = {SIDE}
height = {SIDE}
encoding = "threshold"          # x = 1 where the grey value is at least `threshold`, else 0
threshold = {threshold}
max_active = {max_active}                # most set pixels the client accepts

[[layers]]
name = "hidden"
kind = "binary-dense"           # h = sign(W x + b + 1/2), W in {{-1,+1}}
inputs = {PIXELS}
outputs = {hidden}
weights = "hidden.weights"      # i8 [outputs, inputs]
biases = "hidden.biases"        # i32 [outputs]

[[layers]]
name = "scores"
kind = "dense"                  # s = (V h + c) / 2^fraction_bits
inputs = {hidden}
outputs = {CLASSES}
fraction_bits = {fraction_bits}               # fixed point of weights and biases
weights = "scores.weights"      # i8 [outputs, inputs]
biases = "scores.biases"        # i32 [outputs]
"#
    );
    let tensors = vec![
        Tensor::bytes("hidden.weights", &[hidden, PIXELS], &network.hidden_weights),
        Tensor::words("hidden.biases", &[hidden], &network.hidden_biases),
        Tensor::bytes("scores.weights", &[CLASSES, hidden], &network.score_weights),
        Tensor::words("scores.biases", &[CLASSES], &network.score_biases),
    ];
    Contents { manifest, tensors }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use safetensors::Dtype;

    use super::*;
    use crate::folder::tests::assert_sums;
    use crate::measurement::tests::measured;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn the_folder_is_the_same_byte_for_byte() {
        let network = Perceptron {
            threshold: 100,
            hidden_weights: (0..2 * PIXELS).map(|at| if at % 3 == 0 { -1 } else { 1 }).collect(),
            hidden_biases: vec![5, -64],
            score_weights: (-10..10).collect(),
            score_biases: (-5..5).collect(),
        };
        let settings = ["train", "--hidden", "2", "--threshold", "100", "--fraction-bits", "12"];
        let arguments = Command::parse_from(settings).arguments;
        let [validation, test] = [0.9, 0.8].map(|plain| measured(plain, &["1.0", "2.0"]));
        let card = Card { accuracy: accuracy(&validation, &test), ..card(&network, &arguments, 300) };
        assert_sums(
            &contents(&network, arguments.shape(), 300),
            &card,
            [
                "6b139965a09c8f0135154470225dbd0f36634ae1cda91595b6e74cd419900e4f",
                "597e2a2d75312339cea5f21df3395aea71eafb0128c7284eb2383322e4ab001a",
                "1368de1c4177170fc5c98cd6b1d848a1e01ac8be900c5140091a26c3cdb6a443",
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
        let contents = contents(&network, shape, 300);
        let manifest = contents.parsed();
        assert_eq!(manifest["input"]["threshold"].as_integer(), Some(128));
        assert_eq!(manifest["input"]["max_active"].as_integer(), Some(345));
        assert_eq!(manifest["layers"][0]["outputs"].as_integer(), Some(2));
        assert_eq!(manifest["layers"][1]["inputs"].as_integer(), Some(2));
        assert_eq!(manifest["layers"][1]["fraction_bits"].as_integer(), Some(3));
        assert_eq!(contents.tensor("hidden.weights"), (Dtype::I8, &[2, PIXELS][..]));
        assert_eq!(contents.tensor("scores.biases"), (Dtype::I32, &[CLASSES][..]));
    }
}
