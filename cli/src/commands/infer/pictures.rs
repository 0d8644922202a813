//! The command: encrypted pictures in, encrypted scores out, by the engine that the pictures were encrypted for.

use std::{path::Path, sync::Arc};

use bnn::{
    client::EncryptedScores,
    engine::{Engine, functional::Plan},
    model::Model,
};
use serde_json::json;
use tfhe_core::parameters::Parameters;

use crate::{
    arguments::server::Infer,
    commands::{
        agreement,
        batch::{Batch, renamed},
        infer::{
            cloud_key::{check_image, check_set},
            functional::{Inferred, infer},
            saved::{self, Run},
        },
    },
    error::{About, Error, Result},
    files::{encrypted, keys, lookup, named::Named},
    session::Session,
    terminal::{description, output::Output, units},
};

pub(crate) fn run(arguments: &Infer, session: &Session) -> Result<()> {
    let mut inputs = arguments.files.clone();
    inputs.push(arguments.cloud_key.path.clone());
    inputs.extend(lookup::files(&arguments.model.name));
    let mut batch = Batch::new(arguments.files.len(), session.output);
    let name = |picture: &Path| renamed(picture, ".scores");
    let targets = batch.targets(&arguments.outputs, &arguments.files, name, &inputs)?;
    let output = batch.words(&targets)?;

    let backend = session.backend()?;
    let model = lookup::model(&arguments.model.name)?;
    let mut images = Vec::new();
    for (file, target) in targets {
        let checked = || {
            let image = encrypted::image(file)?;
            model.check_image(&image.content).about(&image.name)?;
            Ok((image, target))
        };
        images.extend(batch.keep(file, checked())?);
    }
    let Some((first, _)) = images.first() else { return give(&model, None, batch, output) };
    let needed = first.content.parameters();
    let engine = Engine::of(needed).about(&first.name)?;
    let key = || keys::cloud_key(&arguments.cloud_key.path);
    if engine == Engine::Functional {
        if arguments.running.style.is_some() {
            return Err(Error::NoEffect {
                option: "--style",
                place: "on a picture for the functional engine",
            });
        }
        let set =
            Parameters::named(needed.name()).expect("invariant: ciphertexts in files are of named sets");
        let plan = Plan::new(Arc::clone(&model), set)?;
        agreement::check(&plan, &model, arguments.accept_label_changes)?;
    }
    if engine == Engine::Gates || arguments.running.is_saved() {
        let [(image, target)] = &images[..] else {
            return Err(Error::OneAtATime { count: images.len() });
        };
        let run = Run {
            options: &arguments.running,
            existing: arguments.outputs.overwriting.existing(),
            inputs: &inputs,
            target,
            to_bytes: EncryptedScores::to_bytes,
            backend,
            output,
            batch: &batch,
        };
        saved::run(&run, &model, image, key)?;
        return batch.finish();
    }
    let key = key()?;
    check_set(&key, needed)?;
    let mut fitting = Vec::new();
    for (image, target) in images {
        let name = image.name.clone();
        let checked = check_image(&image, &key.content).map(|()| (image, target));
        fitting.extend(batch.keep(&name, checked)?);
    }
    if fitting.is_empty() {
        return give(&model, None, batch, output);
    }
    let Named { name: key, content } = key;
    let inferred = infer(&model, &fitting, content, backend, &mut batch)?;
    tell(&inferred, &model, &key, output)?;
    give(&model, Some(&inferred), batch, output)
}

/// Gives programs what was run, if anything could be, and ends the command.
fn give(model: &Model, inferred: Option<&Inferred>, batch: Batch, output: Output) -> Result<()> {
    output.give(&json!({
        "model": description::model_json(model),
        "inference": inferred.map(Inferred::json),
        "failed": batch.json(),
    }))?;
    batch.finish()
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
    for (_, scores) in &inferred.scores {
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
    output.say("Scores are still encrypted: send them to the client")
}
