//! Client: decrypts scores, and prints them with the label.

use std::{sync::Arc, time::Duration};

use bnn::{
    client::{Client, ClientSpecification, EncryptedScores, Scores},
    data::GreyImage,
    engine::{Engine, evaluate, functional::Plan},
    model::Model,
};
use serde_json::json;

use crate::{
    arguments::{client::Decrypt, shared::Comparison},
    commands::encrypt::{client, prepare, show_changed},
    error::{About, Error, Result},
    files::{encrypted, keys, named::Named, picture::picture},
    session::Session,
    terminal::{description, output::Output, progress, units},
};

/// Simulated runs by which noise is predicted.
const TRIALS: u32 = 200;

pub(crate) fn run(arguments: &Decrypt, session: &Session) -> Result<()> {
    let encrypted = encrypted::scores(&arguments.file)?;
    let (client, model) = client(&arguments.client, keys::secret_key(&arguments.key.path)?)?;
    let plain = plain(model.as_ref(), &client.content, &arguments.comparison, session.output)?;
    let (scores, _) = decrypt(&client.content, &encrypted)?;
    show(client.content.specification(), &scores, plain.as_ref(), session.output)
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
pub(crate) fn in_the_clear(model: &Model, image: &Named<GreyImage>) -> Result<Scores> {
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

/// Prints scores, and compares them with those of the network in the clear on a picture.
///
/// # Errors
/// [`Error::ScoresDiffer`] where they are not the same, and the engine is exact; [`Error::LabelsDiffer`] where the label is
/// not the same on an engine whose scores have noise.
pub(crate) fn show(
    specification: &ClientSpecification,
    scores: &Scores,
    plain: Option<&Plain>,
    output: Output,
) -> Result<()> {
    let labels = specification.labels();
    output.say(description::score_table(scores, labels))?;
    output.say(format_args!("\nThe label is {}.", labels[scores.label()]))?;
    if let Some(plain) = plain {
        compare(scores, plain, labels, output)?;
    }
    output.give(&json!({
        "model": description::client_json(specification),
        "scores": scores.reals(),
        "label": scores.label(),
        "equal_to_plain": plain.map(|plain| *scores == plain.scores.content),
        "plain_label": plain.map(|plain| plain.scores.content.label()),
        "predicted_agreement": plain.and_then(|plain| plain.agreement),
    }))?;
    match plain {
        Some(Plain { scores: exact, agreement: None }) if *scores != exact.content => {
            Err(Error::ScoresDiffer)
        }
        Some(Plain { scores: exact, agreement: Some(agreement) })
            if scores.label() != exact.content.label() =>
        {
            let label = |scores: &Scores| labels[scores.label()].clone();
            Err(Error::LabelsDiffer {
                found: label(scores),
                plain: label(&exact.content),
                agreement: *agreement,
            })
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
    if equal { Ok(()) } else { output.say(description::score_table(exact, labels)) }
}
