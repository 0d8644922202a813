//! Client: decrypts scores, and prints them with the label.

use std::{path::Path, time::Duration};

use bnn::{
    encrypted::EncryptedScores,
    engine::{Scores, functional::Plan},
    model::Model,
};
use serde_json::json;

use super::{PARAMETERS, Session};
use crate::{
    arguments::Decrypt,
    error::{About, Result},
    files, lookup, report,
};

pub(super) fn run(arguments: &Decrypt, session: &Session) -> Result<()> {
    let output = session.output;
    let model = lookup::model(&arguments.model.name)?;
    let (scores, _) = decrypt(&model, &arguments.file, &arguments.key)?;
    output.say(report::score_table(&scores))?;
    output.say(format_args!("\nThe label is {}.", scores.label()))?;
    output.give(&json!({
        "model": super::model_json(&model),
        "scores": scores.reals(),
        "label": scores.label(),
    }))
}

/// Decrypts the scores in the file `input` with the key in the file `key`, and says what it took.
pub(super) fn decrypt(model: &Model, input: &Path, key: &Path) -> Result<(Scores, Duration)> {
    let plan = Plan::new(model, PARAMETERS)?;
    let scores = EncryptedScores::load(input)?;
    let secret = files::load_secret_key(key)?;
    let (decrypted, duration) = report::timed(|| plan.decrypt(&secret, &scores));
    Ok((decrypted.about(input)?, duration))
}
