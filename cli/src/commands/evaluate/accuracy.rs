//! The command: accuracy of the integer network and, if asked, of the encrypted one beside it.

use std::{path::Path, sync::Arc};

use bnn::{
    circuit::Style,
    client::Client,
    engine::{Server, client_specification, functional::Plan},
    model::Model,
};
use serde_json::json;
use tfhe_core::{
    control::Control,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    random::SecretSeed,
};

use crate::{
    arguments::trials::Evaluate,
    commands::evaluate::{
        record::{Entry, Record},
        selection::{Labelled, Selection},
        summary::{Summary, TRIALS},
    },
    error::Result,
    files::{input, lookup, output::check_file, whole::Existing},
    session::Session,
    terminal::{description, progress, units},
};

pub(crate) fn run(arguments: &Evaluate, session: &Session) -> Result<()> {
    let output = session.output;
    input::check_stdin_once(&[arguments.images.clone(), arguments.labels.clone()])?;
    let model = lookup::model(&arguments.model.name)?;
    if let Some(record) = &arguments.record {
        check_file(record, Existing::Replace, &[arguments.images.clone(), arguments.labels.clone()])?;
    }
    let selection = progress::spinner("evaluating in the clear", || Selection::open(arguments, &model))?;
    output.say(format_args!(
        "{} on the images {} to {} of {}{}",
        model.name(),
        selection.range.start,
        selection.range.end - 1,
        input::name(&arguments.images).display(),
        match &selection.refused[..] {
            [] => String::new(),
            [first, ..] => format!(
                " ({} refused, which count as wrong; the first, image {}: {})",
                selection.refused.len(),
                first.index,
                first.why.line()
            ),
        },
    ))?;
    output.say(format_args!(
        "accuracy in the clear:   {}",
        units::share(selection.correct(), selection.range.len())
    ))?;
    let evaluate = || evaluate_encrypted(&model, &selection, arguments.record.as_deref(), session);
    let encrypted = arguments.encrypted.then(evaluate).transpose()?;
    output.give(&json!({
        "model": description::model_json(&model),
        "start": selection.range.start,
        "images": selection.range.len(),
        "refused": selection.refused.len(),
        "integer_correct": selection.correct(),
        "encrypted": encrypted.map(|summary| summary.json()),
    }))
}

/// Evaluates the pictures that the record does not have yet.
fn evaluate_encrypted(
    model: &Arc<Model>,
    selection: &Selection,
    path: Option<&Path>,
    session: &Session,
) -> Result<Summary> {
    let plan = Plan::cheapest(Arc::clone(model))?;
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
        let sides = Sides::new(&plan, model, session)?;
        let bar = progress::Count::images(left.len());
        for image in left {
            record.add(sides.evaluate(&plan, image)?)?;
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
    if entry.model != units::hex(&model.digest()) {
        return Err(format!("image {} was evaluated with another model than {}", entry.index, model.name()));
    }
    let other =
        || Err(format!("image {} is one of another data set, or was prepared in another way", entry.index));
    let Some(image) = selection.picture(entry.index, model) else { return other() };
    if image.label != entry.label || image.digest() != entry.image {
        return other();
    }
    if image.integer != entry.integer || entry.encrypted >= model.classes() {
        return Err(format!("the labels of image {} are none that an evaluation gives", entry.index));
    }
    Ok(())
}

/// Client and server of a model, with a fresh key of this process.
struct Sides {
    client: Client,
    server: Server,
    model: String,
}

impl Sides {
    fn new(plan: &Plan, model: &Arc<Model>, session: &Session) -> Result<Self> {
        let backend = session.backend()?;
        let secret = Arc::new(SecretKey::generate(plan.parameters(), SecretSeed::from_os()?));
        let seed = SecretSeed::from_os()?;
        let make = || {
            let cloud = CloudKey::generate(&secret, seed)?;
            Evaluator::new(&cloud, backend)
        };
        let evaluator = Arc::new(progress::spinner("making keys", make)?);
        Ok(Self {
            client: Client::new(Arc::new(client_specification(model)?), secret)?,
            server: Server::new(Arc::clone(model), evaluator, Style::Optimized)?,
            model: units::hex(&model.digest()),
        })
    }

    fn evaluate(&self, plan: &Plan, image: &Labelled) -> Result<Entry> {
        let seed = SecretSeed::from_os()?;
        let (scores, duration) = units::timed(|| {
            let encrypted = self.client.encrypt(&image.image, seed)?;
            self.client.decrypt(&self.server.infer(&encrypted, &Control::default())?)
        });
        // The index as the seed: the same image is predicted the same in every run.
        let agreement = plan.predict(&image.image, TRIALS, image.index as u64)?;
        Ok(Entry {
            index: image.index,
            label: image.label,
            integer: image.integer,
            encrypted: scores?.label(),
            predicted: agreement,
            model: self.model.clone(),
            image: image.digest(),
            seconds: duration.as_secs_f64(),
        })
    }
}
