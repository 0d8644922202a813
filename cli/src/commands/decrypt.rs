//! Client: decrypts scores, and prints them with the label.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bnn::{
    client::{Client, ClientSpecification, EncryptedScores, Scores},
    data::Image,
    engine::{Engine, evaluate, functional::Plan},
    model::Model,
};
use serde_json::json;

use crate::{
    arguments::{client::Decrypt, shared::Comparison},
    commands::{
        batch::Batch,
        encrypt::{client, prepare, show_changed},
    },
    error::{About, Error, Result},
    files::{encrypted, input::check_stdin_once, keys, named::Named, picture::picture},
    session::Session,
    terminal::{description, output::Output, progress, units},
};

/// Simulated runs by which noise is predicted.
const TRIALS: u32 = 200;

pub(crate) fn run(arguments: &Decrypt, session: &Session) -> Result<()> {
    let (files, comparison) = (&arguments.files, &arguments.comparison);
    if comparison.image.is_some() && files.len() > 1 {
        return Err(Error::OneComparison { count: files.len() });
    }
    let others =
        [Some(&arguments.key.path), arguments.client.specification.as_ref(), comparison.image.as_ref()];
    let inputs: Vec<PathBuf> = files.iter().chain(others.into_iter().flatten()).cloned().collect();
    check_stdin_once(&inputs)?;

    let (client, model) = client(&arguments.client, keys::secret_key(&arguments.key.path)?)?;
    let client = client.content;
    let plain = plain(model.as_ref(), &client, comparison, session.output)?;
    let mut batch = Batch::new(files.len(), session.output);
    let mut decrypted = Vec::new();
    for file in files {
        let one = || {
            let encrypted = encrypted::scores(file)?;
            let (content, _) = decrypt(&client, &encrypted)?;
            Ok(Named { name: encrypted.name, content })
        };
        decrypted.extend(batch.keep(file, one())?);
    }
    show(client.specification(), &decrypted, plain.as_ref(), &batch)?;
    batch.finish()
}

/// What the network in the clear says of a picture.
pub(crate) struct Plain {
    scores: Named<Scores>,
    /// The probability of the same label by the noise formulas; none where the engine is exact.
    agreement: Option<f64>,
}

/// What the model says in the clear of the picture to compare with, if one is named. Without a model, none can be.
///
/// # Errors
/// Where the picture cannot be read, or does not fit.
pub(crate) fn plain(
    model: Option<&Arc<Model>>,
    client: &Client,
    comparison: &Comparison,
    output: Output,
) -> Result<Option<Plain>> {
    let (Some(model), Some(path)) = (model, &comparison.image) else { return Ok(None) };
    let image = prepare(picture(path, comparison.index)?, &comparison.preparing, model.input())?;
    show_changed(&image, &comparison.preparing, output)?;
    let encoded = model.input().encode(&image.content).about(&image.name)?;
    let content = evaluate(model, &encoded)?;
    let agreement = match client.engine() {
        Engine::Gates => None,
        Engine::Functional => {
            let plan = Plan::new(Arc::clone(model), client.parameters())?;
            Some(progress::spinner("simulating noise", || plan.predict(&encoded, TRIALS, 0))?)
        }
    };
    Ok(Some(Plain { scores: Named { name: image.name, content }, agreement }))
}

/// The scores of a picture by the network in the clear.
///
/// # Errors
/// [`Error::Network`], about the picture, where it does not fit.
pub(crate) fn in_the_clear(model: &Model, image: &Named<Image>) -> Result<Scores> {
    let encoded = model.input().encode(&image.content).about(&image.name)?;
    Ok(evaluate(model, &encoded)?)
}

/// Decrypts scores, and says what it took.
///
/// # Errors
/// Where scores, key and model do not belong together.
pub(crate) fn decrypt(client: &Client, scores: &Named<EncryptedScores>) -> Result<(Scores, Duration)> {
    let (decrypted, duration) = units::timed(|| client.decrypt(&scores.content));
    Ok((decrypted.about(&scores.name)?, duration))
}

/// Prints scores, and compares them with those of the network in the clear on a picture, if there is one.
///
/// # Errors
/// [`Error::ScoresDiffer`] where they are not the same, and the engine is exact; [`Error::LabelsDiffer`] where the label is
/// not the same on an engine whose scores have noise.
pub(crate) fn show(
    specification: &ClientSpecification,
    decrypted: &[Named<Scores>],
    plain: Option<&Plain>,
    batch: &Batch,
) -> Result<()> {
    let (labels, output) = (specification.labels(), batch.output());
    say(labels, decrypted, plain, batch)?;
    let entry = |Named { name, content: scores }: &Named<Scores>| {
        json!({
            "input": name.display().to_string(),
            "scores": scores.reals(),
            "label": scores.label(),
            "equal_to_plain": plain.map(|plain| *scores == plain.scores.content),
            "plain_label": plain.map(|plain| plain.scores.content.label()),
            "predicted_agreement": plain.and_then(|plain| plain.agreement),
        })
    };
    output.give(&json!({
        "model": description::client_json(specification),
        "decrypted": decrypted.iter().map(entry).collect::<Vec<_>>(),
        "failed": batch.json(),
    }))?;
    decrypted.iter().try_for_each(|scores| check_equal(&scores.content, plain, labels))
}

/// Tells people scores and labels, in a line each where there are several, and how they compare with those of the network in
/// the clear, if that was run.
///
/// # Errors
/// Where stdout cannot be written.
pub(crate) fn say(
    labels: &[String],
    decrypted: &[Named<Scores>],
    plain: Option<&Plain>,
    batch: &Batch,
) -> Result<()> {
    let output = batch.output();
    let width = decrypted.iter().map(|scores| scores.name.display().to_string().chars().count()).max();
    for Named { name, content: scores } in decrypted {
        if batch.is_several() {
            let (name, width) = (name.display().to_string(), width.unwrap_or_default());
            output.say(format_args!("{name:width$}  {}", description::scores_line(scores, labels)))?;
        } else {
            output.say_lines(description::score_table(scores, labels))?;
            output.say_lines([String::new(), format!("The label is {}.", labels[scores.label()])])?;
        }
        if let Some(plain) = plain {
            compare(scores, plain, labels, output)?;
        }
    }
    Ok(())
}

/// Refuses scores that are not those of the network in the clear, or on an engine that has noise, not its label.
fn check_equal(scores: &Scores, plain: Option<&Plain>, labels: &[String]) -> Result<()> {
    let label = |scores: &Scores| labels[scores.label()].clone();
    match plain {
        Some(Plain { scores: exact, agreement: None }) if *scores != exact.content => {
            Err(Error::ScoresDiffer)
        }
        Some(Plain { scores: exact, agreement: Some(agreement) })
            if scores.label() != exact.content.label() =>
        {
            let (found, plain) = (label(scores), label(&exact.content));
            Err(Error::LabelsDiffer { found, plain, agreement: *agreement })
        }
        _ => Ok(()),
    }
}

/// Tells how the scores compare with those of the network in the clear.
fn compare(scores: &Scores, plain: &Plain, labels: &[String], output: Output) -> Result<()> {
    let Plain { scores: Named { name, content: exact }, agreement } = plain;
    let (name, equal) = (name.display(), scores == exact);
    match agreement {
        None => {
            let verdict = if equal { "equal, bit for bit, those of" } else { "differ from those of" };
            output.say(format_args!("The scores {verdict} the network in the clear on {name}."))?;
        }
        Some(agreement) => {
            let farthest = scores
                .reals()
                .iter()
                .zip(exact.reals())
                .fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
            let same = if scores.label() == exact.label() { "that" } else { "not that" };
            output.say(format_args!(
                "It is {same} of the network in the clear on {name}, whose scores differ by {farthest:.3} at most: the \
                 functional engine has noise, with which this label is the same in {:.0} of 100 runs by prediction.",
                100.0 * agreement
            ))?;
        }
    }
    if equal { Ok(()) } else { output.say_lines(description::score_table(exact, labels)) }
}
