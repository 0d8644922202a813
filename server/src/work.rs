//! The work on ciphertexts: what is queued, whose turn it is, and how far everything is.
//!
//! One thread, the [`worker`], evaluates networks on all threads of the rayon pool. Everything else hands it [orders](order), and looks at how
//! far they are. So cores are never shared by two runs that know nothing of each other, and a key is expanded once for all who wait for it.
//!
//! * [`admission`]: how much may be queued;
//! * [`order`]: what is asked of the worker, and how far it is;
//! * [`run`]: an order on its way;
//! * [`residents`]: expanded keys in memory, up to a bound;
//! * [`fairness`]: which key's turn it is;
//! * [`worker`]: the thread.

pub(crate) mod admission;
pub(crate) mod fairness;
pub(crate) mod order;
pub(crate) mod residents;
pub(crate) mod run;
pub(crate) mod worker;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use tfhe_core::backend::Backend;
use tokio::sync::watch;

use self::{
    admission::Admission,
    order::{Live, Order},
};
use crate::{
    metrics::Metrics,
    store::{Store, jobs::JobName, keys::KeyName},
};

/// How the worker is to work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) backend: Backend,
    /// Bytes of expanded keys and ciphertexts in memory, at most.
    pub(crate) memory_bytes: u64,
    /// Bootstraps that are queued, at most.
    pub(crate) queued_bootstraps: u64,
}

/// What the worker shares with everyone else.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) bounds: Bounds,
    /// How far the jobs are that have not ended.
    jobs: Mutex<HashMap<JobName, Arc<Live>>>,
    /// Counts jobs that ended, for those who wait for one.
    ended: watch::Sender<u64>,
    stopping: AtomicBool,
    /// How jobs ended whose end could not be stored yet.
    unstored: Mutex<Vec<(JobName, Ending)>>,
}

/// The scores of a job, or why there are none.
type Ending = Result<Vec<u8>, String>;

impl Shared {
    fn jobs(&self) -> MutexGuard<'_, HashMap<JobName, Arc<Live>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets how far a job was, which has ended, and wakes up those who wait for it.
    pub(crate) fn ended(&self, name: &JobName) {
        self.jobs().remove(name);
        self.ended.send_modify(|count| *count += 1);
    }

    /// Stores how a job ended; where that fails, as on a full disk, it is kept for later.
    pub(crate) fn store_end(&self, name: JobName, ending: Ending) {
        match self.store.end_job(&name, ending.as_deref().map_err(String::clone)) {
            Ok(()) => self.ended(&name),
            Err(error) => {
                tracing::error!(%error, "a result could not be stored, which is tried again");
                self.unstored().push((name, ending));
            }
        }
    }

    /// Tries again to store what could not be stored.
    pub(crate) fn store_again(&self) {
        let unstored = std::mem::take(&mut *self.unstored());
        for (name, ending) in unstored {
            self.store_end(name, ending);
        }
    }

    /// Whether something is to be stored again.
    pub(crate) fn has_unstored(&self) -> bool {
        !self.unstored().is_empty()
    }

    fn unstored(&self) -> MutexGuard<'_, Vec<(JobName, Ending)>> {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether runs are to be saved and left.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

/// However the worker ends, the service takes no more work from then on, and says so.
struct StopWhenGone<'a>(&'a Shared);

impl Drop for StopWhenGone<'_> {
    fn drop(&mut self) {
        self.0.stopping.store(true, Ordering::Release);
    }
}

/// What the worker is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// To evaluate something.
    Order(Box<Order>),
    /// That a key was deleted, which leaves the memory.
    Forget(KeyName),
    /// That something has changed, such as that it is to stop.
    Look,
}

/// The way to the worker.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) shared: Arc<Shared>,
    messages: mpsc::Sender<Message>,
}

impl Work {
    /// Starts the worker.
    pub(crate) fn start(
        store: Arc<Store>,
        metrics: Arc<Metrics>,
        bounds: Bounds,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let shared = Arc::new(Shared {
            store,
            admission: Arc::new(Admission::new(bounds.queued_bootstraps)),
            metrics,
            bounds,
            jobs: Mutex::default(),
            ended: watch::Sender::new(0),
            stopping: AtomicBool::new(false),
            unstored: Mutex::default(),
        });
        let (messages, received) = mpsc::channel();
        let of_worker = Arc::clone(&shared);
        let thread = thread::Builder::new().name("worker".into()).spawn(move || {
            let _gone = StopWhenGone(&of_worker);
            worker::work(&of_worker, &received);
        })?;
        Ok((Self { shared, messages }, thread))
    }

    /// Hands an order to the worker.
    pub(crate) fn submit(&self, order: Order) {
        if let Some(name) = order.job() {
            self.shared.jobs().insert(name.clone(), Arc::clone(&order.live));
        }
        // A worker that has gone drops the order, by which those who wait for it hear that there is no answer.
        let _ = self.messages.send(Message::Order(Box::new(order)));
    }

    /// How far a job is that has not ended.
    pub(crate) fn live(&self, name: &JobName) -> Option<Arc<Live>> {
        self.shared.jobs().get(name).cloned()
    }

    /// Stops the work on a job that was deleted.
    pub(crate) fn cancel(&self, name: &JobName) {
        let live = self.shared.jobs().remove(name);
        if let Some(live) = live {
            live.cancel();
        }
        self.shared.unstored().retain(|(other, _)| other != name);
        self.shared.ended.send_modify(|count| *count += 1);
    }

    /// Takes a key out of memory that was deleted: another one may come in its place, under the same identity.
    pub(crate) fn forget(&self, key: KeyName) {
        let _ = self.messages.send(Message::Forget(key));
    }

    /// Changes whenever a job ends.
    pub(crate) fn endings(&self) -> watch::Receiver<u64> {
        self.shared.ended.subscribe()
    }

    /// Has the worker answer the requests that it has, save the jobs, and end.
    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        // Those who wait for a job are told how far it is.
        self.shared.ended.send_modify(|count| *count += 1);
        let _ = self.messages.send(Message::Look);
    }
}
