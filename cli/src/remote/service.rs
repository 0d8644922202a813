//! The requests of the interface, one function for each.

use std::{ops::Range, sync::Arc, time::Duration};

use bnn::client::{ClientSpecification, EncryptedScores};
use tfhe_core::keys::KeyId;
use ureq::{
    http::{HeaderName, header},
    tls::RootCerts,
};

use super::{
    address::{Address, Privacy},
    answers::{Job, Jobs, Key, Keys, Model, Models},
    connection::{Connection, Request},
    retry::{Failure, WhenBusy},
    token::Token,
};
use crate::{
    error::{About, Error, Result, remote::RemoteFault},
    terminal::units,
};

/// The digest of a whole body that is sent in parts (RFC 9530).
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// A service.
#[derive(Debug)]
pub(crate) struct Service {
    address: Address,
    connection: Connection,
}

impl Service {
    /// The service at an address, asked with a token if there is one. With `roots` only those are trusted.
    ///
    /// # Errors
    /// [`Error::PlainToken`] where others could read the token on its way.
    pub(crate) fn new(address: Address, token: Option<Token>, roots: Option<RootCerts>) -> Result<Self> {
        if token.is_some() && address.privacy() == Privacy::Open {
            return Err(Error::PlainToken { host: address.host().into() });
        }
        let connection = Connection::new(&address, token, roots);
        Ok(Self { address, connection })
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// All models.
    ///
    /// # Errors
    /// As all here, [`Error::Remote`].
    pub(crate) fn models(&self) -> Result<Vec<Model>> {
        let request = Request::get(self.address.path(&["v2", "models"]));
        Ok(self.connection.ask(&request, WhenBusy::Wait, |answer| answer.json::<Models>())?.models)
    }

    /// The model of a name.
    pub(crate) fn model(&self, name: &str) -> Result<Model> {
        let request = Request::get(self.address.path(&["v2", "models", name]));
        self.connection.ask(&request, WhenBusy::Wait, |answer| answer.json())
    }

    /// What a client needs to know of a model.
    ///
    /// # Errors
    /// Also where it is damaged, or that of another model.
    pub(crate) fn specification(&self, model: &Model) -> Result<Arc<ClientSpecification>> {
        let url = self.address.path(&["v2", "models", &model.name, "client"]);
        let request = Request::get(url.clone());
        let limit = ClientSpecification::MOST_BYTES as u64;
        let bytes = self.connection.ask(&request, WhenBusy::Wait, |answer| answer.bytes(limit))?;
        let specification = ClientSpecification::from_bytes(&bytes).about(url.as_ref())?;
        if units::hex(&specification.model_digest()) != model.digest {
            let found = specification.model_name().to_owned();
            return Err(request.error(RemoteFault::OtherModel { found }));
        }
        Ok(Arc::new(specification))
    }

    /// The cloud keys of the token.
    pub(crate) fn keys(&self) -> Result<Vec<Key>> {
        let request = Request::get(self.address.path(&["v2", "keys"]));
        Ok(self.connection.ask(&request, WhenBusy::Wait, |answer| answer.json::<Keys>())?.keys)
    }

    /// What the service has of a cloud key, if anything.
    pub(crate) fn key(&self, id: KeyId) -> Result<Option<Key>> {
        let request = Request::get(self.key_url(id));
        match self.connection.ask(&request, WhenBusy::Wait, |answer| answer.json()) {
            Err(error) if error.is_refused_with(404) => Ok(None),
            asked => asked.map(Some),
        }
    }

    /// Sends a part of a cloud key once, with the digest of all of it in base64.
    pub(super) fn put_part(
        &self,
        id: KeyId,
        whole: &[u8],
        part: Range<usize>,
        digest: &str,
    ) -> Result<Key, Failure> {
        let range = format!("bytes {}-{}/{}", part.start, part.end - 1, whole.len());
        let request = Request::put(self.key_url(id), &whole[part])
            .with(header::CONTENT_RANGE, &range)
            .with(REPR_DIGEST, &format!("sha-256=:{digest}:"));
        self.connection.ask_once(&request, |answer| answer.json())
    }

    /// Has a cloud key forgotten.
    pub(crate) fn forget(&self, id: KeyId) -> Result<()> {
        let request = Request::delete(self.key_url(id));
        self.connection.ask(&request, WhenBusy::Wait, |_| Ok(()))
    }

    /// Sends an encrypted picture to be evaluated.
    pub(crate) fn submit(&self, model: &Model, image: &[u8], when_busy: WhenBusy) -> Result<Job> {
        let request = Request::post(self.address.path(&["v2", "models", &model.name, "jobs"]), image);
        self.connection.ask(&request, when_busy, |answer| answer.json())
    }

    /// The jobs of the token.
    pub(crate) fn jobs(&self) -> Result<Vec<Job>> {
        let request = Request::get(self.address.path(&["v2", "jobs"]));
        Ok(self.connection.ask(&request, WhenBusy::Wait, |answer| answer.json::<Jobs>())?.jobs)
    }

    /// How far a job is, when it ends or after `wait`.
    pub(crate) fn job(&self, id: &str, wait: Duration) -> Result<Job> {
        let url = format!("{}?wait={}", self.job_url(id), wait.as_secs());
        self.connection.ask(&Request::get(url), WhenBusy::Wait, |answer| answer.json())
    }

    /// The encrypted scores of a job that is done.
    pub(crate) fn result(&self, id: &str) -> Result<EncryptedScores> {
        let request = Request::get(self.address.path(&["v2", "jobs", id, "result"]));
        self.connection.ask(&request, WhenBusy::Wait, |answer| answer.scores())
    }

    /// Has a job cancelled and forgotten. That it is forgotten already is as good.
    pub(super) fn delete_job(&self, id: &str) -> Result<()> {
        let request = Request::delete(self.job_url(id));
        match self.connection.ask(&request, WhenBusy::Wait, |_| Ok(())) {
            Err(error) if error.is_refused_with(404) => Ok(()),
            asked => asked,
        }
    }

    /// The same while the command ends: at once, or not at all.
    pub(super) fn delete_job_in_parting(&self, id: &str) {
        self.connection.ask_in_parting(&Request::delete(self.job_url(id)));
    }

    /// An error about a cloud key.
    pub(super) fn key_error(&self, id: KeyId, fault: RemoteFault) -> Error {
        Error::Remote { url: self.key_url(id), fault }
    }

    /// An error about a job.
    pub(crate) fn job_error(&self, id: &str, fault: RemoteFault) -> Error {
        Error::Remote { url: self.job_url(id), fault }
    }

    fn key_url(&self, id: KeyId) -> String {
        self.address.path(&["v2", "keys", &id.to_string()])
    }

    fn job_url(&self, id: &str) -> String {
        self.address.path(&["v2", "jobs", id])
    }
}
