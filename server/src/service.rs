//! The service: how it is made, served and stopped.

use std::{io, net::TcpListener, path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use bnn::model::Model;
use tfhe_core::{backend::Backend, parameters::Parameters};
use tokio::{runtime, sync::watch};
use tokio_rustls::rustls::{
    self, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::{
    access::tokens::Tokens,
    api::{Context, guard::Origins, router},
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
    },
};

/// Threads that serve connections; those that compute are rayon's.
const THREADS: usize = 2;
/// How long the result of a job is kept, and a key of which no more comes, in seconds.
const KEEP_RESULTS: u64 = 7 * 24 * 60 * 60;
const KEEP_PARTS: u64 = 24 * 60 * 60;
/// How often it is looked for what is to be forgotten.
const EXPIRE_EVERY: Duration = Duration::from_secs(60 * 60);

/// What a service is made of.
#[derive(Debug)]
pub struct Config {
    /// The database, which is made where there is none.
    pub database: PathBuf,
    /// The models, by the names under which they are served.
    pub models: Vec<(String, Arc<Model>)>,
    /// The tokens. Without any, everyone may ask, under a name of this machine.
    pub tokens: Tokens,
    /// Sites whose pages may ask, such as `https://example.org`, beside the service's own.
    pub allowed_origins: Vec<String>,
    /// The instruction set of the bootstraps.
    pub backend: Backend,
    /// Bytes of expanded keys and ciphertexts in memory, at most.
    pub memory_bytes: u64,
    /// Bootstraps that are queued, at most.
    pub queued_bootstraps: u64,
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
        let store = Arc::new(Store::open(&config.database)?);
        let bounds = Bounds {
            backend: config.backend,
            memory_bytes: config.memory_bytes,
            queued_bootstraps: config.queued_bootstraps,
        };
        let metrics = Arc::new(Metrics::new());
        let (work, worker) = Work::start(Arc::clone(&store), Arc::clone(&metrics), bounds)?;
        let own_names_only = config.tokens.is_empty();
        let origins = Origins { own_names_only, allowed: config.allowed_origins };
        let context = Arc::new(Context { models, store, work, tokens: config.tokens, metrics, origins });
        take_up_jobs(&context)?;
        Ok(Self { context, worker, tls: None, stop: Stop(watch::Sender::new(false)) })
    }

    /// Has the service speak TLS, with a chain of certificates and the key of the first, in PEM.
    ///
    /// # Errors
    /// [`StartError::Tls`].
    pub fn with_tls(self, certificates: &[u8], key: &[u8]) -> Result<Self, StartError> {
        let fault = |error: rustls::pki_types::pem::Error| StartError::Tls(error.to_string());
        let certificates =
            CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>().map_err(fault)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(fault)?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key);
        let config = config.map_err(|error| StartError::Tls(error.to_string()))?;
        Ok(Self { tls: Some(Arc::new(config)), ..self })
    }

    /// A handle by which the service is stopped.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
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
        // A panic of the worker was caught in each of its runs.
        let _ = worker.join();
        Ok(())
    }
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
