//! Lists the models that are found.

use std::path::Path;

use bnn::engine::functional::Plan;
use serde_json::{Value, json};

use crate::{
    arguments::files::Models,
    error::Result,
    files::{lookup, model},
    session::Session,
    terminal::{description, units},
};

pub(crate) fn run(_arguments: &Models, session: &Session) -> Result<()> {
    let output = session.output;
    let models = lookup::models();
    if models.is_empty() {
        output.say("No models are found; name a folder of models in $BNN_MODELS.")?;
    }
    let width = models.keys().map(|name| name.chars().count()).max().unwrap_or_default();
    let mut entries = Vec::new();
    for (name, folder) in &models {
        let entry = match describe(folder) {
            Ok((line, entry)) => {
                output.say(format_args!("{name:width$}  {line}"))?;
                entry
            }
            // One broken model does not hide the others.
            Err(error) => {
                output.say(format_args!("{name:width$}  cannot be used: {}", error.line()))?;
                json!({ "error": error.line() })
            }
        };
        entries.push(with_place(entry, name, folder));
    }
    output.give(&json!({ "models": entries }))
}

/// What a model is, in a line for people and in JSON.
fn describe(folder: &Path) -> Result<(String, Value)> {
    let model = model::open(folder)?;
    let functional = Plan::cheapest(&model).ok();
    let bootstraps = functional.as_ref().map(Plan::bootstraps);
    let architecture = description::architecture(&model);
    let engines = if functional.is_some() { vec!["functional", "gates"] } else { vec!["gates"] };
    let cost = bootstraps.map_or_else(|| "gates only".into(), |count| format!("{count} bootstraps an image"));
    let line = format!("{architecture}  {cost}  {}", model.description());
    let entry = json!({
        "architecture": architecture,
        "engines": engines,
        "bootstraps": bootstraps,
        "description": model.description(),
        "digest": units::hex(&model.digest()),
    });
    Ok((line, entry))
}

fn with_place(mut entry: Value, name: &str, folder: &Path) -> Value {
    entry["name"] = name.into();
    entry["folder"] = folder.display().to_string().into();
    entry
}
