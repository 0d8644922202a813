//! A request and its answer: what is sent along, how long is waited, and how much is read.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bnn::client::EncryptedScores;
use serde::de::DeserializeOwned;
use ureq::{
    Agent, Body, Timeout,
    http::{self, HeaderMap, Method, Response, StatusCode, header},
    tls::{RootCerts, TlsConfig},
};

use super::{
    address::Address,
    answers::Refusal,
    retry::{Acquaintance, Failure, WhenBusy, persist},
    token::Token,
};
use crate::error::{About, Error, Result, remote::RemoteFault};

/// How long it may take to reach the service.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long nothing may come or go: longer than the service waits for the end of a job before it answers.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a request may take in all that is sent while the command ends.
const PARTING: Duration = Duration::from_secs(2);
/// More than the headers of an answer have, and than its words.
const MOST_HEADER_BYTES: usize = 16 << 10;
const MOST_JSON_BYTES: u64 = 4 << 20;
/// More than encrypted scores have: thousands of classes, bit by bit.
const MOST_SCORE_BYTES: u64 = 256 << 20;
/// Characters that are quoted of what a service says.
const MOST_QUOTED: usize = 300;

/// A request, which can be sent several times.
#[derive(Debug)]
pub(super) struct Request<'a> {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    pub(super) fn get(url: String) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: None }
    }

    pub(super) fn delete(url: String) -> Self {
        Self { method: Method::DELETE, ..Self::get(url) }
    }

    pub(super) fn post(url: String, body: &'a [u8]) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(url) }
    }

    pub(super) fn put(url: String, body: &'a [u8]) -> Self {
        Self { method: Method::PUT, body: Some(body), ..Self::get(url) }
    }

    /// With a header.
    pub(super) fn with(mut self, name: http::HeaderName, value: &str) -> Self {
        let value = value.parse().expect("invariant: headers are digits, base64 and fixed words");
        self.headers.insert(name, value);
        self
    }

    /// An error about this request.
    pub(super) fn error(&self, fault: RemoteFault) -> Error {
        Error::Remote { url: self.url.clone(), fault }
    }
}

/// The way to a service.
#[derive(Debug)]
pub(super) struct Connection {
    agent: Agent,
    token: Option<Token>,
    /// Whether the service has answered before.
    is_known: AtomicBool,
}

impl Connection {
    pub(super) fn new(address: &Address, token: Option<Token>, roots: Option<RootCerts>) -> Self {
        let mut tls = TlsConfig::builder();
        if let Some(roots) = roots {
            tls = tls.root_certs(roots);
        }
        let mut config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            // A token is for one service, which is where it is said to be.
            .max_redirects(0)
            .user_agent(concat!("bnn/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECTING))
            .timeout_connect(Some(CONNECTING))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .max_response_header_size(MOST_HEADER_BYTES);
        if address.is_local() {
            // What may be said on this machine may not be said to a proxy of the environment.
            config = config.proxy(None);
        }
        Self { agent: config.build().into(), token, is_known: AtomicBool::new(false) }
    }

    /// Sends a request until it is answered, and reads the answer.
    ///
    /// # Errors
    /// [`Error::Remote`]; those of `read`.
    pub(super) fn ask<T>(
        &self,
        request: &Request<'_>,
        when_busy: WhenBusy,
        read: impl Fn(Answer<'_>) -> Result<T, Failure>,
    ) -> Result<T> {
        persist(when_busy, || self.acquaintance(), || self.ask_once(request, &read))
    }

    /// Sends a request once.
    pub(super) fn ask_once<T>(
        &self,
        request: &Request<'_>,
        read: impl FnOnce(Answer<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let response = self.send(request, None).map_err(|error| self.failure(request, error))?;
        self.is_known.store(true, Ordering::Relaxed);
        let answer = Answer { request, response, connection: self };
        if answer.response.status().is_success() { read(answer) } else { Err(answer.refusal()) }
    }

    /// Sends a request once, and does not care what comes of it: there is no time.
    pub(super) fn ask_in_parting(&self, request: &Request<'_>) {
        let _ = self.send(request, Some(PARTING));
    }

    fn send(&self, request: &Request<'_>, limit: Option<Duration>) -> Result<Response<Body>, ureq::Error> {
        let mut built = http::Request::builder().method(&request.method).uri(&request.url).body(())?;
        built.headers_mut().extend(request.headers.clone());
        if let Some(token) = &self.token {
            built.headers_mut().insert(header::AUTHORIZATION, token.header());
        }
        match request.body {
            None => self.agent.run(self.agent.configure_request(built).timeout_global(limit).build()),
            Some(body) => {
                built
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/octet-stream"));
                let request = built.map(|()| body);
                self.agent.run(self.agent.configure_request(request).timeout_global(limit).build())
            }
        }
    }

    fn acquaintance(&self) -> Acquaintance {
        if self.is_known.load(Ordering::Relaxed) { Acquaintance::Known } else { Acquaintance::New }
    }

    /// What it means that a request could not be sent, or its answer not be received.
    fn failure(&self, request: &Request<'_>, error: ureq::Error) -> Failure {
        let is_new = self.acquaintance() == Acquaintance::New;
        let passing = |cause: String| Failure::passing(request.error(RemoteFault::NoAnswer(cause)), None);
        let lasting = |fault| Failure::lasting(request.error(fault));
        match error {
            // Bytes that are not TLS, and certificates of somebody else.
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                lasting(RemoteFault::Untrusted(error.to_string()))
            }
            ureq::Error::Tls(cause) => lasting(RemoteFault::Untrusted(cause.into())),
            ureq::Error::Rustls(error) => lasting(RemoteFault::Untrusted(error.to_string())),
            // Nothing was ever there.
            ureq::Error::Io(error) if is_new && error.kind() == io::ErrorKind::ConnectionRefused => {
                lasting(RemoteFault::NoAnswer(error.to_string()))
            }
            ureq::Error::HostNotFound if is_new => {
                lasting(RemoteFault::NoAnswer("there is no host of this name".into()))
            }
            ureq::Error::Io(error) => passing(error.to_string()),
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                passing(format!("not reached in {} s", CONNECTING.as_secs()))
            }
            ureq::Error::Timeout(_) => passing(format!("silent for {} s", SILENCE.as_secs())),
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => passing(error.to_string()),
            ureq::Error::LargeResponseHeader(..) => {
                lasting(RemoteFault::TooLarge { limit: MOST_HEADER_BYTES as u64 })
            }
            ureq::Error::Protocol(error) => lasting(RemoteFault::Malformed(quoted(&error.to_string()))),
            error => lasting(RemoteFault::NoAnswer(error.to_string())),
        }
    }
}

/// An answer whose body has yet to be read.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    request: &'a Request<'a>,
    response: Response<Body>,
    connection: &'a Connection,
}

impl Answer<'_> {
    /// The body, of at most so many bytes.
    pub(super) fn bytes(mut self, limit: u64) -> Result<Vec<u8>, Failure> {
        match self.response.body_mut().with_config().limit(limit).read_to_vec() {
            Ok(bytes) => Ok(bytes),
            Err(ureq::Error::BodyExceedsLimit(_)) => {
                Err(Failure::lasting(self.request.error(RemoteFault::TooLarge { limit })))
            }
            Err(error) => Err(self.connection.failure(self.request, error)),
        }
    }

    /// What the body says.
    pub(super) fn json<T: DeserializeOwned>(self) -> Result<T, Failure> {
        let request = self.request;
        let bytes = self.bytes(MOST_JSON_BYTES)?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Failure::lasting(request.error(RemoteFault::Malformed(quoted(&error.to_string()))))
        })
    }

    /// Encrypted scores.
    pub(super) fn scores(self) -> Result<EncryptedScores, Failure> {
        let request = self.request;
        let bytes = self.bytes(MOST_SCORE_BYTES)?;
        EncryptedScores::from_bytes(&bytes).about(request.url.as_ref()).map_err(Failure::lasting)
    }

    /// Why the service refuses, in its own words where it has any.
    fn refusal(self) -> Failure {
        let (request, status) = (self.request, self.response.status());
        let after = self.response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let is_passing = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        let said = self.json().map(|refusal: Refusal| quoted(&refusal.error));
        // A proxy between has no words that help.
        let line = said.unwrap_or_else(|_| status.canonical_reason().unwrap_or("without a word").into());
        let error = request.error(RemoteFault::Refused { status: status.as_u16(), line });
        if is_passing { Failure::passing(error, after) } else { Failure::lasting(error) }
    }
}

/// The beginning of a text from elsewhere. Whoever prints it makes it one line.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MOST_QUOTED) {
        None => text.into(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}
