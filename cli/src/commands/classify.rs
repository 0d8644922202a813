//! Client: has pictures classified by a service, which sees them encrypted.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use bnn::client::{Client, Scores};
use serde_json::{Value, json};
use tfhe_core::keys::KeyId;

use crate::{
    arguments::{remote::Classify, shared::Encrypting},
    commands::{
        batch::Batch,
        decrypt::{decrypt, say},
        encrypt::{prepare, sealed, show_changed},
        remote::send_key,
    },
    error::{About, Error, Result, remote::RemoteFault},
    files::{input::check_stdin_once, keys, named::Named, picture::picture},
    remote::{
        answers::{Job, Model},
        jobs::SentJobs,
        retry::WhenBusy,
        service::Service,
    },
    session::Session,
    terminal::{description, progress::Elsewhere},
};

pub(crate) fn run(arguments: &Classify, session: &Session) -> Result<()> {
    let keys = [&arguments.encrypting.key.path, &arguments.cloud_key.path].map(PathBuf::clone);
    check_stdin_once(&[arguments.pictures.as_slice(), &keys, &arguments.service.files()].concat())?;
    let service = Arc::new(arguments.service.service()?);
    let key = keys::secret_key(&arguments.encrypting.key.path)?;
    let model = service.model(&arguments.model)?;
    let specification = service.specification(&model)?;
    let client = Client::new(specification, Arc::new(key.content)).about(&key.name)?;
    check_engine(&service, &model, &client)?;

    let mut batch = Batch::new(arguments.pictures.len(), session.output);
    let mut unsent = VecDeque::new();
    for path in &arguments.pictures {
        let encrypted = encrypted(path, &arguments.encrypting, &client, session);
        unsent.extend(batch.keep(path, encrypted)?);
    }
    let mut uploaded = 0;
    let mut classified = Vec::new();
    if let Some(first) = unsent.front() {
        uploaded = send_cloud_key(&service, first.key, &arguments.cloud_key.path, session)?;
        let sent = SentJobs::new(Arc::clone(&service));
        classified =
            Run { sent, model: &model, client: &client, unsent, waiting: VecDeque::new() }.run(&mut batch)?;
    }

    let specification = client.specification();
    say(specification.labels(), &classified, None, &batch)?;
    session.output.give(&json!({
        "server": service.address().to_string(),
        "model": description::client_json(specification),
        "uploaded_bytes": uploaded,
        "classified": classified.iter().map(entry).collect::<Vec<_>>(),
        "failed": batch.json(),
    }))?;
    batch.finish()
}

fn entry(Named { name, content: scores }: &Named<Scores>) -> Value {
    json!({ "input": name.display().to_string(), "scores": scores.reals(), "label": scores.label() })
}

/// Refuses a key for an engine on which the service does not run the model, before a cloud key is sent for nothing.
fn check_engine(service: &Service, model: &Model, client: &Client) -> Result<()> {
    let engine = client.engine();
    if model.engines.iter().any(|served| served.engine == engine.to_string()) {
        return Ok(());
    }
    let fault = RemoteFault::OtherEngine { model: model.name.clone(), engine };
    Err(Error::Remote { url: service.address().to_string(), fault })
}

/// Sends the cloud key, unless the service has it; how many bytes that took.
fn send_cloud_key(service: &Service, id: KeyId, path: &Path, session: &Session) -> Result<u64> {
    if service.key(id)?.is_some_and(|key| key.complete) {
        return Ok(0);
    }
    let key = keys::cloud_key(path)?;
    if key.content.id() != id {
        return Err(tfhe_core::Error::OtherKey { found: key.content.id(), expected: id }).about(&key.name);
    }
    Ok(send_key(service, &key, session.output)?.bytes)
}

/// A picture that is fit to be sent.
struct Encrypted<'a> {
    path: &'a Path,
    /// The picture, as messages call it.
    name: PathBuf,
    key: KeyId,
    bytes: Vec<u8>,
}

fn encrypted<'a>(
    path: &'a Path,
    encrypting: &Encrypting,
    client: &Client,
    session: &Session,
) -> Result<Encrypted<'a>> {
    let input = client.specification().input();
    let image = prepare(picture(path, encrypting.index)?, &encrypting.preparing, input)?;
    let (encrypted, _) = sealed(client, &image)?;
    show_changed(&image, &encrypting.preparing, session.output)?;
    let bytes = encrypted.to_bytes().about(&image.name)?;
    Ok(Encrypted { path, name: image.name, key: encrypted.key_id(), bytes })
}

/// Pictures on their way.
struct Run<'a> {
    sent: SentJobs,
    model: &'a Model,
    client: &'a Client,
    unsent: VecDeque<Encrypted<'a>>,
    waiting: VecDeque<(Encrypted<'a>, Job)>,
}

impl Run<'_> {
    /// The scores of the pictures, in their order, without those that failed.
    fn run(mut self, batch: &mut Batch) -> Result<Vec<Named<Scores>>> {
        let mut classified = Vec::new();
        loop {
            self.send(batch)?;
            let Some((picture, job)) = self.waiting.pop_front() else { return Ok(classified) };
            let scores = self.scores(&picture, job, batch);
            let is_over = scores.as_ref().is_err_and(Error::is_of_service);
            classified.extend(batch.keep(picture.path, scores)?);
            if is_over {
                let waiting = self.waiting.drain(..).map(|(picture, _)| picture);
                leave(waiting.chain(self.unsent.drain(..)), batch)?;
            }
        }
    }

    /// Sends pictures, as many as the service takes, before one is waited for.
    fn send(&mut self, batch: &mut Batch) -> Result<()> {
        while let Some(picture) = self.unsent.pop_front() {
            // Where jobs of this command are there, their end makes room.
            let when_busy = if self.waiting.is_empty() { WhenBusy::Wait } else { WhenBusy::Tell };
            match self.sent.send(self.model, &picture.bytes, when_busy) {
                Ok(job) => self.waiting.push_back((picture, job)),
                Err(error) if when_busy == WhenBusy::Tell && error.is_refused_with(429) => {
                    self.unsent.push_front(picture);
                    return Ok(());
                }
                Err(error) => {
                    let is_over = error.is_of_service();
                    batch.keep::<()>(picture.path, Err(error))?;
                    if is_over {
                        leave(self.unsent.drain(..), batch)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits for the scores of a picture, and decrypts them.
    fn scores(&self, picture: &Encrypted<'_>, job: Job, batch: &Batch) -> Result<Named<Scores>> {
        let prefix = if batch.is_several() { format!("{} ", picture.name.display()) } else { String::new() };
        let progress = Elsewhere::new(&prefix);
        let content = self.sent.take(job, &progress);
        progress.finish();
        let scores = Named { name: picture.name.clone(), content: content? };
        let (content, _) = decrypt(self.client, &scores)?;
        Ok(Named { name: scores.name, content })
    }
}

/// Gives pictures up, because the service failed.
fn leave<'a>(pictures: impl Iterator<Item = Encrypted<'a>>, batch: &mut Batch) -> Result<()> {
    for picture in pictures {
        batch.keep::<()>(picture.path, Err(Error::ServiceFailed { path: picture.name }))?;
    }
    Ok(())
}
