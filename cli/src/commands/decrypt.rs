//! Client: decrypts scores, and prints them with the label.

use std::time::Duration;

use bnn::{
    data::GreyImage,
    encrypted::EncryptedScores,
    engine::{Scores, evaluate},
    model::Model,
};
use serde_json::json;
use tfhe_core::keys::SecretKey;

use crate::{
    arguments::{client::Decrypt, shared::Comparison},
    engine::{self, Engine},
    error::{About, Error, Result},
    files::{encrypted, keys, lookup, named::Named, picture::picture},
    session::Session,
    terminal::{description, output::Output, units},
};

pub(crate) fn run(arguments: &Decrypt, session: &Session) -> Result<()> {
    let model = lookup::model(&arguments.model.name)?;
    let encrypted = encrypted::scores(&arguments.file)?;
    let key = keys::secret_key(&arguments.key.path)?;
    let image = compared(&arguments.comparison)?;
    let (scores, _) = decrypt(&model, &encrypted, &key)?;
    show(&model, &scores, image.as_ref(), session.output)
}

/// The picture to compare with, if one is named.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn compared(comparison: &Comparison) -> Result<Option<Named<GreyImage>>> {
    comparison.image.as_ref().map(|path| picture(path, comparison.index)).transpose()
}

/// Decrypts scores, and says what it took.
///
/// # Errors
/// Where scores, key and model do not belong together.
pub(crate) fn decrypt(
    model: &Model,
    scores: &Named<EncryptedScores>,
    key: &Named<SecretKey>,
) -> Result<(Scores, Duration)> {
    Engine::of(key.content.parameters()).about(&key.name)?;
    let (decrypted, duration) = units::timed(|| engine::decrypt(model, &key.content, &scores.content));
    Ok((decrypted.about(&scores.name)?, duration))
}

/// Prints scores, and compares them with those of the network in the clear on a picture.
///
/// # Errors
/// [`Error::ScoresDiffer`] where they are not the same.
pub(crate) fn show(
    model: &Model,
    scores: &Scores,
    image: Option<&Named<GreyImage>>,
    output: Output,
) -> Result<()> {
    output.say(description::score_table(scores))?;
    output.say(format_args!("\nThe label is {}.", scores.label()))?;
    let equal = image.map(|image| compare(model, scores, image, output)).transpose()?;
    output.give(&json!({
        "model": description::model_json(model),
        "scores": scores.reals(),
        "label": scores.label(),
        "equal_to_plain": equal,
    }))?;
    if equal == Some(false) { Err(Error::ScoresDiffer) } else { Ok(()) }
}

/// Whether the scores are those of the network in the clear.
fn compare(model: &Model, scores: &Scores, image: &Named<GreyImage>, output: Output) -> Result<bool> {
    let plain = evaluate(model, &model.input().encode(&image.content)?)?;
    let equal = scores == &plain;
    let verdict = if equal { "equal, bit for bit, those of" } else { "differ from those of" };
    output.say(format_args!("The scores {verdict} the network in the clear on {}.", image.name.display()))?;
    if !equal {
        output.say(description::score_table(&plain))?;
    }
    Ok(equal)
}
