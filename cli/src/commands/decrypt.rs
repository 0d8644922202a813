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
    arguments::{
        client::Decrypt,
        shared::{ClientChoice, Comparison},
    },
    commands::encrypt::client,
    error::{About, Error, Result},
    files::{encrypted, keys, lookup, named::Named, picture::picture},
    session::Session,
    terminal::{description, output::Output, units},
};

pub(crate) fn run(arguments: &Decrypt, session: &Session) -> Result<()> {
    let choice = &arguments.client;
    let encrypted = encrypted::scores(&arguments.file)?;
    let client = client(choice, keys::secret_key(&arguments.key.path)?)?.content;
    let plain = plain(choice, &arguments.comparison)?;
    let (scores, _) = decrypt(&client, &encrypted)?;
    show(client.specification(), &scores, plain.as_ref(), session.output)
}

/// What the model says in the clear of the picture to compare with, if one is named.
///
/// # Errors
/// Where the picture or the model cannot be read, or they do not fit.
pub(crate) fn plain(choice: &ClientChoice, comparison: &Comparison) -> Result<Option<Named<Scores>>> {
    let evaluated = |path| {
        let image = picture(path, comparison.index)?;
        let content = in_the_clear(&*lookup::model(&choice.model.name)?, &image)?;
        Ok(Named { name: image.name, content })
    };
    comparison.image.as_deref().map(evaluated).transpose()
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
