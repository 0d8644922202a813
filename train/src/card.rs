//! The model card: what a network is, how it was made and how good it is, in figures the run measured.

use std::fmt;
use std::time::Duration;

use crate::measurement::{self, Measurement};
use crate::run::{Run, VALIDATION, command};
use crate::training::Schedule;

/// What a card says of one network alone.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    /// What the network computes.
    pub(crate) architecture: String,
    /// How its accuracy was measured.
    pub(crate) method: &'static str,
    /// The half-width of the hidden sign's window, where there is one, in parentheses.
    pub(crate) window: String,
    /// What else there is to know of the training.
    pub(crate) details: String,
}

/// How the accuracy of a network was measured without noise.
pub(crate) const EXACT: &str = "This is the accuracy of the integer meaning, which is the network in exact integers, without encryption.\n";

/// A card's facts; its text is their [`Display`](fmt::Display).
pub(crate) struct Card<'a> {
    /// The network's name.
    pub(crate) name: &'a str,
    /// What the network's own module says of it.
    pub(crate) description: &'a Description,
    /// Accuracies on the validation images.
    pub(crate) validation: &'a Measurement,
    /// Accuracies on the test images.
    pub(crate) test: &'a Measurement,
    /// The run that made it.
    pub(crate) run: &'a Run,
    /// How long training took.
    pub(crate) time: Duration,
}

impl fmt::Display for Card<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, description: Description { architecture, method, .. }, .. } = self;
        let (table, training) = (measurement::table(self.validation, self.test), self.training());
        write!(
            formatter,
            "# {name}\n\n{architecture}\n## Accuracy\n\n{method}\n{table}\n{training}\n{LIMITS}"
        )
    }
}

impl Card<'_> {
    fn training(&self) -> String {
        let Self { description: Description { window, details, .. }, run, time, .. } = self;
        let Run { seed, measured, .. } = run;
        let Schedule { epochs, batch, learning_rate, distortion } = run.schedule();
        let (command, seconds) = (command(), time.as_secs());
        let degrees = distortion.rotation.to_degrees();
        let (scale, shear) = (100.0 * distortion.scale, 100.0 * distortion.shear);
        let (shift, elastic) = (distortion.shift, distortion.elastic);
        format!(
            "## Training

The data are the 60000 training images of MNIST. The last {VALIDATION} are the validation split, which was held
out and used for every choice. The test images were used for none. The seed is {seed}. Command:

```sh
{command}
```

The loss is cross-entropy with straight-through gradients{window}. The optimiser is Adam at learning rate {learning_rate}, which falls to zero
along a cosine, for {epochs} epochs of batches of {batch}. Every image is distorted anew in every epoch: by up to {degrees:.0} degrees
of rotation, {scale:.0} % of scale, {shear:.0} % of shear, a shift of {shift} pixels and an elastic displacement of {elastic}. {details} Training took {seconds} s.

Date and machine: {measured}.
"
        )
    }
}

/// The card's last section, the same for every run.
const LIMITS: &str = "## Use and limits

The network is for showing and measuring private inference on digits like MNIST's: 28 x 28 pixels, one digit, centred by
its mass and scaled as MNIST's are, bright on black. It knows nothing but digits, and gives every image one of ten labels,
whatever the image shows. Its scores are not calibrated probabilities. It is not for decisions that matter to anyone.

Licence: MIT OR Apache-2.0. Trained on MNIST by Yann LeCun, Corinna Cortes and Christopher J.C. Burges
(<http://yann.lecun.com/exdb/mnist/>), CC BY-SA 3.0.
";
