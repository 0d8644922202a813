//! Client: decrypts scores, and prints them with the label.

use std::time::Duration;

use bnn::{
    client::{Client, ClientSpecification, EncryptedScores, Scores},
    data::GreyImage,
    engine::evaluate,
    model::Model,
};
use serde_json::json;

use crate::{
    arguments::{client::Decrypt, shared::Comparison},
    commands::encrypt::{client, prepare, show_changed},
    error::{About, Error, Result},
    files::{encrypted, keys, named::Named, picture::picture},
    session::Session,
    terminal::{description, output::Output, units},
};

pub(crate) fn run(arguments: &Decrypt, session: &Session) -> Result<()> {
    let encrypted = encrypted::scores(&arguments.file)?;
    let (client, model) = client(&arguments.client, keys::secret_key(&arguments.key.path)?)?;
    let plain = plain(model.as_deref(), &arguments.comparison, session.output)?;
    let (scores, _) = decrypt(&client.content, &encrypted)?;
    show(client.content.specification(), &scores, plain.as_ref(), session.output)
}

/// What the model says in the clear of the picture to compare with, if one is named. Without a model, none can be.
///
/// # Errors
/// Where the picture cannot be read, or does not fit.
pub(crate) fn plain(
    model: Option<&Model>,
    comparison: &Comparison,
    output: Output,
) -> Result<Option<Named<Scores>>> {
    let (Some(model), Some(path)) = (model, &comparison.image) else { return Ok(None) };
    let image = prepare(picture(path, comparison.index)?, &comparison.preparing, model.input())?;
    show_changed(&image, &comparison.preparing, output)?;
    let content = in_the_clear(model, &image)?;
    Ok(Some(Named { name: image.name, content }))
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
/// [`Error::ScoresDiffer`] where they are not the same.
pub(crate) fn show(
    specification: &ClientSpecification,
    scores: &Scores,
    plain: Option<&Named<Scores>>,
    output: Output,
) -> Result<()> {
    let labels = specification.labels();
    output.say(description::score_table(scores, labels))?;
    output.say(format_args!("\nThe label is {}.", labels[scores.label()]))?;
    let equal = plain.map(|plain| compare(scores, plain, labels, output)).transpose()?;
    output.give(&json!({
        "model": description::client_json(specification),
        "scores": scores.reals(),
        "label": scores.label(),
        "equal_to_plain": equal,
    }))?;
    if equal == Some(false) { Err(Error::ScoresDiffer) } else { Ok(()) }
}

/// Whether the scores are those of the network in the clear.
fn compare(scores: &Scores, plain: &Named<Scores>, labels: &[String], output: Output) -> Result<bool> {
    let equal = scores == &plain.content;
    let verdict = if equal { "equal, bit for bit, those of" } else { "differ from those of" };
    output.say(format_args!("The scores {verdict} the network in the clear on {}.", plain.name.display()))?;
    if !equal {
        output.say(description::score_table(&plain.content, labels))?;
    }
    Ok(equal)
}
