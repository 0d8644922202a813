//! Client: decrypts scores, and prints them with the label.

use std::{path::Path, time::Duration};

use bnn::{
    data::GreyImage,
    encrypted::EncryptedScores,
    engine::{Scores, evaluate},
    model::Model,
};
use serde_json::json;

use super::{Session, paper};
use crate::{
    arguments::{Decrypt, Protocol},
    engine::{self, Engine},
    error::{About, Error, Result},
    files, lookup,
    report::{self, Output},
};

pub(super) fn run(arguments: &Decrypt, session: &Session) -> Result<()> {
    let output = session.output;
    let model = lookup::model(&arguments.model.name)?;
    let (scores, _) = match arguments.protocol {
        None => decrypt(&model, &arguments.file, &arguments.key)?,
        Some(Protocol::Paper) => paper::decrypt(&model, &arguments.file, &arguments.key)?,
    };
    output.say(report::score_table(&scores))?;
    output.say(format_args!("\nThe label is {}.", scores.label()))?;
    let equal = match &arguments.compare {
        None => None,
        Some(path) => Some(compare(&model, &scores, &GreyImage::load(path, arguments.index)?, output)?),
    };
    output.give(&json!({
        "model": super::model_json(&model),
        "scores": scores.reals(),
        "label": scores.label(),
        "equal_to_plain": equal,
    }))?;
    if equal == Some(false) { Err(Error::ScoresDiffer) } else { Ok(()) }
}

/// Whether the scores are those of the network in the clear.
fn compare(model: &Model, scores: &Scores, image: &GreyImage, output: Output) -> Result<bool> {
    let plain = evaluate(model, &model.input().encode(image)?)?;
    let equal = scores == &plain;
    let verdict = if equal { "equal, bit for bit, those of" } else { "differ from those of" };
    output.say(format_args!("The scores {verdict} the network in the clear on {}.", image.origin()))?;
    if !equal {
        output.say(report::score_table(&plain))?;
    }
    Ok(equal)
}

/// Decrypts the scores in the file `input` with the key in the file `key`, and says what it took.
pub(super) fn decrypt(model: &Model, input: &Path, key: &Path) -> Result<(Scores, Duration)> {
    let scores = EncryptedScores::load(input)?;
    let secret = files::load_secret_key(key)?;
    Engine::of(secret.parameters()).about(key)?;
    let (decrypted, duration) = report::timed(|| engine::decrypt(model, &secret, &scores));
    Ok((decrypted.about(input)?, duration))
}
