//! The subcommand that trains the convolutional network of signs, measures it and writes its folder.

use std::time::Duration;

use clap::{Args, value_parser};

use crate::card::Card;
use crate::error::{Error, Result};
use crate::folder::{self, Contents, Tensor};
use crate::grid::Grid;
use crate::measurement::{self, Measurement};
use crate::mnist::{CLASSES, SIDE};
use crate::run::Run;
use crate::sign_cnn::integer::SignCnn;
use crate::sign_cnn::latent::{BIAS_LIMIT, Latent, Layer, SCORE_BIAS_LIMIT, Shape};
use crate::sign_cnn::windows::Geometry;

/// The network's name, and its folder's.
const NAME: &str = "sign-cnn";
/// Standard deviations measured at, as shares of a layer's largest possible sum: about what encryption adds to the
/// first layer's sums, and to the second's, whose inputs are noisier.
const NOISES: [(&str, f32); 2] = [("0.0045 B", 0.0045), ("0.009 B", 0.009)];

/// Train the convolutional network of signs on MNIST.
///
/// The settings of the convolutions are lists, one number each. The card of the network that ships has its command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    run: Run,
    /// Bits of a pixel.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u8).range(1..=8))]
    bits: u8,
    /// Filters of each convolution.
    #[arg(long, value_delimiter = ',', default_value = "8,56", value_parser = value_parser!(u16).range(1..))]
    filters: Vec<u16>,
    /// Values on a side of each convolution's windows.
    #[arg(long, value_delimiter = ',', default_value = "8,7", value_parser = value_parser!(u8).range(1..))]
    sizes: Vec<u8>,
    /// Values from a window to the next in each convolution.
    #[arg(long, value_delimiter = ',', default_value = "2,2", value_parser = value_parser!(u8).range(1..))]
    strides: Vec<u8>,
    /// Largest magnitude of a weight of each convolution.
    #[arg(long, value_delimiter = ',', default_value = "15,7", value_parser = value_parser!(u8).range(1..128))]
    weight_limits: Vec<u8>,
    /// Largest magnitude of a score weight.
    #[arg(long, default_value_t = 15, value_parser = value_parser!(u8).range(1..128))]
    score_weight_limit: u8,
    /// Logits are scores divided by two to this power.
    #[arg(long, default_value_t = 6, value_parser = value_parser!(u8).range(..16))]
    fraction_bits: u8,
    /// Standard deviation of the noise on sums in training, as a share of a layer's largest possible sum.
    #[arg(long, default_value_t = 0.006)]
    noise: f32,
    /// Half-width of the signs' straight-through window, as a share of a layer's largest possible sum.
    #[arg(long, default_value_t = 0.05)]
    window: f32,
}

impl Arguments {
    fn shape(&self) -> Result<Shape> {
        let Self { filters, sizes, strides, weight_limits, .. } = self;
        if [sizes, strides, weight_limits].iter().any(|list| list.len() != filters.len()) {
            return Err(Error::BadSetting("not as many sizes, strides and weight limits as filters"));
        }
        let (mut channels, mut side, mut range) = (1, SIDE, [0, (1 << self.bits) - 1]);
        let mut layers = Vec::new();
        for (((&filters, &size), &stride), &limit) in
            filters.iter().zip(sizes).zip(strides).zip(weight_limits)
        {
            let geometry = Geometry { channels, side, size: size.into(), stride: stride.into() };
            if geometry.size > side {
                return Err(Error::BadSetting("a convolution's windows are larger than what it reads"));
            }
            layers.push(Layer { geometry, filters: filters.into(), grid: all_up_to(limit), range });
            (channels, side, range) = (filters.into(), geometry.across(), [-1, 1]);
        }
        Ok(Shape {
            bits: self.bits.into(),
            layers,
            scores: all_up_to(self.score_weight_limit),
            fraction_bits: self.fraction_bits.into(),
            noise: self.noise,
            window: self.window,
        })
    }
}

/// All integers of at most this magnitude: a sum of plaintext weights costs the same whatever they are.
fn all_up_to(limit: u8) -> Grid {
    Grid::new(limit, u32::MAX)
}

/// Trains, measures on the validation images and, with `--out`, on the test images, and writes the folder.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let (run, shape) = (&arguments.run, arguments.shape()?);
    let randomness = run.randomness();
    let outcome = run.train(run.training_digits()?, |digits| Latent::new(shape, digits, randomness))?;
    let network = &outcome.network;
    let validation = Measurement::new(network, &outcome.validation, &NOISES, randomness);
    println!("validation: {validation}");
    for convolution in &network.convolutions {
        let (bound, weight, bias) =
            (convolution.bound(), convolution.largest_weight(), convolution.largest_bias());
        println!("{} signs; B {bound}, |w| <= {weight}, |b| <= {bias}", convolution.signs());
    }
    println!("{} signs, trained in {} s", network.signs(), outcome.time.as_secs());

    let Some(out) = &run.out else { return Ok(()) };
    let test = Measurement::new(network, &run.test_digits()?, &NOISES, randomness);
    println!("test: {test}");
    let card =
        Card { accuracy: accuracy(&validation, &test), time: outcome.time, ..card(network, arguments) };
    folder::write(out, &contents(network, arguments), &card.to_string())
}

/// The card, but for what was measured.
fn card<'a>(network: &SignCnn, arguments: &'a Arguments) -> Card<'a> {
    let Arguments { noise, window, score_weight_limit, .. } = arguments;
    let limits: String = (1..)
        .zip(&arguments.weight_limits)
        .map(|(index, limit)| format!("|w_{index}| <= {limit}, "))
        .collect();
    Card {
        name: NAME,
        architecture: architecture(network, arguments),
        accuracy: String::new(),
        window: format!(" (window {window} B)"),
        details: format!(
            "Noise
of standard deviation {noise} B is added to every sum before its sign. Limits: {limits}|v| <= {score_weight_limit},
|b| <= {BIAS_LIMIT}, |c| <= {SCORE_BIAS_LIMIT}."
        ),
        run: &arguments.run,
        time: Duration::ZERO,
    }
}

/// The card's first section.
fn architecture(network: &SignCnn, arguments: &Arguments) -> String {
    let Arguments { bits, fraction_bits, .. } = arguments;
    let line = |formula: &str, meaning: &str| format!("{formula:<44} {meaning}\n");
    let pixels = format!("{SIDE} x {SIDE} pixels of {bits} bits, bright on black");
    let mut text = line(&format!("x = grey value >> {}", 8 - bits), &pixels);
    let (mut input, mut bounds) = ("x".to_owned(), Vec::new());
    for (index, convolution) in (1..).zip(&network.convolutions) {
        let Geometry { size, stride, channels, .. } = convolution.geometry;
        let (filters, across, signs) =
            (convolution.filters(), convolution.geometry.across(), convolution.signs());
        let (weight, bias) = (convolution.largest_weight(), convolution.largest_bias());
        let deep = if channels > 1 { format!(" x {channels}") } else { String::new() };
        let filters = format!(
            "{filters} filters of {size} x {size}{deep}, stride {stride}; |w| <= {weight}, |b| <= {bias}"
        );
        text +=
            &line(&format!("y_{index} = sum of w_{index} {input} over each window + b_{index}"), &filters);
        let signs = format!("{signs} = {} x {across} x {across} signs", convolution.filters());
        text += &line(&format!("h_{index} = +1 where y_{index} >= 0, else -1"), &signs);
        input = format!("h_{index}");
        bounds.push(convolution.bound().to_string());
    }
    let largest = network.scores.largest_weight();
    text += &line(
        &format!("s_m = (sum of v_m {input} + c_m) / 2^{fraction_bits}"),
        &format!("{CLASSES} scores; v, c integers, |v| <= {largest}"),
    );
    let (signs, bounds) = (network.signs(), bounds.join(" and "));
    format!(
        "A convolutional network that tells handwritten digits apart. All that is not linear in it is a sign, so that an
encrypted evaluation costs one bootstrap per sign and nothing else: {signs} bootstraps.

```text
{text}label = the first m with the largest s_m
```

No padding. B, the largest magnitude that a sum y can have over all that its layer can be given, is {bounds}.
It decides how finely sums are laid on the torus, hence the noise. `manifest.toml` describes the layers,
`weights.safetensors` holds w, b, v and c.
"
    )
}

/// The card's accuracy section.
fn accuracy(validation: &Measurement, test: &Measurement) -> String {
    format!(
        "## Accuracy

In the integer meaning. Encrypted evaluation adds Gaussian noise to every sum before its sign; the lower rows add it
in the clear, with its standard deviation as a share of B of the layer.

{}",
        measurement::table(validation, test)
    )
}

/// Manifest and tensors.
fn contents(network: &SignCnn, arguments: &Arguments) -> Contents {
    let Arguments { bits, fraction_bits, .. } = arguments;
    let signs = network.signs();
    let mut manifest = format!(
        r#"format = 1
name = "{NAME}"
description = "Handwritten digits: convolutions of small integers, {signs} signs, then integer scores"

[input]
width = {SIDE}
height = {SIDE}
encoding = "grey"                 # x = the upper `bits` bits of the grey value
bits = {bits}
"#
    );
    let mut tensors = Vec::new();
    for (index, convolution) in (1..).zip(&network.convolutions) {
        let (Geometry { channels, size, stride, .. }, filters) =
            (convolution.geometry, convolution.filters());
        let (name, weights, biases) = (
            format!("convolution-{index}"),
            format!("convolution-{index}.weights"),
            format!("convolution-{index}.biases"),
        );
        let shape =
            if channels == 1 { vec![filters, size, size] } else { vec![filters, channels, size, size] };
        let dimensions =
            if channels == 1 { "[filters, size, size]" } else { "[filters, channels, size, size]" };
        manifest += &format!(
            r#"
[[layers]]
name = "{name}"
kind = "convolution"              # sum of w x over the window + b a filter
filters = {filters}
size = {size}
stride = {stride}
weights = "{weights}" # i8 {dimensions}
biases = "{biases}"   # i32 [filters]

[[layers]]
name = "signs-{index}"
kind = "sign"                     # +1 where x >= 0, else -1
"#
        );
        let narrow: Vec<i32> = convolution.weights.iter().map(|&weight| weight.into()).collect();
        tensors.push(Tensor::narrow(&weights, &shape, &narrow));
        tensors.push(Tensor::words(&biases, &[filters], &convolution.biases));
    }
    let inputs = network.scores.weights.len() / CLASSES;
    manifest += &format!(
        r#"
[[layers]]
name = "scores"
kind = "dense"                    # s = (V x + c) / 2^fraction_bits
inputs = {inputs}
outputs = {CLASSES}
fraction_bits = {fraction_bits}                 # fixed point of weights and biases
weights = "scores.weights"        # i8 [outputs, inputs]
biases = "scores.biases"          # i32 [outputs]
"#
    );
    tensors.push(Tensor::narrow("scores.weights", &[CLASSES, inputs], &network.scores.weights));
    tensors.push(Tensor::words("scores.biases", &[CLASSES], &network.scores.biases));
    Contents { manifest, tensors }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use safetensors::Dtype;

    use super::*;
    use crate::dense::Dense;
    use crate::folder::tests::assert_sums;
    use crate::measurement::tests::measured;
    use crate::mnist::Digits;
    use crate::randomness::Randomness;
    use crate::sign_cnn::integer::Convolution;
    use crate::training::Latent as _;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// A layer whose weights and biases are fixed numbers.
    fn layer(geometry: Geometry, filters: usize, range: [i32; 2]) -> Convolution {
        let weights = (0..filters * geometry.taps()).map(|at| (at * 7 % 11) as i16 - 5).collect();
        Convolution { geometry, range, weights, biases: (0..filters as i32).map(|at| 3 - 40 * at).collect() }
    }

    #[test]
    fn the_folder_is_the_same_byte_for_byte() {
        let first = layer(Geometry { channels: 1, side: 28, size: 8, stride: 9 }, 2, [0, 7]);
        let second = layer(Geometry { channels: 2, side: 3, size: 2, stride: 1 }, 3, [-1, 1]);
        let scores =
            Dense { weights: (0..120).map(|at| at % 31 - 15).collect(), biases: (-5..5).collect(), shift: 0 };
        let network = SignCnn { bits: 3, convolutions: vec![first, second], scores };
        let settings = ["train", "--filters", "2,3", "--sizes", "8,2", "--strides", "9,1"];
        let arguments = Command::parse_from(settings).arguments;
        let [validation, test] = [0.9, 0.8].map(|plain| measured(plain, &["0.0045 B", "0.009 B"]));
        let card = Card { accuracy: accuracy(&validation, &test), ..card(&network, &arguments) };
        assert_sums(
            &contents(&network, &arguments),
            &card,
            [
                "ea0c76bf7fe0a83e7f9ed037cd93679d99d65c7525b05cce0d4568a4f819898d",
                "8d8952e22d289e4599dd4f3e57b3ced56cb9950f1ad91bb8b0c73740688b1538",
                "f1b586152a37bffdfa6c48fac826e1b75923b7b054a060f1c44e3c6976bd6947",
            ],
        );
    }

    #[test]
    fn the_manifest_says_the_shapes() -> Result<()> {
        let settings = ["train", "--filters", "4,6,8", "--sizes", "6,5,4", "--strides", "2,1,1"];
        let arguments =
            Command::parse_from(settings.into_iter().chain(["--weight-limits", "9,1,1"])).arguments;
        let network = Latent::new(arguments.shape()?, &Digits::bars(10), Randomness::new(1))?.integers()?;
        assert_eq!(network.signs(), 4 * 12 * 12 + 6 * 8 * 8 + 8 * 5 * 5);
        let contents = contents(&network, &arguments);
        let manifest = contents.parsed();
        let kinds: Vec<_> =
            manifest["layers"].as_array().into_iter().flatten().map(|layer| layer["kind"].as_str()).collect();
        let pair = [Some("convolution"), Some("sign")];
        assert_eq!(kinds, [&pair[..], &pair, &pair, &[Some("dense")]].concat());
        assert_eq!(manifest["layers"][2]["size"].as_integer(), Some(5));
        assert_eq!(manifest["layers"][6]["inputs"].as_integer(), Some(200));
        assert_eq!(contents.tensor("convolution-1.weights"), (Dtype::I8, &[4, 6, 6][..]));
        assert_eq!(contents.tensor("convolution-2.weights"), (Dtype::I8, &[6, 4, 5, 5][..]));
        assert_eq!(contents.tensor("convolution-3.biases"), (Dtype::I32, &[8][..]));
        assert_eq!(contents.tensor("scores.weights"), (Dtype::I8, &[10, 200][..]));
        Ok(())
    }

    #[test]
    fn settings_that_do_not_fit_are_refused() {
        let refused = |settings: &[&str]| {
            let settings = ["train"].iter().chain(settings);
            matches!(Command::parse_from(settings).arguments.shape(), Err(Error::BadSetting(_)))
        };
        assert!(!refused(&[]));
        assert!(refused(&["--filters", "8"]), "two sizes");
        assert!(refused(&["--sizes", "8,12"]), "11 a side");
    }
}
