//! A service on a port of its own, and requests to it.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
};

use bnn::model::Model;
use serde_json::Value;
use server::{Config, KnownTokens, Service, Stop, Tokens};
use tempfile::TempDir;
use testkit::toys;
use tfhe_core::backend::Backend;
use ureq::{Agent, http::Response};

/// A service that runs until this is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Stop,
    pub(crate) tokens: KnownTokens,
    thread: Option<JoinHandle<()>>,
    agent: Agent,
    token: Option<String>,
}

/// An answer, with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts that it is a refusal with this status, whose line says `what`.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, what: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        let line = self.json()["error"].as_str().unwrap().to_owned();
        assert!(line.contains(what) && !line.contains('\n'), "{line}");
    }

    /// Asserts the status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

/// The model of a toy.
pub(crate) fn counting(name: &str) -> (String, Arc<Model>) {
    let files = toys::counting(name);
    let model = Model::from_bytes(files.manifest.as_bytes(), &files.weights()).unwrap();
    (name.into(), Arc::new(model))
}

/// A model that ships.
pub(crate) fn shipped(name: &str) -> (String, Arc<Model>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name);
    let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
    let model = Model::from_bytes(&read("manifest.toml"), &read("weights.safetensors")).unwrap();
    (name.into(), Arc::new(model))
}

/// The database in a folder.
pub(crate) fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("service.redb")
}

/// What the tests serve: a model that counts.
pub(crate) fn config(folder: &TempDir) -> Config {
    Config {
        database: database(folder),
        models: vec![counting("counting")],
        tokens: Tokens::default(),
        allowed_origins: Vec::new(),
        backend: Backend::fastest(),
        memory_bytes: 4_000_000_000,
        queued_bootstraps: 100_000_000,
        tls: None,
    }
}

impl Running {
    pub(crate) fn start(config: Config) -> Self {
        Self::serve(Service::open(config).unwrap(), ureq::config::Config::builder())
    }

    pub(crate) fn serve(
        service: Service,
        client: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, tokens) = (service.stop(), service.tokens());
        let thread = Some(thread::spawn(move || service.serve(listener).unwrap()));
        let agent = Agent::new_with_config(client.http_status_as_error(false).build());
        Self { address, stop, tokens, thread, agent, token: None }
    }

    /// The same service for whoever has a token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            thread: None,
            agent: self.agent.clone(),
            token: Some(token.into()),
            stop: self.stop.clone(),
            tokens: self.tokens.clone(),
            ..*self
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn token(&self) -> String {
        self.token.as_ref().map_or_else(String::new, |token| format!("Bearer {token}"))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.answer("get", path, self.agent.get(self.url(path)).header("authorization", self.token()).call())
    }

    /// The same over TLS.
    pub(crate) fn get_secure(&self, path: &str) -> Answer {
        read(self.agent.get(format!("https://localhost:{}{path}", self.address.port())).call().unwrap())
    }

    pub(crate) fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        self.answer("get", path, self.agent.get(self.url(path)).header(name, value).call())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        let request = self.agent.delete(self.url(path)).header("authorization", self.token());
        self.answer("delete", path, request.call())
    }

    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Answer {
        let request = self.agent.post(self.url(path)).header("authorization", self.token());
        self.answer("post", path, request.send(body))
    }

    pub(crate) fn put(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let request = self.agent.put(self.url(path)).header("authorization", self.token());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.answer("put", path, request.send(body))
    }

    /// An answer, which must be one that the service's own document describes for the request.
    fn answer(&self, method: &str, path: &str, answer: Result<Response<ureq::Body>, ureq::Error>) -> Answer {
        static DOCUMENT: OnceLock<Value> = OnceLock::new();
        let document = DOCUMENT
            .get_or_init(|| read(self.agent.get(self.url("/openapi.json")).call().unwrap()).is(200).json());
        let answer = read(answer.unwrap());
        if let Some(answers) = answers_to(document, method, path) {
            let status = answer.status.to_string();
            let described = answers.get(&status);
            let described = described.unwrap_or_else(|| panic!("{method} {path}: {status} is not described"));
            let kind = answer.header("content-type").split(';').next().unwrap();
            let is_described = described["content"].get(kind).is_some();
            assert!(
                is_described || answer.body.is_empty(),
                "{method} {path}: {status} as {kind} is not described"
            );
        }
        answer
    }
}

/// What a document says about the answers to a request; none for paths and methods that it does not have.
fn answers_to<'a>(document: &'a Value, method: &str, path: &'a str) -> Option<&'a Value> {
    let parts = |path: &'a str| path.split('/').collect::<Vec<&str>>();
    let asked = parts(path.split('?').next()?);
    let fits = |known: &'a str| {
        let known = parts(known);
        known.len() == asked.len()
            && known.iter().zip(&asked).all(|(known, asked)| known == asked || known.starts_with('{'))
    };
    let (_, item) = document["paths"].as_object()?.iter().find(|(known, _)| fits(known))?;
    item.get(method)?.get("responses")
}

fn read(mut response: Response<ureq::Body>) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.body_mut().read_to_vec().unwrap() }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.stop.stop();
            // An assertion that failed here has failed there too.
            let _ = thread.join();
        }
    }
}
