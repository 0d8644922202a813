//! The hybrid convolutional network, with filters of small integers: the subcommand that trains it, measures it and
//! writes its folder.

use clap::{Args, value_parser};

use crate::card::{Description, EXACT};
use crate::cnn::integer::{Cnn, Kind, Ranges};
use crate::cnn::latent::{Latent, Shape};
use crate::convolution::{CELL, FILTERS, POOLED, SIZE};
use crate::error::Result;
use crate::export::{self, Export};
use crate::grid::Grid;
use crate::latent_dense::Form;
use crate::measurement::Measurement;
use crate::mnist::{CLASSES, SIDE};
use crate::model::{COMMENTS, Input, Layer, Model};
use crate::run::Run;
use crate::tensor::Tensor;

/// The network's name, and its folder's.
const NAME: &str = "hybrid-cnn";
/// Largest magnitude of a filter's bias.
const BIAS_LIMIT: f32 = 63.0;
/// Integer units to one unit of a latent bias.
const BIAS_UNIT: f32 = 16.0;
/// Largest magnitude of a score bias.
const SCORE_BIAS_LIMIT: i32 = 4095;

/// Train the hybrid convolutional network on MNIST.
///
/// The card of the network that ships has its command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    run: Run,
    /// Bits of a pixel.
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u8).range(1..=5))]
    bits: u8,
    /// Largest magnitude of a filter's weight.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u8).range(1..32))]
    filter_weight_limit: u8,
    /// Nonzero signed digits of a filter's weight, at most.
    #[arg(long, default_value_t = 1)]
    filter_digits: u32,
    /// Bits dropped from a filter's product.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u8).range(..8))]
    shift: u8,
    /// Largest magnitude of a score weight.
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u8).range(1..128))]
    score_weight_limit: u8,
    /// Nonzero signed digits of a score weight, at most.
    #[arg(long, default_value_t = 1)]
    score_digits: u32,
    /// What the loss charges for the sum of the latent score weights' magnitudes.
    #[arg(long, default_value_t = 1e-4)]
    sparsity: f64,
    /// Logits are scores divided by two to this power.
    #[arg(long, default_value_t = 9, value_parser = value_parser!(u8).range(..16))]
    fraction_bits: u8,
}

impl Arguments {
    /// The shape of the network, as these settings make it.
    pub(crate) fn shape(&self) -> Shape {
        Shape {
            kind: Kind::Hybrid { bits: self.bits.into() },
            filters: Grid::new(self.filter_weight_limit, self.filter_digits),
            scale: 1,
            shift: self.shift.into(),
            bias_unit: BIAS_UNIT,
            bias_range: [-BIAS_LIMIT, BIAS_LIMIT],
            scores: Form {
                grid: Grid::new(self.score_weight_limit, self.score_digits),
                step: 1,
                shift: 0,
                unit: 2.0 * f64::from(self.score_weight_limit),
                bias_unit: f64::from(self.fraction_bits).exp2(),
                bias_limit: SCORE_BIAS_LIMIT,
            },
            sparsity: self.sparsity,
            initial_score_bias: 0.0,
            fraction_bits: self.fraction_bits.into(),
        }
    }
}

/// Trains, measures on the validation images and, with `--out`, on the test images, and writes the folder.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let run = &arguments.run;
    let outcome = run.train(run.training_digits()?, |_| Latent::new(arguments.shape(), run.randomness()))?;
    let network = &outcome.network;
    let ranges = network.ranges(&run.training_digits()?);
    let (filter_digits, score_digits) = (network.convolution.signed_digits(), network.scores.signed_digits());
    let report = format!("signed digits: filters {filter_digits}, scores {score_digits}; {ranges:?}");
    let export = export(network, arguments, ranges);
    export::finish(run, &outcome, Measurement::exact, &report, &export)
}

/// What the folder says of the network. `ranges` are those of the 60,000 training images.
fn export(network: &Cnn, arguments: &Arguments, ranges: Ranges) -> Export {
    Export {
        model: model(network, arguments),
        description: Description {
            architecture: architecture(network, arguments, ranges),
            method: EXACT,
            window: String::new(),
            details: format!(
                "The loss
charges {} for the sum of the latent score weights' magnitudes. Limits: |w| <= {}, |b| <= {BIAS_LIMIT}, |v| <= {},
|c| <= {SCORE_BIAS_LIMIT}.",
                arguments.sparsity, arguments.filter_weight_limit, arguments.score_weight_limit
            ),
        },
    }
}

/// The card's first section. `ranges` are those of the 60,000 training images.
fn architecture(network: &Cnn, arguments: &Arguments, ranges: Ranges) -> String {
    let Arguments { bits, shift, fraction_bits, .. } = arguments;
    let Cnn { convolution, scores, .. } = network;
    let largest_filter_weight =
        convolution.weights.iter().map(|weight| weight.abs()).max().unwrap_or_default();
    let largest_score_weight = scores.largest_weight();
    let (filter_digits, score_digits) = (convolution.signed_digits(), scores.signed_digits());
    let (pooled, score) = (ranges.pooled, ranges.score);
    let score_line = format!("s_m = (sum_i v_mi y_i + c_m) / 2^{fraction_bits}");
    format!(
        "A convolutional network that tells handwritten digits apart, of small integers throughout.

```text
x = grey value >> {}                           {SIDE} x {SIDE} pixels of {bits} bits, bright on black
r_cp = floor(sum over the window p of w_c x / 2^{shift}) + b_c   {FILTERS} filters of {SIZE} x {SIZE}; |w| <= {largest_filter_weight}
y_ci = max(0, r_cp of the 2 x 2 windows p)    {POOLED} = {FILTERS} x 12 x 12 values
{score_line:<45} {CLASSES} scores; v, c integers, |v| <= {largest_score_weight}
label = the first m with the largest s_m
```

The weights' canonical signed digit forms have {filter_digits} (w, used at 576 windows) and {score_digits} (v) nonzero digits: the
additions the network costs. On the 60000 training images the largest y is {pooled} and the largest magnitude of an
integer score {score}. `manifest.toml` describes the layers, `weights.safetensors` holds w, b, v and c.
",
        8 - bits
    )
}

/// The input, the layers and their integers.
fn model(network: &Cnn, arguments: &Arguments) -> Model {
    let &Arguments { bits, shift, fraction_bits, .. } = arguments;
    let Cnn { convolution, scores, .. } = network;
    let filters = &[("filters", FILTERS), ("size", SIZE), ("size", SIZE)];
    let score_weights = Tensor::weights(&[("outputs", CLASSES), ("inputs", POOLED)], &scores.weights);
    Model {
        name: NAME,
        description: format!(
            "Handwritten digits: {FILTERS} filters of {SIZE} x {SIZE} small integers, pooled, then integer scores"
        ),
        input: Input::Grey { bits },
        layers: vec![
            Layer {
                name: "convolution".to_owned(),
                settings: format!(
                    r#"kind = "convolution"            # floor(sum of w x over the window / 2^shift) + b a filter
filters = {FILTERS}
size = {SIZE}
stride = 1
shift = {shift}
"#
                ),
                tensors: vec![
                    Tensor::weights(filters, &convolution.weights),
                    Tensor::biases("filters", &convolution.biases),
                ],
            },
            Layer::rectifier("rectified"),
            Layer::max_pool(CELL),
            Layer::scores('x', fraction_bits.into(), score_weights, &scores.biases, COMMENTS),
        ],
        comments: COMMENTS,
    }
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;

    use super::*;
    use crate::cnn::integer::tests::{RANGES, network};
    use crate::convolution::Convolution;
    use crate::export::tests::assert_sums;
    use crate::randomness::Randomness;
    use crate::run::tests::arguments;
    use crate::training::Latent as _;

    #[test]
    fn the_folder_is_the_same_byte_for_byte() {
        let convolution = Convolution {
            weights: (0..75).map(|at| at % 9 - 4).collect(),
            scales: [1; FILTERS],
            biases: [0, 63, -63],
            shift: 3,
        };
        let network = network(Kind::Hybrid { bits: 4 }, convolution, 0);
        let arguments = arguments(&["--bits", "4", "--shift", "3", "--fraction-bits", "11"]);
        let export = export(&network, &arguments, RANGES);
        assert_sums(
            &export,
            &arguments.run,
            &[],
            [
                "b2a29707bcd30dc9e4e133bb96396942d9cf63350edf1bd22acb7c4cf6ca655f",
                "170254dbde91a9c98b82f4f68f6b69a2742be71a9972fc74bcd13476f7e9689f",
                "124325c632af1666e1effd024c133dab20db1f00f300959f8036a1eac7ca006b",
            ],
        );
    }

    #[test]
    fn the_manifest_says_the_shapes() -> Result<()> {
        let network = Latent::new(arguments::<Arguments>(&[]).shape(), Randomness::new(1))?.integers()?;
        let model = model(&network, &arguments(&["--bits", "4", "--shift", "3"]));
        let manifest = model.parsed();
        assert_eq!(manifest["input"]["bits"].as_integer(), Some(4));
        assert_eq!(manifest["layers"][0]["shift"].as_integer(), Some(3));
        assert_eq!(manifest["layers"][3]["outputs"].as_integer(), Some(10));
        assert_eq!(model.tensor("convolution.weights"), (Dtype::I8, vec![3, 5, 5]));
        assert_eq!(model.tensor("scores.weights"), (Dtype::I8, vec![10, 432]));
        Ok(())
    }
}
