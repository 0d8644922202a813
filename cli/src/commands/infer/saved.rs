//! A run that is saved as it goes, and can go on where it was stopped: that of a network as a circuit of gates, which takes minutes to hours, and
//! one of the functional engine, where that was asked for.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use bnn::{
    client::{EncryptedImage, EncryptedScores},
    engine::{Inference, Server, is_saved_run},
    model::Model,
};
use serde_json::json;
use tfhe_core::{backend::Backend, keys::CloudKey};

use crate::{
    arguments::shared::Running,
    commands::{
        batch::{Batch, made_json},
        infer::cloud_key::{check_image, check_set, prepare},
    },
    error::{About, Error, Result},
    files::{
        folder::is_same,
        input::{Input, is_stdin},
        named::Named,
        output::{Target, check_file},
        whole::{Existing, Secrecy, write_whole},
    },
    terminal::{description, interrupt, output::Output, progress, units},
};

/// Bytes by which a saved run is told.
pub(crate) const START_BYTES: usize = 16;
/// The longest saved run that is read, in bytes: more than the ciphertexts of any network here.
pub(crate) const MOST_STATE_BYTES: u64 = 1 << 32;
/// After how many seconds a run is saved.
const SAVE_EVERY: f64 = 30.0;

/// What is to be run, and where it goes.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) options: &'a Running,
    pub(crate) existing: Existing,
    /// All files that the command reads.
    pub(crate) inputs: &'a [PathBuf],
    pub(crate) target: &'a Target,
    /// The form of the scores' file.
    pub(crate) to_bytes: fn(&EncryptedScores) -> bnn::Result<Vec<u8>>,
    pub(crate) backend: Backend,
    pub(crate) output: Output,
    /// The inputs of the command, of which others may have failed.
    pub(crate) batch: &'a Batch,
}

/// Evaluates a model on an encrypted picture. The key is read once everything else is known to fit.
///
/// # Errors
/// Where picture, key, model and saved run do not belong together, or an output cannot be written.
pub(crate) fn run(
    run: &Run<'_>,
    model: &Arc<Model>,
    image: &Named<EncryptedImage>,
    key: impl FnOnce() -> Result<Named<CloudKey>>,
) -> Result<()> {
    let (output, backend) = (run.output, run.backend);
    let mut state = State::find(run)?;
    model.check_image(&image.content).about(&image.name)?;
    let key = key()?;
    check_set(&key, image.content.parameters())?;
    check_image(image, &key.content)?;
    let Named { name: key, content } = key;
    let (evaluator, key_duration) = prepare(content, backend)?;
    let style = run.options.style.unwrap_or_default();
    let server = Server::new(Arc::clone(model), Arc::clone(&evaluator), style.into()).about(&key)?;
    let total = match server.gates() {
        Some(_) => progress::spinner("building the circuits", || server.bootstraps())?,
        None => server.bootstraps()?,
    };
    output.say(format_args!(
        "key     {}: prepared in {}, {} in memory, backend {backend}, {} threads",
        key.display(),
        units::duration(key_duration),
        units::size(evaluator.key_bytes() as u64),
        rayon::current_num_threads(),
    ))?;
    match server.gates() {
        Some(plan) => output.say(format_args!(
            "circuit {}, {style}: {total} bootstraps; any wrong bit in all of them with probability 2^{:.0} at most",
            model.name(),
            plan.log2_failure(total),
        ))?,
        None => output.say(format_args!("network {}: {total} bootstraps", model.name()))?,
    }
    let mut inference = begin(&mut state, run, &server, image, total)?;

    let before = inference.bootstraps();
    let save_every = run.options.save_every.unwrap_or(SAVE_EVERY);
    let what = if server.gates().is_some() { "gates" } else { "bootstraps" };
    let bar = Arc::new(progress::Saved::new(what, total, before));
    let (finished, duration) = units::timed(|| finish(&mut inference, &bar, &state, save_every));
    finished?;
    let scores = inference.scores()?;
    let bytes = (run.to_bytes)(&scores).about(run.target.name())?;
    let written = run.target.write(&bytes, Secrecy::Everyone, duration)?;
    if let Some(path) = &state.path {
        // The run is over: what cannot be removed does no harm.
        let _ = fs::remove_file(path);
    }
    let done = inference.bootstraps() - before;
    let speed = done as f64 / duration.as_secs_f64();
    output.say(format_args!(
        "scores  {}: {}, {done} bootstraps of the model {}, {speed:.0} a second. Still encrypted: send it to the client",
        written.path.display(),
        written.facts(),
        model.name(),
    ))?;
    output.give(&json!({
        "model": description::model_json(model),
        "inference": {
            "scores": [made_json(&image.name, &written)],
            "seconds": duration.as_secs_f64(),
            "backend": backend.to_string(),
            "threads": rayon::current_num_threads(),
            "bootstraps": inference.bootstraps(),
            "bootstraps_before_resumption": before,
            "key_bytes_in_memory": evaluator.key_bytes(),
            "key_seconds": key_duration.as_secs_f64(),
        },
        "failed": run.batch.json(),
    }))
}

/// Where a run is saved.
struct State {
    /// None where it is not saved.
    path: Option<PathBuf>,
    /// The run that was saved there before, if any: opened, and read if it is to go on.
    saved: Option<Input>,
}

impl State {
    /// The place that was asked for, else one beside the output, if the output is a file.
    fn find(run: &Run<'_>) -> Result<Self> {
        let beside = |output: &Path| {
            let mut name = output.to_owned().into_os_string();
            name.push(".state");
            PathBuf::from(name)
        };
        let Some(path) = run.options.state.clone().or_else(|| run.target.file().map(beside)) else {
            return if run.options.resume {
                Err(Error::NeedsState)
            } else if run.options.save_every.is_some() {
                Err(Error::NoEffect { option: "--save-every", place: "where no --state names a file" })
            } else {
                Ok(Self { path: None, saved: None })
            };
        };
        let mut others = run.inputs.iter().map(PathBuf::as_path).chain(run.target.file());
        if is_stdin(&path) {
            return Err(Error::NoStdout);
        }
        if others.any(|other| is_same(&path, other)) {
            return Err(Error::StateIsOther { path });
        }
        check_file(&path, Existing::Replace, &[])?;
        let saved = path.symlink_metadata().is_ok().then(|| saved_run(&path)).transpose()?;
        if saved.is_some() && !run.options.resume && run.existing == Existing::Refuse {
            return Err(Error::SavedRun { path });
        }
        Ok(Self { path: Some(path), saved })
    }

    /// Saves a run, if there is a place for it.
    fn save(&self, inference: &Inference) -> Result<()> {
        match &self.path {
            Some(path) => {
                let bytes = inference.save().about(path)?;
                interrupt::hold(|| write_whole(&bytes, path, Existing::Replace, Secrecy::Everyone))
            }
            None => Ok(()),
        }
    }
}

/// Opens a saved run, unless the file begins as none does.
fn saved_run(path: &Path) -> Result<Input> {
    let mut input = Input::open(path)?;
    if !is_saved_run(input.start(START_BYTES)?) {
        return Err(Error::NoSavedRun { path: path.into() });
    }
    Ok(input)
}

/// Begins the run, or goes on with the saved one if that was asked for.
fn begin(
    state: &mut State,
    run: &Run<'_>,
    server: &Server,
    image: &Named<EncryptedImage>,
    bootstraps: usize,
) -> Result<Inference> {
    let asked = state.path.as_deref().filter(|_| run.options.resume);
    match (asked, state.saved.take()) {
        (Some(path), Some(saved)) => {
            let inference = server.resume(&image.content, &saved.bytes(MOST_STATE_BYTES)?).about(path)?;
            if inference.bootstraps() > bootstraps {
                let reason = "damaged: more bootstraps are done than there are";
                return Err(bnn::Error::State { reason }).about(path);
            }
            let done = inference.bootstraps();
            run.output.say(format_args!("resumed {}: {done} bootstraps are done", path.display()))?;
            return Ok(inference);
        }
        (Some(path), None) => {
            let path = path.display();
            run.output.say(format_args!("state   {path}: no run is saved there, so this one begins"))?;
        }
        (None, _) => {}
    }
    server.start(&image.content).about(&image.name)
}

/// Runs to the end, saving every `interval` seconds and after each layer.
fn finish(inference: &mut Inference, bar: &Arc<progress::Saved>, state: &State, interval: f64) -> Result<()> {
    let control = progress::Saved::control(bar);
    let mut saved = Instant::now();
    let mut layer = inference.layer().map(str::to_owned);
    while inference.advance(&control)? > 0 {
        let now = inference.layer().map(str::to_owned);
        bar.show(inference.bootstraps(), now.as_deref());
        if now != layer || saved.elapsed().as_secs_f64() >= interval {
            state.save(inference)?;
            (saved, layer) = (Instant::now(), now);
        }
    }
    bar.finish();
    Ok(())
}
