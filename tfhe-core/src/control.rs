//! Progress of long work, and its cancellation.
//!
//! Whoever starts the work keeps a copy of the [`Control`] that it hands over: the copies are one. Work tells its progress
//! and looks for a cancellation at the boundaries of its batches, so that a cancelled bootstrap or key ends within
//! milliseconds, and nothing is left half done.
//!
//! ```
//! use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
//! use tfhe_core::control::Control;
//! use tfhe_core::{Error, keys::{CloudKey, SecretKey}, parameters::GATES_DEFAULT, random::SecretSeed};
//! let done = Arc::new(AtomicUsize::new(0));
//! let count = Arc::clone(&done);
//! let control = Control::with_progress(move |more| {
//!     count.fetch_add(more, Ordering::Relaxed);
//! });
//! let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
//! CloudKey::generate_with(&key, SecretSeed::from_os()?, &control)?;
//! assert_eq!(done.load(Ordering::Relaxed), CloudKey::rows(&GATES_DEFAULT));
//! control.cancel(); // from any thread
//! let cancelled = CloudKey::generate_with(&key, SecretSeed::from_os()?, &control);
//! assert!(matches!(cancelled, Err(Error::Cancelled)));
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// A handle on long work: it hears of progress, and can cancel. Copies share one state.
#[derive(Clone, Default)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    progress: Option<Box<dyn Fn(usize) + Send + Sync>>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Control {{ cancelled: {} }}", self.is_cancelled())
    }
}

impl Control {
    /// A control whose `progress` is called with the number of units that were just done: bootstraps of gates, circuits and
    /// networks, rows of keys. It is called from any thread, several times a second at the most usual sizes.
    pub fn with_progress(progress: impl Fn(usize) + Send + Sync + 'static) -> Self {
        let shared = Shared { cancelled: AtomicBool::new(false), progress: Some(Box::new(progress)) };
        Self { shared: Arc::new(shared) }
    }

    /// Asks the work to stop at its next batch. There is no way back.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// Tells of `count` more units that are done; for whoever does the work.
    pub fn advance(&self, count: usize) {
        if let Some(progress) = &self.shared.progress {
            progress(count);
        }
    }

    /// Stops the work if it is cancelled; for whoever does the work.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}
