//! How much may be queued: so many bootstraps and no more, so that whoever is let in is answered in a foreseeable time.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The share of a new measurement in the speed, which moves with the machine's other work.
const SHARE_OF_NEW: f64 = 0.2;
/// What is said of the time before any speed was measured.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const MOST_WAIT: Duration = Duration::from_secs(3600);

/// The count of what is queued, and the speed at which it goes.
#[derive(Debug)]
pub(crate) struct Admission {
    most: u64,
    queued: AtomicU64,
    /// Bootstraps a second; none before the first.
    speed: Mutex<Option<f64>>,
}

/// Too much is queued.
#[derive(Debug)]
pub(crate) struct Busy {
    /// After which time there may be room.
    pub(crate) wait: Duration,
}

impl Admission {
    pub(crate) fn new(most: u64) -> Self {
        Self { most, queued: AtomicU64::new(0), speed: Mutex::new(None) }
    }

    /// Lets work in. Where nothing else is queued, it may be larger than the bound.
    ///
    /// # Errors
    /// [`Busy`].
    pub(crate) fn admit(self: &Arc<Self>, bootstraps: u64) -> Result<Ticket, Busy> {
        let admit =
            |queued: u64| (queued == 0 || queued + bootstraps <= self.most).then_some(queued + bootstraps);
        match self.queued.fetch_update(Ordering::AcqRel, Ordering::Acquire, admit) {
            Ok(_) => Ok(Ticket { admission: Arc::clone(self), left: AtomicU64::new(bootstraps) }),
            Err(_) => Err(Busy { wait: self.wait(self.queued()) }),
        }
    }

    /// Lets work in that was acknowledged by a process before this one.
    pub(crate) fn readmit(self: &Arc<Self>, bootstraps: u64) -> Ticket {
        self.queued.fetch_add(bootstraps, Ordering::AcqRel);
        Ticket { admission: Arc::clone(self), left: AtomicU64::new(bootstraps) }
    }

    /// Bootstraps that are queued.
    pub(crate) fn queued(&self) -> u64 {
        self.queued.load(Ordering::Acquire)
    }

    /// Bootstraps a second, as measured of late.
    pub(crate) fn speed(&self) -> Option<f64> {
        *self.speed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes notice of a turn of the worker.
    pub(crate) fn measured(&self, bootstraps: u64, duration: Duration) {
        if bootstraps == 0 || duration.is_zero() {
            return;
        }
        let new = bootstraps as f64 / duration.as_secs_f64();
        let mut speed = self.speed.lock().unwrap_or_else(PoisonError::into_inner);
        *speed = Some(speed.map_or(new, |old| old + SHARE_OF_NEW * (new - old)));
    }

    /// How long so many bootstraps take, in whole seconds.
    fn wait(&self, bootstraps: u64) -> Duration {
        let Some(speed) = self.speed() else { return FIRST_WAIT };
        let seconds = (bootstraps as f64 / speed).ceil().clamp(1.0, MOST_WAIT.as_secs_f64());
        Duration::from_secs(seconds as u64)
    }
}

/// Work that was let in. What is left of it stops counting when this is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    admission: Arc<Admission>,
    left: AtomicU64,
}

impl Ticket {
    /// Counts bootstraps as done.
    pub(crate) fn done(&self, bootstraps: u64) {
        let take = |left: u64| Some(left.saturating_sub(bootstraps));
        let before =
            self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).unwrap_or_else(|left| left);
        self.admission.queued.fetch_sub(before.min(bootstraps), Ordering::AcqRel);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.done(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn no_more_is_let_in_than_the_bound_and_what_ends_makes_room() {
        let admission = Arc::new(Admission::new(100));
        let first = admission.admit(80).unwrap();
        assert_eq!(admission.admit(30).unwrap_err().wait, FIRST_WAIT);
        first.done(20);
        admission.measured(100, Duration::from_secs(10));
        assert_eq!(admission.admit(50).unwrap_err().wait, Duration::from_secs(6));
        let second = admission.admit(40).unwrap();
        assert_eq!(admission.queued(), 100);
        drop(first);
        assert_eq!(admission.queued(), 40);
        // More than there ever was is no less than nothing.
        second.done(1000);
        drop(second);
        assert_eq!(admission.queued(), 0);
        // What is larger than the bound comes in alone.
        let large = admission.admit(1000).unwrap();
        assert!(admission.admit(1).is_err());
        drop(large);
    }
}
