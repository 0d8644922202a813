//! Lists the models that are found, or writes what a client needs of one.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::Arc,
};

use bnn::engine::{client_specification, functional::Plan};
use serde_json::{Value, json};

use crate::{
    arguments::files::Models,
    error::{Error, Result},
    files::{
        lookup::{self, ModelPlace},
        output::Target,
        whole::{Existing, Secrecy},
    },
    session::Session,
    terminal::{description, output::Output, units},
};

pub(crate) fn run(arguments: &Models, session: &Session) -> Result<()> {
    match &arguments.client {
        Some(name) => write_specification(name, arguments, session),
        None if arguments.overwriting.existing() == Existing::Replace => {
            Err(Error::NoEffect { option: "--force", place: "without --client" })
        }
        None => list(session.output),
    }
}

/// Writes the client specification of a model.
fn write_specification(name: &Path, arguments: &Models, session: &Session) -> Result<()> {
    let out = arguments.out.clone().unwrap_or_else(|| default_output(name));
    let target = Target::new(&out, arguments.overwriting.existing(), &lookup::files(name))?;
    let output = target.words(session.output)?;
    let model = lookup::model(name)?;
    let (specification, duration) = units::timed(|| client_specification(&model));
    let file = target.write(&specification?.to_bytes(), Secrecy::Everyone, duration)?;
    output.say(format_args!(
        "{}: what a client needs of the model {}: {}. It tells none of the weights",
        file.path.display(),
        model.name(),
        file.facts(),
    ))?;
    output.give(&json!({ "model": description::model_json(&model), "specification": file.json() }))
}

/// The specification's file, called after the model's name or the last part of its folder's.
fn default_output(name: &Path) -> PathBuf {
    let mut file = name.file_name().unwrap_or_default().to_owned();
    file.push(".client.json");
    file.into()
}

fn list(output: Output) -> Result<()> {
    lookup::check_named()?;
    let models = lookup::models();
    let width = models.keys().map(|name| shown(name).chars().count()).max().unwrap_or_default();
    let mut entries = Vec::new();
    for (file_name, place) in &models {
        let name = shown(file_name);
        let entry = match describe(place) {
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
        entries.push(with_place(entry, &name, place));
    }
    output.give(&json!({ "models": entries }))
}

/// A name that may not be UTF-8, as it is shown.
fn shown(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// What a model is, in a line for people and in JSON.
fn describe(place: &ModelPlace) -> Result<(String, Value)> {
    let model = place.open()?;
    let functional = Plan::cheapest(Arc::clone(&model)).ok();
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

fn with_place(mut entry: Value, name: &str, place: &ModelPlace) -> Value {
    entry["name"] = name.into();
    entry["folder"] = place.folder().map(|folder| folder.display().to_string()).into();
    entry
}
