//! Measures accuracy on a labelled data set: of the integer network and, if asked, of the encrypted one beside it.

mod record;

use std::{ops::Range, path::Path};

use bnn::{
    Error as NetworkError,
    data::{IdxImages, IdxLabels},
    encoding::EncodedImage,
    engine::{self, functional::Plan},
    model::Model,
};
use rayon::prelude::*;
use serde_json::json;
use tfhe_core::{
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    random::SecretSeed,
    serial::Existing,
};

use self::record::{Entry, Record};
use super::Session;
use crate::{
    arguments::Evaluate,
    error::Result,
    files, lookup, progress,
    report::{self, Output},
};

/// Noisy evaluations in the clear by which one image's agreement is predicted.
const TRIALS: u32 = 100;
/// Standard deviations of the interval around a predicted count.
const INTERVAL_DEVIATIONS: f64 = 4.0;

/// The pictures to evaluate, with what the integer network says of them.
struct Selection {
    range: Range<usize>,
    images: Vec<Labelled>,
    /// Pictures with larger values than the model accepts: a client would not send them, so they count as wrong.
    refused: usize,
}

/// A picture that the model accepts.
struct Labelled {
    index: usize,
    image: EncodedImage,
    label: usize,
    /// The label of the integer network.
    integer: usize,
}

impl Selection {
    fn open(arguments: &Evaluate, model: &Model) -> Result<Self> {
        let (images, labels) = (IdxImages::open(&arguments.images)?, IdxLabels::open(&arguments.labels)?);
        let range = range(&images, &labels, arguments)?;
        let evaluate = |index: usize| -> bnn::Result<Option<Labelled>> {
            let image = match model.input().encode(&images.image(index)?) {
                Err(NetworkError::TooManyActive { .. } | NetworkError::TooMuchContrast { .. }) => {
                    return Ok(None);
                }
                encoded => encoded?,
            };
            let integer = engine::evaluate(model, &image)?.label();
            Ok(Some(Labelled { index, image, label: labels.as_slice()[index].into(), integer }))
        };
        let evaluated: Vec<Option<Labelled>> =
            range.clone().into_par_iter().map(evaluate).collect::<bnn::Result<_>>()?;
        let images: Vec<Labelled> = evaluated.into_iter().flatten().collect();
        let refused = range.len() - images.len();
        Ok(Self { range, images, refused })
    }

    /// How many the integer network gets right.
    fn correct(&self) -> usize {
        self.images.iter().filter(|image| image.integer == image.label).count()
    }
}

/// The indices asked for, of a data set whose labels are as many as its images.
fn range(images: &IdxImages, labels: &IdxLabels, arguments: &Evaluate) -> Result<Range<usize>> {
    let (count, label_count) = (images.len(), labels.as_slice().len());
    if count != label_count {
        let path = arguments.labels.clone();
        return Err(NetworkError::LabelCount { path, labels: label_count, images: count }.into());
    }
    let (start, path) = (arguments.start, arguments.images.clone());
    if start >= count {
        return Err(NetworkError::ImageIndex { path, index: start, count }.into());
    }
    let limit = arguments.limit.map_or(count, Into::into);
    Ok(start..count.min(start.saturating_add(limit)))
}

pub(super) fn run(arguments: &Evaluate, session: &Session) -> Result<()> {
    let output = session.output;
    let model = lookup::model(&arguments.model.name)?;
    if let Some(record) = &arguments.record {
        files::check_output(record, Existing::Replace, &[])?;
    }
    let selection = progress::spinner("evaluating in the clear", || Selection::open(arguments, &model))?;
    output.say(format_args!(
        "{} on the images {} to {} of {}{}",
        model.name(),
        selection.range.start,
        selection.range.end - 1,
        arguments.images.display(),
        match selection.refused {
            0 => String::new(),
            refused => format!(" ({refused} beyond the values the model accepts, which count as wrong)"),
        },
    ))?;
    output.say(format_args!(
        "accuracy in the clear:   {}",
        report::share(selection.correct(), selection.range.len())
    ))?;
    let evaluate = || evaluate_encrypted(&model, &selection, arguments.record.as_deref(), session);
    let encrypted = arguments.encrypted.then(evaluate).transpose()?;
    output.give(&json!({
        "model": super::model_json(&model),
        "start": selection.range.start,
        "images": selection.range.len(),
        "refused": selection.refused,
        "integer_correct": selection.correct(),
        "encrypted": encrypted.map(|summary| summary.json()),
    }))
}

/// Evaluates the pictures that the record does not have yet.
fn evaluate_encrypted(
    model: &Model,
    selection: &Selection,
    path: Option<&Path>,
    session: &Session,
) -> Result<Summary> {
    let plan = Plan::cheapest(model)?;
    let mut record = match path {
        Some(path) => Record::open(path, |entry| check(entry, model, selection))?,
        None => Record::in_memory(),
    };
    let (done, left): (Vec<&Labelled>, Vec<&Labelled>) =
        selection.images.iter().partition(|image| record.entries.contains_key(&image.index));
    if let (Some(path), 1..) = (path, done.len()) {
        session.output.say(format_args!("{}: {} images are done already", path.display(), done.len()))?;
    }
    if !left.is_empty() {
        let keys = Keys::generate(&plan, session)?;
        let bar = progress::Count::images(left.len());
        for image in left {
            record.add(keys.evaluate(&plan, model, image)?)?;
            bar.add(1);
        }
        bar.finish();
    }
    let entries = selection.images.iter().filter_map(|image| record.entries.get(&image.index));
    let summary = Summary::of(entries, selection, done.len());
    summary.tell(session.output)?;
    Ok(summary)
}

/// Whether a recorded image is of this model and of this data set, as far as one can tell.
fn check(entry: &Entry, model: &Model, selection: &Selection) -> std::result::Result<(), String> {
    if !(0.0..=1.0).contains(&entry.predicted) || !(0.0..1e9).contains(&entry.seconds) {
        return Err(format!("the numbers of image {} are none that an evaluation gives", entry.index));
    }
    if entry.model != report::hex(&model.digest()) {
        return Err(format!("image {} was evaluated with another model than {}", entry.index, model.name()));
    }
    let image = selection.images.iter().find(|image| image.index == entry.index);
    match image {
        Some(image) if (image.label, image.integer) != (entry.label, entry.integer) => {
            Err(format!("image {} is one of another data set", entry.index))
        }
        // An image outside the range asked for is not looked at.
        _ => Ok(()),
    }
}

/// A fresh key of this process, client's and server's side.
struct Keys {
    secret: SecretKey,
    evaluator: Evaluator,
}

impl Keys {
    fn generate(plan: &Plan<'_>, session: &Session) -> Result<Self> {
        let backend = session.backend()?;
        let secret = SecretKey::generate(plan.parameters(), SecretSeed::from_os()?);
        let seed = SecretSeed::from_os()?;
        let evaluator =
            progress::spinner("making keys", || Evaluator::new(&CloudKey::generate(&secret, seed), backend))?;
        Ok(Self { secret, evaluator })
    }

    fn evaluate(&self, plan: &Plan, model: &Model, image: &Labelled) -> Result<Entry> {
        let seed = SecretSeed::from_os()?;
        let (scores, duration) = report::timed(|| {
            let encrypted = plan.encrypt(&self.secret, &image.image, seed)?;
            let scores = plan.infer(&self.evaluator, &encrypted, |_| {})?;
            plan.decrypt(&self.secret, &scores)
        });
        // The index as the seed: the same image is predicted the same in every run.
        let agreement = plan.predict(&image.image, TRIALS, image.index as u64)?;
        Ok(Entry {
            index: image.index,
            label: image.label,
            integer: image.integer,
            encrypted: scores?.label(),
            predicted: agreement,
            model: report::hex(&model.digest()),
            seconds: duration.as_secs_f64(),
        })
    }
}

/// What an encrypted evaluation comes to.
struct Summary {
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
    fn of<'a>(entries: impl Iterator<Item = &'a Entry>, selection: &Selection, resumed: usize) -> Self {
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

    fn tell(&self, output: Output) -> Result<()> {
        output.say(format_args!(
            "accuracy encrypted:      {} (standard error {:.2} %)",
            report::share(self.correct, self.images),
            100.0 * self.standard_error(),
        ))?;
        if self.evaluated == 0 {
            return Ok(());
        }
        let (low, high) = self.interval();
        output
            .say(format_args!("labels equal:            {}", report::share(self.agreeing, self.evaluated)))?;
        output.say(format_args!(
            "predicted by the noise:  {:.1} of {}, {:.2} %; {low:.1} to {high:.1} with {INTERVAL_DEVIATIONS} \
             standard deviations",
            self.predicted,
            self.evaluated,
            100.0 * self.predicted / self.evaluated as f64,
        ))?;
        output.say(format_args!("time an image:           {:.2} s", self.seconds / self.evaluated as f64))
    }

    fn json(&self) -> serde_json::Value {
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
