//! Server: a network as a circuit of gates. It takes minutes to hours, so the run is saved as it goes, and can go on where it
//! was stopped.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use bnn::{
    encrypted::EncryptedImage,
    engine::gates::{self, Inference, Plan},
    model::Model,
    protocol,
};
use serde_json::json;
use tfhe_core::{backend::Backend, serial::Existing};

use super::{Session, infer};
use crate::{
    arguments::{Infer, Protocol},
    engine::Engine,
    error::{About, Error, Result},
    files::{self, Written},
    interrupt, progress, report,
};

pub(super) fn run(
    arguments: &Infer,
    model: &Model,
    (input, image): (&Path, &EncryptedImage),
    backend: Backend,
    out: PathBuf,
    session: &Session,
) -> Result<()> {
    let output = session.output;
    let state = arguments.state.clone().unwrap_or_else(|| {
        let mut name = out.clone().into_os_string();
        name.push(".state");
        name.into()
    });
    let others = arguments.files.iter().map(PathBuf::as_path).chain([out.as_path(), &arguments.cloud_key]);
    if others.into_iter().any(|other| files::is_same(&state, other)) {
        return Err(Error::StateIsOther { path: state });
    }
    files::check_output(&state, Existing::Replace, &[])?;
    let saved = state.symlink_metadata().is_ok();
    if saved && !gates::is_saved_run(&state)? {
        return Err(Error::NoSavedRun { path: state });
    }
    if saved && !arguments.resume && arguments.overwriting.existing() == Existing::Refuse {
        return Err(Error::SavedRun { path: state });
    }
    let (_, set) = Engine::of(image.parameters())?;
    let plan = Plan::new(model, set, arguments.style.into());
    let (evaluator, key_duration) = infer::prepare(model, &[(input, image)], &arguments.cloud_key, backend)?;
    let estimate = progress::spinner("building the circuits", || plan.estimate())?;
    output.say(format_args!(
        "key     {}: prepared in {}, {} in memory, backend {backend}, {} threads",
        arguments.cloud_key.display(),
        report::duration(key_duration),
        report::size(evaluator.key_bytes() as u64),
        rayon::current_num_threads(),
    ))?;
    output.say(format_args!(
        "circuit {}, {}: {} bootstraps; any wrong bit in all of them with probability 2^{:.0} at most",
        model.name(),
        arguments.style,
        estimate.bootstraps,
        plan.log2_failure(estimate.bootstraps),
    ))?;
    let mut inference = if saved && arguments.resume {
        let inference = plan.resume(&evaluator, image, &state)?;
        if inference.bootstraps() > estimate.bootstraps {
            let reason = "damaged: more bootstraps are done than there are".into();
            return Err(bnn::Error::State { path: state, reason }.into());
        }
        output.say(format_args!(
            "resumed {}: {} bootstraps are done",
            state.display(),
            inference.bootstraps()
        ))?;
        inference
    } else {
        if arguments.resume {
            output.say(format_args!(
                "state   {}: no run is saved there, so this one begins",
                state.display()
            ))?;
        }
        plan.start(&evaluator, image).about(input)?
    };

    let before = inference.bootstraps();
    let (finished, duration) =
        report::timed(|| finish(&mut inference, estimate.bootstraps, &state, arguments.save_every));
    finished?;
    let scores = inference.scores()?;
    let existing = arguments.overwriting.existing();
    interrupt::hold(|| match arguments.protocol {
        None => scores.save(&out, existing),
        Some(Protocol::Paper) => protocol::save_answer(&scores, &out, existing),
    })?;
    // The run is over: what cannot be removed does no harm.
    let _ = fs::remove_file(&state);
    let written = Written::new(out, duration)?;
    let done = inference.bootstraps() - before;
    let speed = done as f64 / duration.as_secs_f64();
    output.say(format_args!(
        "scores  {}: {}, {done} bootstraps of the model {}, {speed:.0} a second. Still encrypted: send it to the client",
        written.path.display(),
        written.facts(),
        model.name(),
    ))?;
    output.give(&json!({
        "model": super::model_json(model),
        "inference": {
            "scores": written.json(),
            "backend": backend.to_string(),
            "threads": rayon::current_num_threads(),
            "bootstraps": inference.bootstraps(),
            "bootstraps_before_resumption": before,
            "key_bytes_in_memory": evaluator.key_bytes(),
            "key_seconds": key_duration.as_secs_f64(),
        },
    }))
}

/// Runs to the end, saving every `interval` seconds and after each layer.
fn finish(inference: &mut Inference<'_>, total: usize, state: &Path, interval: f64) -> Result<()> {
    let before = inference.bootstraps();
    let bar = progress::Gates::new(total, before);
    let mut saved = Instant::now();
    let mut layer = inference.layer().map(str::to_owned);
    while inference.advance()? > 0 {
        let now = inference.layer().map(str::to_owned);
        bar.show(inference.bootstraps(), now.as_deref());
        if now != layer || saved.elapsed().as_secs_f64() >= interval {
            interrupt::hold(|| inference.save(state))?;
            (saved, layer) = (Instant::now(), now);
        }
    }
    bar.finish();
    Ok(())
}
