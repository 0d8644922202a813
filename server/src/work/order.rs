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
    /// The log has the cause.
    #[error("the evaluation failed by a fault of the service, whose log says why")]
    Internal,
}

impl RunFault {
    /// Whether the machine is at fault, so that the next try may go well: a database that is opened anew after a full disk does not read for a
    /// moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Network(error) => error.blame() == Blame::Machine,
            Self::NoKey | Self::Key(_) | Self::NoJob | Self::Internal => false,
        }
    }

    /// The fault as a client is told of it. What the machine is at fault for is for the log.
    pub(crate) fn told(self) -> Self {
        if self.may_pass() {
            tracing::error!(cause = %self, "an evaluation failed by a fault of the service");
            return Self::Internal;
        }
        self
    }

    /// The same for another run of the key.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::NoKey => Self::NoKey,
            Self::Internal => Self::Internal,
            Self::Key(why) => Self::Key(why.clone()),
            fault => Self::Key(fault.to_string()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn clients_are_told_of_their_own_faults_only() {
        let told = |fault: RunFault| fault.told().again().to_string();
        assert_eq!(told(RunFault::Store(StoreError::InUse)), RunFault::Internal.to_string());
        assert_eq!(told(RunFault::NoKey), "the cloud key was deleted");
        let error = bnn::Error::Unfinished;
        let line = format!("the cloud key cannot be used: {error}");
        assert_eq!(told(RunFault::Network(error)), line);
    }
}
