//! Server: evaluates a network on an encrypted picture. No secret key is needed, or looked for.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bnn::{encrypted::EncryptedImage, engine::functional::Plan, model::Model};
use serde_json::{Value, json};
use tfhe_core::{Error as CryptoError, backend::Backend, evaluator::Evaluator, serial::Existing};

use super::{Session, infer_gates};
use crate::{
    arguments::Infer,
    engine::Engine,
    error::{About, Result},
    files::{self, Written},
    interrupt, lookup, progress, report,
};

/// An inference that was run.
#[derive(Debug)]
pub(super) struct Inferred {
    pub(super) scores: Written,
    pub(super) backend: Backend,
    pub(super) bootstraps: usize,
    /// Bytes of the cloud key as it is held in memory, and what it took to prepare it.
    pub(super) key_bytes: usize,
    pub(super) key_duration: Duration,
}

impl Inferred {
    pub(super) fn bootstraps_per_second(&self) -> f64 {
        self.bootstraps as f64 / self.scores.duration.as_secs_f64()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "scores": self.scores.json(),
            "backend": self.backend.to_string(),
            "threads": rayon::current_num_threads(),
            "bootstraps": self.bootstraps,
            "key_bytes_in_memory": self.key_bytes,
            "key_seconds": self.key_duration.as_secs_f64(),
        })
    }
}

pub(super) fn run(arguments: &Infer, session: &Session) -> Result<()> {
    let output = session.output;
    let out = arguments.out.clone().unwrap_or_else(|| default_output(&arguments.file));
    let existing = arguments.overwriting.existing();
    files::check_output(&out, existing)?;

    let backend = session.backend()?;
    let model = lookup::model(&arguments.model.name)?;
    let image = EncryptedImage::load(&arguments.file)?;
    if Engine::of(image.parameters()).about(&arguments.file)? == Engine::Gates {
        return infer_gates::run(arguments, &model, &image, backend, out, session);
    }
    let inferred = infer(&model, &arguments.file, &arguments.cloud_key, backend, out, existing)?;
    output.say(format_args!(
        "key     {}: prepared in {}, {} in memory, backend {backend}, {} threads",
        arguments.cloud_key.display(),
        report::duration(inferred.key_duration),
        report::size(inferred.key_bytes as u64),
        rayon::current_num_threads(),
    ))?;
    output.say(format_args!(
        "scores  {}: {}, {} bootstraps of the model {}, {:.0} a second. Still encrypted: send it to the client",
        inferred.scores.path.display(),
        inferred.scores.facts(),
        inferred.bootstraps,
        model.name(),
        inferred.bootstraps_per_second(),
    ))?;
    output.give(&json!({ "model": super::model_json(&model), "inference": inferred.json() }))
}

/// Evaluates a model on the encrypted picture in the file `input` with the cloud key in the file `key`.
pub(super) fn infer(
    model: &Model,
    input: &Path,
    key: &Path,
    backend: Backend,
    out: PathBuf,
    existing: Existing,
) -> Result<Inferred> {
    let plan = Plan::new(model, Engine::Functional.parameters())?;
    let image = EncryptedImage::load(input)?;
    let (evaluator, key_duration) = prepare(model, &image, input, key, backend)?;
    let bar = progress::bootstraps(plan.bootstraps());
    let (scores, duration) =
        report::timed(|| plan.infer(&evaluator, &image, |done| bar.set_position(done as u64)));
    bar.finish_and_clear();
    let scores = scores.about(input)?;
    interrupt::hold(|| scores.save(&out, existing))?;
    Ok(Inferred {
        scores: Written::new(out, duration)?,
        backend,
        bootstraps: plan.bootstraps(),
        key_bytes: evaluator.key_bytes(),
        key_duration,
    })
}

/// The cloud key in the file `key`, prepared, once all is known to fit; and what that took.
pub(super) fn prepare(
    model: &Model,
    image: &EncryptedImage,
    input: &Path,
    key: &Path,
    backend: Backend,
) -> Result<(Evaluator, Duration)> {
    // What does not fit is told before the key is prepared, which takes a while.
    image.check_model(model).about(input)?;
    let cloud = files::load_cloud_key(key, image.parameters())?;
    let (expected, found) = (cloud.id(), image.key_id());
    if expected != found {
        return Err(CryptoError::OtherKey { expected, found }).about(input);
    }
    let (evaluator, duration) =
        report::timed(|| progress::spinner("preparing the cloud key", || Evaluator::new(&cloud, backend)));
    Ok((evaluator?, duration))
}

/// The input's name with `.scores`, in the current folder.
fn default_output(input: &Path) -> PathBuf {
    let mut name = input.file_stem().unwrap_or_default().to_owned();
    name.push(".scores");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_called_after_the_input() {
        assert_eq!(default_output("inbox/7.enc".as_ref()), Path::new("7.scores"));
    }
}
