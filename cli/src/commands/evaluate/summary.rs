//! What an encrypted evaluation comes to: counts, and what the noise formulas predict of them.

use serde_json::{Value, json};

use crate::{
    commands::evaluate::{record::Entry, selection::Selection},
    error::Result,
    terminal::{output::Output, units},
};

/// Noisy evaluations in the clear by which one image's agreement is predicted.
pub(super) const TRIALS: u32 = 100;
/// Standard deviations of the interval around a predicted count.
const INTERVAL_DEVIATIONS: f64 = 4.0;

/// What an encrypted evaluation comes to.
pub(super) struct Summary {
    /// All images, refused ones included.
    images: usize,
    /// The images evaluated, in this run or an earlier one.
    evaluated: usize,
    /// Those of an earlier run.
    resumed: usize,
    correct: usize,
    agreeing: usize,
    /// The sum of the predicted probabilities, and of their variances.
    predicted: f64,
    variance: f64,
    seconds: f64,
}

impl Summary {
    pub(super) fn of<'a>(
        entries: impl Iterator<Item = &'a Entry>,
        selection: &Selection,
        resumed: usize,
    ) -> Self {
        let mut summary = Self {
            images: selection.range.len(),
            evaluated: 0,
            resumed,
            correct: 0,
            agreeing: 0,
            predicted: 0.0,
            variance: 0.0,
            seconds: 0.0,
        };
        for entry in entries {
            summary.evaluated += 1;
            summary.correct += usize::from(entry.encrypted == entry.label);
            summary.agreeing += usize::from(entry.encrypted == entry.integer);
            summary.predicted += entry.predicted;
            // The rule of succession: an image that agreed in every trial is not certain to.
            let trials = f64::from(TRIALS);
            let share = (entry.predicted * trials + 1.0) / (trials + 2.0);
            summary.variance += share * (1.0 - share);
            summary.seconds += entry.seconds;
        }
        summary
    }

    /// Of the accuracy as that of all images of this kind, from 0 to 1.
    fn standard_error(&self) -> f64 {
        let share = self.correct as f64 / self.images as f64;
        (share * (1.0 - share) / self.images as f64).sqrt()
    }

    /// The counts of agreeing labels that the noise formulas call likely.
    fn interval(&self) -> (f64, f64) {
        let half = INTERVAL_DEVIATIONS * self.variance.sqrt();
        ((self.predicted - half).max(0.0), (self.predicted + half).min(self.evaluated as f64))
    }

    pub(super) fn tell(&self, output: Output) -> Result<()> {
        output.say(format_args!(
            "accuracy encrypted:      {} (standard error {:.2} %)",
            units::share(self.correct, self.images),
            100.0 * self.standard_error(),
        ))?;
        if self.evaluated == 0 {
            return Ok(());
        }
        let (low, high) = self.interval();
        output
            .say(format_args!("labels equal:            {}", units::share(self.agreeing, self.evaluated)))?;
        output.say(format_args!(
            "predicted by the noise:  {:.1} of {}, {:.2} %; {low:.1} to {high:.1} with {INTERVAL_DEVIATIONS} \
             standard deviations",
            self.predicted,
            self.evaluated,
            100.0 * self.predicted / self.evaluated as f64,
        ))?;
        output.say(format_args!("time an image:           {:.2} s", self.seconds / self.evaluated as f64))
    }

    pub(super) fn json(&self) -> Value {
        let (low, high) = self.interval();
        json!({
            "evaluated": self.evaluated,
            "resumed": self.resumed,
            "correct": self.correct,
            "standard_error": self.standard_error(),
            "agreeing": self.agreeing,
            "predicted_agreeing": self.predicted,
            "predicted_interval": [low, high],
            "seconds": self.seconds,
        })
    }
}
