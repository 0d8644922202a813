//! The service: how it is made, served and stopped.

use std::{io, net::TcpListener, path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use bnn::model::Model;
use tfhe_core::{backend::Backend, parameters::Parameters, serial::cloud_key_bytes};
use tokio::{
    runtime,
    sync::{Semaphore, watch},
};
use tokio_rustls::rustls::{
    self, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::{
    access::{known::KnownTokens, tokens::Tokens},
    api::{Context, body::MOST_IMAGE_KILOBYTES, guard::Origins, router, upload::Uploads},
    connections,
    metrics::Metrics,
    models::{Models, Served},
    store::{
        Store, StoreError,
        jobs::{JobName, JobRecord},
        keys::KeyName,
        now,
    },
    work::{
        Bounds, Work,
        order::{Live, Order, Purpose},
        residents::EXPANSION,
    },
};

/// Threads that serve connections; those that compute are rayon's.
const THREADS: usize = 2;
/// How long the result of a job is kept, and a key of which no more comes, in seconds.
const KEEP_RESULTS: u64 = 7 * 24 * 60 * 60;
const KEEP_PARTS: u64 = 24 * 60 * 60;
/// How long what was begun on the database may take once all requests are answered.
const LAST_TIME: Duration = Duration::from_secs(10);
/// How often it is looked for what is to be forgotten.
const EXPIRE_EVERY: Duration = Duration::from_secs(60 * 60);

/// What a service is made of.
#[derive(Debug)]
pub struct Config {
    /// The database, which is made where there is none.
    pub database: PathBuf,
    /// The models, by the names under which they are served.
    pub models: Vec<(String, Arc<Model>)>,
    /// The tokens, which [`Service::tokens`] changes later. As long as there were none, everyone may ask, under a name of this machine.
    pub tokens: Tokens,
    /// Sites whose pages may ask, such as `https://example.org`, beside the service's own.
    pub allowed_origins: Vec<String>,
    /// The instruction set of the bootstraps.
    pub backend: Backend,
    /// Bytes of expanded keys and ciphertexts in memory, at most.
    pub memory_bytes: u64,
    /// Bootstraps that are queued, at most.
    pub queued_bootstraps: u64,
    /// What it speaks TLS with; none for plain text.
    pub tls: Option<Tls>,
}

/// What a service needs to speak TLS.
#[derive(Debug)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    /// A chain of certificates and the key of the first, in PEM.
    ///
    /// # Errors
    /// [`StartError::Tls`].
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, StartError> {
        let fault = |error: rustls::pki_types::pem::Error| StartError::Tls(error.to_string());
        let certificates =
            CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>().map_err(fault)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(fault)?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key);
        Ok(Self(Arc::new(config.map_err(|error| StartError::Tls(error.to_string()))?)))
    }
}

/// Why a service cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A model that no client could be told of.
    #[error("the model {name}: {source}")]
    Model {
        /// Its name.
        name: String,
        /// Why.
        source: Box<bnn::Error>,
    },
    /// Memory in which no key has room.
    #[error("{given} bytes of memory, where the smallest cloud key that is served needs {needed}")]
    Memory {
        /// What the service may use.
        given: u64,
        /// What it needs.
        needed: u64,
    },
    /// A certificate or its key.
    #[error("TLS: {0}")]
    Tls(String),
    /// The system refuses a thread or a socket.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Stops a service, from any thread. Copies stop the same one.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Has the service take no more requests, answer those that it has, save its jobs, and end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// A service.
#[derive(Debug)]
pub struct Service {
    context: Arc<Context>,
    worker: JoinHandle<()>,
    tls: Option<Arc<ServerConfig>>,
    stop: Stop,
}

impl Service {
    /// Makes a service, and goes on with the jobs of the one before it.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(config: Config) -> Result<Self, StartError> {
        let mut models = Models::new();
        for (name, model) in config.models {
            let served = Served::new(name.clone(), model);
            let served = served
                .map_err(|source| StartError::Model { name: name.clone(), source: Box::new(source) })?;
            models.insert(name, Arc::new(served));
        }
        check_memory(&models, config.memory_bytes)?;
        let store = Arc::new(Store::open(&config.database)?);
        let bounds = Bounds {
            backend: config.backend,
            memory_bytes: config.memory_bytes,
            queued_bootstraps: config.queued_bootstraps,
        };
        let metrics = Arc::new(Metrics::new());
        let (work, worker) = Work::start(Arc::clone(&store), Arc::clone(&metrics), bounds)?;
        let origins = Origins { allowed: config.allowed_origins };
        let context = Arc::new(Context {
            models,
            store,
            work,
            tokens: KnownTokens::new(config.tokens),
            metrics,
            origins,
            images: Arc::new(Semaphore::new(MOST_IMAGE_KILOBYTES)),
            uploads: Uploads::default(),
        });
        take_up_jobs(&context)?;
        let tls = config.tls.map(|Tls(tls)| tls);
        Ok(Self { context, worker, tls, stop: Stop(watch::Sender::new(false)) })
    }

    /// A handle by which the service is stopped.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// The tokens that it knows, to change them while it runs.
    pub fn tokens(&self) -> KnownTokens {
        self.context.tokens.clone()
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// [`StartError::Io`].
    pub fn serve(self, listener: TcpListener) -> Result<(), StartError> {
        listener.set_nonblocking(true)?;
        let runtime = runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        let Self { context, worker, tls, stop } = self;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let mut stopped = stop.0.subscribe();
            let of_stop = Arc::clone(&context);
            tokio::spawn(async move {
                if stopped.wait_for(|&stop| stop).await.is_ok() {
                    of_stop.work.stop();
                }
            });
            tokio::spawn(expire(Arc::clone(&context)));
            connections::serve(listener, tls, router(&context), stop.0.subscribe()).await;
            Ok::<(), io::Error>(())
        })?;
        context.work.stop();
        // With the handlers that are left go the requests that the worker would answer.
        runtime.shutdown_timeout(LAST_TIME);
        // A panic of the worker was caught in each of its runs.
        let _ = worker.join();
        Ok(())
    }
}

/// Refuses a bound on memory within which nothing can be evaluated.
fn check_memory(models: &Models, given: u64) -> Result<(), StartError> {
    let sets = models.values().flat_map(|served| &served.sets).flat_map(|(_, sets)| sets);
    let needed = sets.map(|set| EXPANSION * cloud_key_bytes(set) as u64).min().unwrap_or_default();
    if given < needed { Err(StartError::Memory { given, needed }) } else { Ok(()) }
}

/// Hands the worker the jobs that had not ended.
fn take_up_jobs(context: &Context) -> Result<(), StartError> {
    for (name, record) in context.store.unfinished_jobs()? {
        match order(context, &name, &record) {
            Ok(order) => context.work.submit(order),
            Err(why) => context.store.end_job(&name, Err(why))?,
        }
    }
    Ok(())
}

fn order(context: &Context, name: &JobName, record: &JobRecord) -> Result<Order, String> {
    let served =
        context.models.get(&record.model).filter(|served| served.model.digest() == record.model_digest);
    let served = served.ok_or("the model is not served any more, or is another")?;
    let set = Parameters::named(&record.parameters).ok_or("the parameter set is not known any more")?;
    let cost = served.cost(set).map_err(|error| error.to_string())?;
    Ok(Order {
        key: KeyName { owner: name.owner.clone(), id: record.key },
        served: Arc::clone(served),
        cost,
        ticket: context.work.shared.admission.readmit(record.total - record.saved.min(record.total)),
        live: Live::new(record.saved),
        purpose: Purpose::Job(name.clone()),
    })
}

/// Forgets what nobody came for.
async fn expire(context: Arc<Context>) {
    loop {
        let store = Arc::clone(&context.store);
        let expired = tokio::task::spawn_blocking(move || {
            store.expire_keys(now().saturating_sub(KEEP_PARTS))?;
            store.expire_jobs(now().saturating_sub(KEEP_RESULTS))
        });
        if let Ok(Err(error)) = expired.await {
            tracing::warn!(%error, "old results could not be forgotten");
        }
        tokio::time::sleep(EXPIRE_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::{
        body::{Body, Bytes},
        http::{Request, StatusCode},
    };
    use futures_util::{Stream, stream};
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;
    use serde_json::Value;
    use tempfile::TempDir;
    use tokio::time::{Instant, sleep};

    use super::*;

    /// The status, and the line of the refusal, that a request is answered with whose body comes in such a way, and the seconds after which it is.
    /// The clock jumps over whatever is waited for.
    fn refusal(
        method: &str,
        path: &str,
        body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> (StatusCode, String, u64) {
        let folder = TempDir::new().unwrap();
        let service = Service::open(Config {
            database: folder.path().join("database"),
            models: Vec::new(),
            tokens: Tokens::default(),
            allowed_origins: Vec::new(),
            backend: Backend::fastest(),
            memory_bytes: 0,
            queued_bootstraps: 0,
            tls: None,
        });
        let router = router(&service.unwrap().context);
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("content-length", "1000").body(Body::from_stream(body)).unwrap();
        let runtime =
            runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let start = Instant::now();
            let response = TowerToHyperService::new(router).call(request).await.unwrap();
            let (status, body) = (response.status(), response.into_body());
            let body: Value =
                serde_json::from_slice(&axum::body::to_bytes(body, 1000).await.unwrap()).unwrap();
            (status, body["error"].as_str().unwrap().to_owned(), start.elapsed().as_secs())
        })
    }

    /// Bodies of which nothing comes, and of which a byte comes now and then.
    #[test]
    fn a_body_that_comes_too_slowly_is_given_up() {
        for (method, path, silence) in [
            ("POST", "/v2/models/any/infer", 60),
            ("POST", "/v2/models/any/jobs", 60),
            ("PUT", "/v2/keys/00112233445566778899aabbccddeeff", 30),
        ] {
            let drops = stream::unfold((), |()| async {
                sleep(Duration::from_secs(20)).await;
                Some((Ok(Bytes::from_static(b"x")), ()))
            });
            let too_slow =
                |seconds| (StatusCode::REQUEST_TIMEOUT, "the body comes too slowly".to_owned(), seconds);
            assert_eq!(refusal(method, path, stream::pending()), too_slow(silence), "{path}");
            assert_eq!(refusal(method, path, drops), too_slow(60), "{path}");
        }
    }
}
