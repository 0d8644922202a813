//! Long work: without the interpreter's lock, on the threads of a pool, with progress, and stopped by Ctrl-C.
//!
//! Python's thread waits while a thread of the pool works, and looks for signals several times a second. A pool belongs to a process:
//! threads do not live on in one that was forked, where work that waits for them would wait for ever, so such a process gets a pool of its
//! own.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tfhe_core::{Blame, control::Control};

use crate::fault::{Fault, exception, input};

/// How often Python's thread looks for signals, and tells of progress.
const LOOK: Duration = Duration::from_millis(50);
/// The most threads that may be asked for.
const MOST_THREADS: usize = 1024;

/// The pool, of the process that started it. (Read without a lock, which a thread might hold while another forks.)
static POOL: ArcSwapOption<Pool> = ArcSwapOption::const_empty();

struct Pool {
    process: u32,
    threads: ThreadPool,
}

impl Pool {
    /// A pool of so many threads, 0 for one a CPU or as many as `RAYON_NUM_THREADS` says.
    fn start(count: usize) -> PyResult<Arc<Self>> {
        let threads = ThreadPoolBuilder::new().num_threads(count).thread_name(|index| format!("bnn-{index}"));
        let failed = |error| exception(Blame::Machine, format!("cannot start threads: {error}"));
        Ok(Arc::new(Self { process: process::id(), threads: threads.build().map_err(failed)? }))
    }

    /// The pool of this process, which is started where there is none.
    fn of_this_process() -> PyResult<Arc<Self>> {
        let current = POOL.load_full();
        let count = match &current {
            Some(pool) if pool.process == process::id() => return Ok(Arc::clone(pool)),
            Some(parents) => parents.threads.current_num_threads(),
            None => 0,
        };
        let pool = Self::start(count)?;
        // Where two threads of Python start a pool at once, one of them is kept until the other's work is done.
        forget_if_foreign(POOL.swap(Some(Arc::clone(&pool))));
        forget_if_foreign(current);
        Ok(pool)
    }
}

/// A pool of the parent process has no threads here, and would wait for them when it is dropped.
fn forget_if_foreign(pool: Option<Arc<Pool>>) {
    if pool.as_ref().is_some_and(|pool| pool.process != process::id()) {
        mem::forget(pool);
    }
}

/// Compute on so many threads from now on; work that has begun goes on with those that it has.
#[pyfunction]
pub(crate) fn set_threads(count: usize) -> PyResult<()> {
    if !(1..=MOST_THREADS).contains(&count) {
        return Err(input(format!("{count} threads: give a number from 1 to {MOST_THREADS}")));
    }
    forget_if_foreign(POOL.swap(Some(Pool::start(count)?)));
    Ok(())
}

/// The number of threads that long work runs on.
#[pyfunction]
pub(crate) fn threads() -> PyResult<usize> {
    Ok(Pool::of_this_process()?.threads.current_num_threads())
}

/// Whom to tell of progress, and how much there is to do.
pub(crate) struct Progress<'py> {
    pub(crate) callback: Option<Bound<'py, PyAny>>,
    pub(crate) total: usize,
}

impl Progress<'_> {
    /// Nobody.
    pub(crate) fn none() -> Self {
        Self { callback: None, total: 0 }
    }

    fn tell(&self, done: usize) -> PyResult<()> {
        match &self.callback {
            Some(callback) => callback.call1((done.min(self.total), self.total)).map(drop),
            None => Ok(()),
        }
    }
}

/// Does work on the threads of the pool while the interpreter is free for others.
///
/// # Errors
/// Those of the work; the exception of a signal's handler or of the callback, with which the work has been stopped and has ended;
/// `MachineError` where the work panics.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    progress: &Progress<'_>,
    work: impl FnOnce(&Control) -> Result<T, Fault> + Send + 'static,
) -> PyResult<T> {
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let control = Control::with_progress(move |more| {
        count.fetch_add(more, Ordering::Relaxed);
    });
    let (sender, mut receiver) = mpsc::sync_channel(1);
    let pool = Pool::of_this_process()?;
    let of_work = control.clone();
    pool.threads.spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&of_work)));
        // Whoever waits is there until the work has ended.
        let _ = sender.send(outcome);
    });
    loop {
        // Borrowed alone, as it cannot be shared with the thread that waits.
        let waiting = &mut receiver;
        match py.detach(move || waiting.recv_timeout(LOOK)) {
            Ok(Ok(outcome)) => {
                let outcome = outcome?;
                progress.tell(progress.total)?;
                return Ok(outcome);
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                let text = "a fault of this program, of which standard error says more: please report it";
                return Err(exception(Blame::Machine, text.into()));
            }
            Err(RecvTimeoutError::Timeout) => {
                let stop = py.check_signals().and_then(|()| progress.tell(done.load(Ordering::Relaxed)));
                if let Err(why) = stop {
                    control.cancel();
                    let waiting = &mut receiver;
                    let _ = py.detach(move || waiting.recv());
                    return Err(why);
                }
            }
        }
    }
}
