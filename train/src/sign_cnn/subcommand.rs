//! The subcommand that trains the convolutional network of signs, measures it and writes its folder.

use clap::{Args, value_parser};

use crate::card::Description;
use crate::error::{Error, Result};
use crate::export::{self, Export};
use crate::grid::Grid;
use crate::measurement::Measurement;
use crate::mnist::{CLASSES, SIDE};
use crate::model::{self, Input, Layer, Model};
use crate::run::Run;
use crate::sign_cnn::integer::{Convolution, SignCnn};
use crate::sign_cnn::latent::{self, BIAS_LIMIT, Latent, SCORE_BIAS_LIMIT, Shape};
use crate::sign_cnn::windows::Geometry;
use crate::tensor::Tensor;

/// The network's name, and its folder's.
const NAME: &str = "sign-cnn";
/// Standard deviations measured at, as shares of a layer's largest possible sum: about what encryption adds to the
/// first layer's sums, and to the second's, whose inputs are noisier.
const NOISES: [(&str, f32); 2] = [("0.0045 B", 0.0045), ("0.009 B", 0.009)];

/// The column where the manifest's comments begin: two more than elsewhere, because of the numbers in its tensors' names.
const COMMENTS: usize = model::COMMENTS + 2;

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
            layers.push(latent::Layer { geometry, filters: filters.into(), grid: all_up_to(limit), range });
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
    let mut report = String::new();
    for convolution in &network.convolutions {
        let (bound, weight, bias) =
            (convolution.bound(), convolution.largest_weight(), convolution.largest_bias());
        report += &format!("{} signs; B {bound}, |w| <= {weight}, |b| <= {bias}\n", convolution.signs());
    }
    report += &format!("{} signs, trained in {} s", network.signs(), outcome.time.as_secs());
    let measure = |network: &_, digits: &_| Measurement::noisy(network, digits, &NOISES, randomness);
    export::finish(run, &outcome, measure, &report, &export(network, arguments))
}

/// What the folder says of the network.
fn export(network: &SignCnn, arguments: &Arguments) -> Export {
    let Arguments { noise, window, score_weight_limit, .. } = arguments;
    let limits: String = (1..)
        .zip(&arguments.weight_limits)
        .map(|(index, limit)| format!("|w_{index}| <= {limit}, "))
        .collect();
    Export {
        model: model(network, arguments),
        description: Description {
            architecture: architecture(network, arguments),
            method: METHOD,
            window: format!(" (window {window} B)"),
            details: format!(
                "Noise
of standard deviation {noise} B is added to every sum before its sign. Limits: {limits}|v| <= {score_weight_limit},
|b| <= {BIAS_LIMIT}, |c| <= {SCORE_BIAS_LIMIT}."
            ),
        },
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
        "A convolutional network that tells handwritten digits apart. Every operation that is not linear is a sign. An
encrypted evaluation therefore costs one bootstrap for each sign and nothing else: {signs} bootstraps.

```text
{text}label = the first m with the largest s_m
```

There is no padding. B is the largest magnitude that a sum y can have, over all inputs of its layer: {bounds}.
It decides how finely sums are laid out on the torus, and hence the noise. `manifest.toml` describes the layers,
`weights.safetensors` holds w, b, v and c.
"
    )
}

/// How the accuracies on the card were measured.
const METHOD: &str = "\
The first row is the accuracy of the integer meaning, which is the network in exact integers, without encryption.
Encrypted evaluation adds Gaussian noise to every sum before its sign. The lower rows add such noise in the clear. Its
standard deviation is a share of the layer's B.
";

/// The input, the layers and their integers.
fn model(network: &SignCnn, arguments: &Arguments) -> Model {
    let &Arguments { bits, fraction_bits, .. } = arguments;
    let SignCnn { convolutions, scores, .. } = network;
    let dimensions = [("outputs", CLASSES), ("inputs", scores.weights.len() / CLASSES)];
    let score_weights = Tensor::weights(&dimensions, &scores.weights);
    let mut layers: Vec<Layer> =
        (1..).zip(convolutions).flat_map(|(index, convolution)| pair(index, convolution)).collect();
    layers.push(Layer::scores('x', fraction_bits.into(), score_weights, &scores.biases, COMMENTS));
    Model {
        name: NAME,
        description: format!(
            "Handwritten digits: convolutions of small integers, {} signs, then integer scores",
            network.signs()
        ),
        input: Input::Grey { bits },
        layers,
        comments: COMMENTS,
    }
}

/// The layers of a convolution and its signs. `index` tells them from those of the other convolutions.
fn pair(index: usize, convolution: &Convolution) -> [Layer; 2] {
    let (Geometry { channels, size, stride, .. }, filters) = (convolution.geometry, convolution.filters());
    let mut dimensions = vec![("filters", filters), ("channels", channels), ("size", size), ("size", size)];
    if channels == 1 {
        dimensions.remove(1);
    }
    let sums = Layer {
        name: format!("convolution-{index}"),
        settings: format!(
            r#"kind = "convolution"              # sum of w x over the window + b a filter
filters = {filters}
size = {size}
stride = {stride}
"#
        ),
        tensors: vec![
            Tensor::weights(&dimensions, &convolution.weights),
            Tensor::biases("filters", &convolution.biases),
        ],
    };
    let signs = Layer {
        name: format!("signs-{index}"),
        settings: "kind = \"sign\"                     # +1 where x >= 0, else -1\n".to_owned(),
        tensors: vec![],
    };
    [sums, signs]
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;

    use super::*;
    use crate::dense::Dense;
    use crate::export::tests::assert_sums;
    use crate::mnist::Digits;
    use crate::randomness::Randomness;
    use crate::run::tests::arguments;
    use crate::training::Latent as _;

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
        let arguments = arguments(&["--filters", "2,3", "--sizes", "8,2", "--strides", "9,1"]);
        let export = export(&network, &arguments);
        assert_sums(
            &export,
            &arguments.run,
            &["0.0045 B", "0.009 B"],
            [
                "ea0c76bf7fe0a83e7f9ed037cd93679d99d65c7525b05cce0d4568a4f819898d",
                "8d8952e22d289e4599dd4f3e57b3ced56cb9950f1ad91bb8b0c73740688b1538",
                "1dcc556d4ba65b63225c53e010541dc399ea23fca2c5cf103820bcec3ca1bb74",
            ],
        );
    }

    #[test]
    fn the_manifest_says_the_shapes() -> Result<()> {
        let settings = ["--filters", "4,6,8", "--sizes", "6,5,4", "--strides", "2,1,1"];
        let limits = ["--weight-limits", "9,1,1"];
        let arguments: Arguments = arguments(&[&settings[..], &limits].concat());
        let network = Latent::new(arguments.shape()?, &Digits::bars(10), Randomness::new(1))?.integers()?;
        assert_eq!(network.signs(), 4 * 12 * 12 + 6 * 8 * 8 + 8 * 5 * 5);
        let model = model(&network, &arguments);
        let manifest = model.parsed();
        let kinds: Vec<_> =
            manifest["layers"].as_array().into_iter().flatten().map(|layer| layer["kind"].as_str()).collect();
        let pair = [Some("convolution"), Some("sign")];
        assert_eq!(kinds, [&pair[..], &pair, &pair, &[Some("dense")]].concat());
        assert_eq!(manifest["layers"][2]["size"].as_integer(), Some(5));
        assert_eq!(manifest["layers"][6]["inputs"].as_integer(), Some(200));
        assert_eq!(model.tensor("convolution-1.weights"), (Dtype::I8, vec![4, 6, 6]));
        assert_eq!(model.tensor("convolution-2.weights"), (Dtype::I8, vec![6, 4, 5, 5]));
        assert_eq!(model.tensor("convolution-3.biases"), (Dtype::I32, vec![8]));
        assert_eq!(model.tensor("scores.weights"), (Dtype::I8, vec![10, 200]));
        Ok(())
    }

    #[test]
    fn settings_that_do_not_fit_are_refused() {
        let refused =
            |settings: &[&str]| matches!(arguments::<Arguments>(settings).shape(), Err(Error::BadSetting(_)));
        assert!(!refused(&[]));
        assert!(refused(&["--filters", "8"]), "two sizes");
        assert!(refused(&["--sizes", "8,12"]), "11 a side");
    }
}
