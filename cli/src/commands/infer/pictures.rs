//! The command: encrypted pictures in, encrypted scores out, by the engine that the pictures were encrypted for.

use std::path::{Path, PathBuf};

use bnn::{client::EncryptedScores, engine::Engine, model::Model};
use serde_json::json;

use crate::{
    arguments::server::Infer,
    commands::infer::{
        functional::{Inferred, infer},
        gates::{self, Run},
    },
    error::{About, Error, Result},
    files::{
        encrypted,
        folder::{check_folder, is_same},
        input, keys, lookup,
        output::Target,
    },
    session::Session,
    terminal::{description, output::Output, units},
};

pub(crate) fn run(arguments: &Infer, session: &Session) -> Result<()> {
    let outputs = outputs(arguments)?;
    let existing = arguments.overwriting.existing();
    let mut inputs: Vec<&Path> = arguments.files.iter().map(PathBuf::as_path).collect();
    inputs.push(&arguments.cloud_key.path);
    let targets: Vec<Target> =
        outputs.iter().map(|out| Target::new(out, existing, &inputs)).collect::<Result<_>>()?;
    let output = targets.iter().try_fold(session.output, |output, target| target.words(output))?;

    let backend = session.backend()?;
    let model = lookup::model(&arguments.model.name)?;
    let first = encrypted::image(&arguments.files[0])?;
    let key = || keys::cloud_key(&arguments.cloud_key.path);
    if Engine::of(first.content.parameters()).about(&first.name)? == Engine::Gates {
        if targets.len() > 1 {
            return Err(Error::OneAtATime { count: targets.len() });
        }
        let run = Run {
            options: &arguments.gates,
            existing,
            inputs: &inputs,
            target: &targets[0],
            to_bytes: EncryptedScores::to_bytes,
            backend,
            output,
        };
        return gates::run(&run, &model, &first, key);
    }
    if let Some(option) = arguments.gates.given() {
        return Err(Error::NoEffect { option, place: "on a picture for the functional engine" });
    }
    let mut images = vec![first];
    for file in &arguments.files[1..] {
        images.push(encrypted::image(file)?);
    }
    let inferred = infer(&model, &images, &targets, key, backend)?;
    tell(&inferred, &model, &input::name(&arguments.cloud_key.path), output)
}

/// Tells what was run.
fn tell(inferred: &Inferred, model: &Model, key: &Path, output: Output) -> Result<()> {
    output.say(format_args!(
        "key     {}: prepared in {}, {} in memory, backend {}, {} threads",
        key.display(),
        units::duration(inferred.key_duration),
        units::size(inferred.key_bytes as u64),
        inferred.backend,
        rayon::current_num_threads(),
    ))?;
    for scores in &inferred.scores {
        output.say(format_args!("scores  {}: {}", scores.path.display(), units::size(scores.bytes)))?;
    }
    let time = units::duration(inferred.duration);
    let count = match inferred.scores.len() {
        1 => time,
        count => format!("{count} images in {time}, {:.1} a minute", inferred.images_per_minute()),
    };
    output.say(format_args!(
        "time    {count}: {} bootstraps of the model {}, {:.0} a second",
        inferred.bootstraps,
        model.name(),
        inferred.bootstraps_per_second(),
    ))?;
    output.say("Scores are still encrypted: send them to the client")?;
    output.give(&json!({ "model": description::model_json(model), "inference": inferred.json() }))
}

/// The outputs, one for each picture; no two may be the same.
fn outputs(arguments: &Infer) -> Result<Vec<PathBuf>> {
    check_folder(&arguments.out_dir)?;
    let mut outputs: Vec<PathBuf> = Vec::new();
    for input in &arguments.files {
        let out = match &arguments.out {
            Some(_) if arguments.files.len() > 1 => {
                return Err(Error::OneOutput { count: arguments.files.len() });
            }
            Some(out) => out.clone(),
            None => arguments.out_dir.join(default_output(input)?),
        };
        if let Some(place) = outputs.iter().position(|other| is_same(other, &out)) {
            let first = arguments.files[place].clone();
            return Err(Error::SameOutput { first, second: input.clone(), out });
        }
        outputs.push(out);
    }
    Ok(outputs)
}

/// The input's name with `.scores`.
fn default_output(input: &Path) -> Result<PathBuf> {
    let mut name = input::stem(input)?.to_owned();
    name.push(".scores");
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn outputs_are_called_after_the_input() {
        assert_eq!(default_output("inbox/7.enc".as_ref()).unwrap(), Path::new("7.scores"));
        assert!(default_output("-".as_ref()).is_err());
    }
}
