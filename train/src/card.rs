//! The model card: what the network is, how it was made and how good it is, in figures the run measured.

use std::fmt;
use std::time::Duration;

use crate::binarized_perceptron::VALIDATION;
use crate::folder::{Interface, NAME};
use crate::integer::Perceptron;
use crate::latent::BIAS_LIMIT;
use crate::measurement::{DRAWS, Measurement, NOISES};
use crate::mnist::{CLASSES, PIXELS, SIDE};
use crate::training::Settings;

/// A card's facts; its text is their [`Display`](fmt::Display).
pub(crate) struct Card<'a> {
    /// The network.
    pub(crate) network: &'a Perceptron,
    /// What the client must know.
    pub(crate) interface: Interface,
    /// How it was trained.
    pub(crate) settings: Settings,
    /// The run's seed.
    pub(crate) seed: u64,
    /// The command that trained it.
    pub(crate) command: String,
    /// Most set pixels in a training image.
    pub(crate) most_active: u32,
    /// Accuracy on the validation images.
    pub(crate) validation: Measurement,
    /// Accuracy on the test images.
    pub(crate) test: Measurement,
    /// How long training took.
    pub(crate) time: Duration,
    /// Date and machine.
    pub(crate) measured: &'a str,
}

impl fmt::Display for Card<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections = [self.architecture(), self.accuracy(), self.training(), LIMITS.to_owned()];
        write!(formatter, "# {NAME}\n\n{}", sections.join("\n"))
    }
}

impl Card<'_> {
    fn architecture(&self) -> String {
        let Interface { threshold, max_active, fraction_bits } = self.interface;
        let (hidden, most_active) = (self.network.hidden(), self.most_active);
        let (largest_bias, largest_weight) =
            (self.network.largest_hidden_bias(), self.network.largest_score_weight());
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

    fn accuracy(&self) -> String {
        let mut table = String::from(
            "## Accuracy

In the integer meaning. Encrypted evaluation adds Gaussian noise to every hidden sum; the lower rows add it in the
clear, with its standard deviation in units of the sum.

",
        );
        table += &format!("| | validation ({VALIDATION} images) | test (10000 images) |\n|---|---|---|\n");
        let percent = |accuracy: f64| format!("{:.2} %", 100.0 * accuracy);
        let (validation, test) = (&self.validation, &self.test);
        table += &format!("| plain | {} | {} |\n", percent(validation.plain), percent(test.plain));
        for (noise, (validation, test)) in NOISES.iter().zip(validation.noisy.iter().zip(&test.noisy)) {
            table += &format!("| noise {noise:.1} | {validation} | {test} |\n");
        }
        table + &format!("\nWith noise: mean (least to most) of {DRAWS} draws.\n")
    }

    fn training(&self) -> String {
        let Self { settings, seed, command, measured, .. } = self;
        let Settings { noise, window, epochs, batch, learning_rate, distortion, .. } = settings;
        let (seconds, weight_limit) = (self.time.as_secs(), settings.shape.score_weight_limit);
        let degrees = distortion.rotation.to_degrees();
        let (scale, shear) = (100.0 * distortion.scale, 100.0 * distortion.shear);
        let (shift, elastic) = (distortion.shift, distortion.elastic);
        format!(
            "## Training

Data: the 60000 training images of MNIST, of which the last {VALIDATION} are the validation split, held out and used
for every choice; the test images were read once, by the run that wrote this card. Seed {seed}. Command:

```sh
{command}
```

Cross-entropy with straight-through gradients (window {window}), Adam at learning rate {learning_rate} falling to zero along a
cosine, {epochs} epochs of batches of {batch}. Every image is distorted anew in every epoch: by up to {degrees:.0} degrees
of rotation, {scale:.0} % of scale, {shear:.0} % of shear, a shift of {shift} pixels and an elastic displacement of {elastic}. Noise
of standard deviation {noise} is added to every hidden sum. Limits: |b| <= {BIAS_LIMIT}, |v| <= {weight_limit}. Training took {seconds} s.

Date and machine: {measured}.
"
        )
    }
}

/// The card's last section, the same for every run.
const LIMITS: &str = "## Use and limits

For showing and measuring private inference on MNIST-like digits: 28 x 28 pixels, one digit, centred by its mass and
scaled as MNIST's are, bright on black. It knows nothing but digits and gives every image one of ten labels, whatever
it shows; its scores are not calibrated probabilities. Not for decisions that matter to anyone.

Licence: MIT OR Apache-2.0. Trained on MNIST by Yann LeCun, Corinna Cortes and Christopher J.C. Burges
(<http://yann.lecun.com/exdb/mnist/>), CC BY-SA 3.0.
";
