//! What is asked of the worker, and how far it is.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use bnn::{client::EncryptedImage, engine::Cost};
use tfhe_core::{Blame, control::Control};
use tokio::sync::oneshot;

use super::admission::Ticket;
use crate::{
    models::Served,
    store::{jobs::JobName, keys::KeyName},
};

/// An evaluation that is asked for.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) key: KeyName,
    pub(crate) served: Arc<Served>,
    pub(crate) cost: Cost,
    pub(crate) ticket: Ticket,
    pub(crate) live: Arc<Live>,
    pub(crate) purpose: Purpose,
}

/// For whom an evaluation is.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// For a client that waits. It has gone when the other end is closed.
    Request { image: Box<EncryptedImage>, answer: oneshot::Sender<Answer> },
    /// For the database, where its image is, and where its result goes.
    Job(JobName),
}

/// The bytes of the scores, or why there are none.
pub(crate) type Answer = Result<Vec<u8>, RunFault>;

/// Why an evaluation came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFault {
    #[error("the cloud key was deleted")]
    NoKey,
    /// The key cannot be used, for a reason that was told to another run already.
    #[error("the cloud key cannot be used: {0}")]
    Key(String),
    #[error("the job was deleted")]
    NoJob,
    #[error(transparent)]
    Network(#[from] bnn::Error),
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    #[error("the evaluation failed, which is a fault of the service")]
    Panicked,
}

impl RunFault {
    /// Whether the machine is at fault, so that the next try may go well: a database that is opened anew after a full disk does not read for a
    /// moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Network(error) => error.blame() == Blame::Machine,
            Self::NoKey | Self::Key(_) | Self::NoJob | Self::Panicked => false,
        }
    }
}

impl Order {
    /// The job that it is.
    pub(crate) fn job(&self) -> Option<&JobName> {
        match &self.purpose {
            Purpose::Job(name) => Some(name),
            Purpose::Request { .. } => None,
        }
    }

    /// Whether nobody waits for it any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        match &self.purpose {
            Purpose::Request { answer, .. } => answer.is_closed() || self.live.is_cancelled(),
            Purpose::Job(_) => self.live.is_cancelled(),
        }
    }
}

/// How far an order is, for those who ask while the worker works.
#[derive(Debug)]
pub(crate) struct Live {
    done: Arc<AtomicU64>,
    begun: AtomicBool,
    cancelled: AtomicBool,
    layer: Mutex<Option<String>>,
    control: Control,
}

impl Live {
    /// An order of which so many bootstraps were done by an earlier process.
    pub(crate) fn new(done: u64) -> Arc<Self> {
        let done = Arc::new(AtomicU64::new(done));
        let count = Arc::clone(&done);
        let control = Control::with_progress(move |more| {
            count.fetch_add(more as u64, Ordering::Relaxed);
        });
        let (begun, cancelled) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { done, begun, cancelled, layer: Mutex::new(None), control })
    }

    /// Stops the work within milliseconds.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.control.cancel();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// For the run.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// The worker has it in hand, and is at this layer, after so many bootstraps.
    pub(crate) fn at(&self, layer: Option<&str>, bootstraps: u64) {
        self.begun.store(true, Ordering::Release);
        self.done.store(bootstraps, Ordering::Relaxed);
        *self.layer.lock().unwrap_or_else(PoisonError::into_inner) = layer.map(Into::into);
    }

    /// Whether the worker has begun.
    pub(crate) fn is_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Bootstraps that are done.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// The layer that it is at.
    pub(crate) fn layer(&self) -> Option<String> {
        self.layer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
