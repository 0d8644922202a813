//! Server: evaluates a network on the two files of the paper's client.

use std::path::PathBuf;

use bnn::paper::answer_to_bytes;

use crate::{
    arguments::paper::PaperInfer,
    commands::{
        batch::Batch,
        infer::saved::{self, Run},
    },
    error::{Error, Result},
    files::{input::check_stdin_once, keys, lookup, output::Target, paper},
    session::Session,
};

pub(crate) fn run(arguments: &PaperInfer, session: &Session) -> Result<()> {
    let [signs, magnitudes] = &arguments.files[..] else {
        return Err(Error::PaperFiles { count: arguments.files.len() });
    };
    let mut inputs: Vec<PathBuf> = [signs, magnitudes, &arguments.cloud_key.path].map(PathBuf::clone).into();
    inputs.extend(lookup::files(&arguments.model.name));
    check_stdin_once(&inputs)?;
    let existing = arguments.overwriting.existing();
    let target = Target::new(&arguments.out, existing, &inputs)?;
    let output = target.words(session.output)?;
    let backend = session.backend()?;
    let model = lookup::model(&arguments.model.name)?;
    let key = keys::cloud_key(&arguments.cloud_key.path)?;
    keys::check_library_set(key.content.parameters(), &key.name)?;
    let image = paper::image(&model, [signs, magnitudes], &key.content)?;
    let run = Run {
        options: &arguments.running,
        existing,
        inputs: &inputs,
        target: &target,
        to_bytes: answer_to_bytes,
        backend,
        output,
        batch: &Batch::new(1, output),
    };
    saved::run(&run, &model, &image, || Ok(key))
}
