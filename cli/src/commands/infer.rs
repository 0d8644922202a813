//! Server: evaluates a network on encrypted pictures. No secret key is needed, or looked for.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bnn::{Error as NetworkError, encrypted::EncryptedImage, engine::functional::Plan, model::Model};
use rayon::prelude::*;
use serde_json::{Value, json};
use tfhe_core::{Error as CryptoError, backend::Backend, evaluator::Evaluator, serial::Existing};

use super::{Session, infer_gates, paper};
use crate::{
    arguments::{Infer, Protocol},
    engine::Engine,
    error::{About, Error, Result},
    files::{self, Written},
    interrupt, lookup, progress, report,
};

/// Inferences that were run.
#[derive(Debug)]
pub(super) struct Inferred {
    pub(super) scores: Vec<Written>,
    /// What all of them took.
    pub(super) duration: Duration,
    pub(super) backend: Backend,
    /// Of all of them.
    pub(super) bootstraps: usize,
    /// Bytes of the cloud key as it is held in memory, and what it took to prepare it.
    pub(super) key_bytes: usize,
    pub(super) key_duration: Duration,
}

impl Inferred {
    pub(super) fn bootstraps_per_second(&self) -> f64 {
        self.bootstraps as f64 / self.duration.as_secs_f64()
    }

    fn images_per_minute(&self) -> f64 {
        60.0 * self.scores.len() as f64 / self.duration.as_secs_f64()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "scores": self.scores.iter().map(Written::json).collect::<Vec<_>>(),
            "seconds": self.duration.as_secs_f64(),
            "images_per_minute": self.images_per_minute(),
            "backend": self.backend.to_string(),
            "threads": rayon::current_num_threads(),
            "bootstraps": self.bootstraps,
            "key_bytes_in_memory": self.key_bytes,
            "key_seconds": self.key_duration.as_secs_f64(),
        })
    }
}

pub(super) fn run(arguments: &Infer, session: &Session) -> Result<()> {
    if let Some(Protocol::Paper) = arguments.protocol {
        return paper::infer(arguments, session);
    }
    let output = session.output;
    let pictures = outputs(arguments)?;
    let existing = arguments.overwriting.existing();
    let mut inputs: Vec<&Path> = arguments.files.iter().map(PathBuf::as_path).collect();
    inputs.push(&arguments.cloud_key);
    pictures.iter().try_for_each(|(_, out)| files::check_output(out, existing, &inputs))?;

    let backend = session.backend()?;
    let model = lookup::model(&arguments.model.name)?;
    let (input, out) = &pictures[0];
    let image = EncryptedImage::load(input)?;
    if Engine::of(image.parameters()).about(input)?.0 == Engine::Gates {
        if pictures.len() > 1 {
            return Err(Error::OneAtATime { count: pictures.len() });
        }
        return infer_gates::run(arguments, &model, (input, &image), backend, out.clone(), session);
    }
    let inferred = infer(&model, &pictures, &arguments.cloud_key, backend, existing)?;
    output.say(format_args!(
        "key     {}: prepared in {}, {} in memory, backend {backend}, {} threads",
        arguments.cloud_key.display(),
        report::duration(inferred.key_duration),
        report::size(inferred.key_bytes as u64),
        rayon::current_num_threads(),
    ))?;
    for scores in &inferred.scores {
        output.say(format_args!("scores  {}: {}", scores.path.display(), report::size(scores.bytes)))?;
    }
    let time = report::duration(inferred.duration);
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
    output.give(&json!({ "model": super::model_json(&model), "inference": inferred.json() }))
}

/// The pictures, each with the file of its scores; no two may be the same.
fn outputs(arguments: &Infer) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut pictures: Vec<(PathBuf, PathBuf)> = Vec::new();
    for input in &arguments.files {
        let out = match &arguments.out {
            Some(_) if arguments.files.len() > 1 => {
                return Err(Error::OneOutput { count: arguments.files.len() });
            }
            Some(out) => out.clone(),
            None => arguments.out_dir.join(default_output(input)),
        };
        if let Some((other, _)) = pictures.iter().find(|(_, other)| files::is_same(other, &out)) {
            return Err(Error::SameOutput { first: other.clone(), second: input.clone(), out });
        }
        pictures.push((input.clone(), out));
    }
    Ok(pictures)
}

/// Evaluates a model on encrypted pictures, each with the file of its scores, with the cloud key in the file `key`. Threads
/// that have nothing left to do for a picture go on with the next.
pub(super) fn infer(
    model: &Model,
    pictures: &[(PathBuf, PathBuf)],
    key: &Path,
    backend: Backend,
    existing: Existing,
) -> Result<Inferred> {
    let images: Vec<EncryptedImage> =
        pictures.iter().map(|(input, _)| EncryptedImage::load(input)).collect::<bnn::Result<_>>()?;
    let (input, first) = (&pictures[0].0, &images[0]);
    // A network that cannot be run is told before the key is read.
    let plan = Plan::new(model, Engine::of(first.parameters()).about(input)?.1)?;
    let named: Vec<(&Path, &EncryptedImage)> =
        pictures.iter().map(|(input, _)| input.as_path()).zip(&images).collect();
    let (evaluator, key_duration) = prepare(model, &named, key, backend)?;

    let bar = progress::Count::bootstraps(images.len() * plan.bootstraps());
    let one = |((input, image), (_, out)): (&(&Path, &EncryptedImage), &(PathBuf, PathBuf))| {
        let before = AtomicUsize::new(0);
        let progress = |done: usize| bar.add(done - before.swap(done, Ordering::Relaxed));
        let (scores, duration) = report::timed(|| plan.infer(&evaluator, image, progress));
        let scores = scores.about(input)?;
        interrupt::hold(|| scores.save(out, existing))?;
        Written::new(out.clone(), duration)
    };
    let (scores, duration) =
        report::timed(|| named.par_iter().zip(pictures).map(one).collect::<Result<Vec<Written>>>());
    bar.finish();
    Ok(Inferred {
        scores: scores?,
        duration,
        backend,
        bootstraps: images.len() * plan.bootstraps(),
        key_bytes: evaluator.key_bytes(),
        key_duration,
    })
}

/// The cloud key in the file `key`, prepared, once all is known to fit; and what that took.
pub(super) fn prepare(
    model: &Model,
    images: &[(&Path, &EncryptedImage)],
    key: &Path,
    backend: Backend,
) -> Result<(Evaluator, Duration)> {
    // What does not fit is told before the key is prepared, which takes a while.
    images.iter().try_for_each(|(input, image)| image.check_model(model).about(input))?;
    let cloud = files::load_cloud_key(key, images[0].1.parameters())?;
    for (input, image) in images {
        let (expected, found) = (cloud.id(), image.key_id());
        if expected != found {
            return Err(CryptoError::OtherKey { expected, found }).about(input);
        }
        let (expected, found) = (cloud.parameters().name, image.parameters());
        if expected != found.name {
            let found = Engine::of(found).about(input)?.1.name;
            return Err(NetworkError::OtherParameters { found, expected }).about(input);
        }
    }
    let (evaluator, duration) =
        report::timed(|| progress::spinner("preparing the cloud key", || Evaluator::new(&cloud, backend)));
    Ok((evaluator?, duration))
}

/// The input's name with `.scores`.
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
