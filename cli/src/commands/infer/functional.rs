//! The run of the functional engine, on many pictures at once.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bnn::{circuit::Style, client::EncryptedImage, engine::Server, model::Model};
use rayon::prelude::*;
use serde_json::{Value, json};
use tfhe_core::{backend::Backend, keys::CloudKey};

use crate::{
    commands::{
        batch::{Batch, made_json},
        infer::cloud_key::prepare,
    },
    error::{About, Result},
    files::{
        named::Named,
        output::{Target, Written},
        whole::Secrecy,
    },
    terminal::{progress, units},
};

/// Inferences that were run.
#[derive(Debug)]
pub(crate) struct Inferred {
    /// The scores, each with the name of its picture.
    pub(crate) scores: Vec<(PathBuf, Written)>,
    /// What all of them took.
    pub(crate) duration: Duration,
    pub(crate) backend: Backend,
    /// Of all of them.
    pub(crate) bootstraps: usize,
    /// Bytes of the cloud key as it is held in memory, and what it took to prepare it.
    pub(crate) key_bytes: usize,
    pub(crate) key_duration: Duration,
}

impl Inferred {
    pub(crate) fn bootstraps_per_second(&self) -> f64 {
        self.bootstraps as f64 / self.duration.as_secs_f64()
    }

    pub(crate) fn images_per_minute(&self) -> f64 {
        60.0 * self.scores.len() as f64 / self.duration.as_secs_f64()
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "scores": self.scores.iter().map(|(image, scores)| made_json(image, scores)).collect::<Vec<_>>(),
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

/// Evaluates a model on encrypted pictures that fit the key, whose scores go to the targets. Threads that have nothing left to
/// do for a picture go on with the next.
///
/// # Errors
/// Where model and key do not belong together. What fails of one picture is the `batch`'s.
pub(crate) fn infer(
    model: &Arc<Model>,
    images: &[(Named<EncryptedImage>, Target)],
    key: CloudKey,
    backend: Backend,
    batch: &mut Batch,
) -> Result<Inferred> {
    let (evaluator, key_duration) = prepare(key, backend)?;
    let server = Server::new(Arc::clone(model), Arc::clone(&evaluator), Style::Optimized)?;

    let bootstraps = images.len() * server.bootstraps()?;
    let bar = Arc::new(progress::Count::bootstraps(bootstraps));
    let control = progress::Count::control(&bar);
    let one = |(image, target): &(Named<EncryptedImage>, Target)| {
        let (scores, duration) = units::timed(|| server.infer(&image.content, &control));
        let bytes = scores.and_then(|scores| scores.to_bytes()).about(&image.name)?;
        target.write(&bytes, Secrecy::Everyone, duration)
    };
    let (written, duration) = units::timed(|| images.par_iter().map(one).collect::<Vec<Result<Written>>>());
    bar.finish();
    let mut scores = Vec::new();
    for ((image, _), written) in images.iter().zip(written) {
        let written = batch.keep(&image.name, written)?;
        scores.extend(written.map(|written| (image.name.clone(), written)));
    }
    let key_bytes = evaluator.key_bytes();
    Ok(Inferred { scores, duration, backend, bootstraps, key_bytes, key_duration })
}
