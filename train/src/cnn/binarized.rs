//! The binarized convolutional network: the subcommand that trains it, measures it and writes its folder.

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
use crate::pixels::{LARGEST_SCALE, SCALE_BITS, largest_scale};
use crate::run::Run;
use crate::tensor::Tensor;

/// The network's name, and its folder's.
const NAME: &str = "binarized-cnn";
/// Fraction bits of every number between the input and the label.
const FRACTION_BITS: u32 = SCALE_BITS;
/// One, in fixed point.
const ONE: i32 = 1 << FRACTION_BITS;
/// Bits of every such number, sign included.
const BITS: u32 = 25;
/// Bits of a scale, sign included.
const INPUT_BITS: u32 = 20;
/// What every score bias starts at, of at most 31 in magnitude. It is a constant to the softmax, and lifts the scores,
/// so that the largest survives their rectification.
const LIFT: f32 = 8.0;

/// Train the binarized convolutional network on MNIST.
///
/// The card of the network that ships has its command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    run: Run,
    /// Largest magnitude of a score weight, in steps.
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u8).range(1..128))]
    score_weight_limit: u8,
    /// Nonzero signed digits of a score weight, at most.
    #[arg(long, default_value_t = 1)]
    score_digits: u32,
    /// What the loss charges for the sum of the latent score weights' magnitudes.
    #[arg(long, default_value_t = 5e-5)]
    sparsity: f64,
    /// A step of the score weights is two to the power of minus this.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u8).range(..16))]
    score_weight_bits: u8,
    /// Every filter's scale is two to the power of minus this.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u8).range(..16))]
    scale_bits: u8,
}

impl Arguments {
    /// The shape of the network, as these settings make it.
    pub(crate) fn shape(&self) -> Shape {
        Shape {
            kind: Kind::Binarized,
            filters: Grid::signs(),
            scale: ONE >> self.scale_bits,
            shift: FRACTION_BITS,
            bias_unit: ONE as f32,
            bias_range: [-(4 * ONE) as f32, 0.0],
            scores: Form {
                grid: Grid::new(self.score_weight_limit, self.score_digits),
                step: ONE >> self.score_weight_bits,
                shift: FRACTION_BITS,
                unit: 2.0 * f64::from(self.score_weight_limit),
                bias_unit: ONE.into(),
                bias_limit: 31 * ONE,
            },
            sparsity: self.sparsity,
            initial_score_bias: LIFT,
            fraction_bits: FRACTION_BITS,
        }
    }
}

/// Trains, measures on the validation images and, with `--out`, on the test images, and writes the folder.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let run = &arguments.run;
    let outcome = run.train(run.training_digits()?, |_| Latent::new(arguments.shape(), run.randomness()))?;
    let (network, digits) = (&outcome.network, run.training_digits()?);
    let (ranges, largest_scale) = (network.ranges(&digits), largest_scale(&digits));
    let digits = network.scores.signed_digits();
    let report = format!("signed digits {digits}; {ranges:?}; largest scale {largest_scale}");
    let export = export(network, arguments, ranges, largest_scale);
    export::finish(run, &outcome, Measurement::exact, &report, &export)
}

/// What the folder says of the network. `ranges` and `largest_scale` are those of the 60,000 training images.
fn export(network: &Cnn, arguments: &Arguments, ranges: Ranges, largest_scale: i32) -> Export {
    Export {
        model: model(network),
        description: Description {
            architecture: architecture(network, arguments, ranges, largest_scale),
            method: EXACT,
            window: String::new(),
            details: format!(
                "The loss
charges {} for the sum of the latent score weights' magnitudes. Limits: b <= 0, |c| < 32.",
                arguments.sparsity
            ),
        },
    }
}

/// The card's first section. `ranges` and `largest_scale` are those of the 60,000 training images.
fn architecture(network: &Cnn, arguments: &Arguments, ranges: Ranges, largest_scale: i32) -> String {
    let real = |fixed: i64| fixed as f64 / f64::from(ONE);
    let Arguments { scale_bits, score_weight_bits, score_digits, .. } = arguments;
    let largest_weight = i64::from(network.scores.largest_weight());
    let (weight_steps, digits) =
        (largest_weight >> (FRACTION_BITS - u32::from(*score_weight_bits)), network.scores.signed_digits());
    let (largest_k, accepted_k) = (real(largest_scale.into()), real(LARGEST_SCALE.into()));
    let (pooled, score, winning) = (real(ranges.pooled.into()), real(ranges.score), real(ranges.winning));
    format!(
        "A convolutional network that tells handwritten digits apart. Its filters and the image they are laid on are
signs, +1 or -1. All numbers are integers in units of 2^-{FRACTION_BITS}: `[e]` is e in these units, rounded down.

```text
z = (x - mean) / sqrt(variance + 1e-5)        the image standardised, x the grey value  
s = +1 where z >= 0, else -1                  {SIDE} x {SIDE} signs
K_p = mean of |z| over the window p           24 x 24, cut towards zero
d_cp = sum over the window p of w_c s         {FILTERS} filters of {SIZE} x {SIZE}, w in {{-1, +1}}
r_cp = [K_p d_cp a_c] + b_c                   a = 2^-{scale_bits}, b <= 0
y_ci = max(0, r_cp of the 2 x 2 windows p)    {POOLED} = {FILTERS} x 12 x 12 values
t_m = max(0, [sum_i v_mi y_i] + c_m)          {CLASSES} scores; v multiples of 2^-{score_weight_bits}, |v| <= {weight_steps} / 2^{score_weight_bits}
label = the first m with the largest t_m
```

Nonzero digits of a weight v in canonical signed digit form: at most {score_digits}, and {digits} in all weights together. That
many additions are the last layer's cost. On the 60000 training images the largest K is {largest_k:.2}, and a client accepts up
to {accepted_k:.2}; the largest y is {pooled:.2}, the largest magnitude of a score {score:.2} of the 512 its {BITS} bits hold, and
the smallest winning score {winning:.2}. `manifest.toml` describes the layers, `weights.safetensors` holds w, a, b, v and c.
"
    )
}

/// The input, the layers and their integers.
fn model(network: &Cnn) -> Model {
    let Cnn { convolution, scores, .. } = network;
    let filters = &[("filters", FILTERS), ("size", SIZE), ("size", SIZE)];
    let score_weights = Tensor::wide_weights(&[("outputs", CLASSES), ("inputs", POOLED)], &scores.weights);
    let kind = r#"kind = "dense"                  # floor(V x / 2^shift) + c, in units of 2^-fraction_bits"#;
    let settings = format!("shift = {FRACTION_BITS}\nbits = {BITS}\nfraction_bits = {FRACTION_BITS}\n");
    Model {
        name: NAME,
        description: format!(
            "Handwritten digits: {FILTERS} filters of {SIZE} x {SIZE} signs on an image of signs, pooled, then scores in \
             fixed point"
        ),
        input: Input::SignAndScale {
            window: SIZE,
            fraction_bits: FRACTION_BITS,
            bits: INPUT_BITS,
            largest: LARGEST_SCALE,
        },
        layers: vec![
            Layer {
                name: "convolution".to_owned(),
                settings: format!(
                    r#"kind = "xnor-convolution"       # floor(K d a / 2^fraction_bits) + b a filter, d = sum of w s over the window
filters = {FILTERS}
size = {SIZE}
fraction_bits = {FRACTION_BITS}
bits = {BITS}
"#
                ),
                tensors: vec![
                    Tensor::weights(filters, &convolution.weights).remarked(", -1 or +1"),
                    Tensor::scales("filters", &convolution.scales),
                    Tensor::biases("filters", &convolution.biases),
                ],
            },
            Layer::rectifier("rectified"),
            Layer::max_pool(CELL),
            Layer::dense("scores", kind, &settings, score_weights, &scores.biases),
            Layer::rectifier("positive"),
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
    fn the_integers_keep_to_what_the_circuit_relies_on() -> Result<()> {
        let latent = Latent::new(arguments::<Arguments>(&[]).shape(), Randomness::new(1))?;
        latent.biases.set(&(latent.biases.ones_like()? * 3.0)?)?;
        latent.clip()?;
        let Cnn { convolution, scores, .. } = latent.integers()?;
        assert!(convolution.weights.iter().all(|weight| weight.abs() == 1));
        assert!(convolution.scales.iter().all(|&scale| scale > 0));
        assert_eq!(convolution.biases, [0; 3], "clipped to what is not positive");
        assert!(scores.biases.iter().all(|bias| bias.abs() < 1 << 20));
        Ok(())
    }

    #[test]
    fn the_folder_is_the_same_byte_for_byte() {
        let convolution = Convolution {
            weights: (0..75).map(|at| if at % 3 == 0 { -1 } else { 1 }).collect(),
            scales: [1024; FILTERS],
            biases: [0, -1, -20_000],
            shift: 15,
        };
        let network = network(Kind::Binarized, convolution, FRACTION_BITS);
        let arguments = arguments(&[]);
        let export = export(&network, &arguments, RANGES, 116_027);
        assert_sums(
            &export,
            &arguments.run,
            &[],
            [
                "c64e8d56fbf0e83422ad720708e1d0c73a0080b0e27a05b98ab19129817e8817",
                "02b73a0fb0c66e64533f672c333c2979018552e54aa6f7fe8c2dc225678416ba",
                "b257dd1d7ef5572a598a004efecbca55a6e2f79010a272c382522178211dca49",
            ],
        );
    }

    #[test]
    fn the_manifest_says_the_shapes() -> Result<()> {
        let model = model(&Latent::new(arguments::<Arguments>(&[]).shape(), Randomness::new(1))?.integers()?);
        let manifest = model.parsed();
        assert_eq!(manifest["input"]["largest"].as_integer(), Some(183_500));
        assert_eq!(manifest["layers"][0]["bits"].as_integer(), Some(25));
        assert_eq!(manifest["layers"][3]["inputs"].as_integer(), Some(432));
        assert_eq!(manifest["layers"][3]["shift"].as_integer(), Some(15));
        assert_eq!(model.tensor("convolution.weights"), (Dtype::I8, vec![3, 5, 5]));
        assert_eq!(model.tensor("convolution.scales"), (Dtype::I32, vec![3]));
        assert_eq!(model.tensor("scores.weights"), (Dtype::I32, vec![10, 432]));
        Ok(())
    }
}
