//! For tests: what a thread does at some moments of a rotation, so that it is late, or never comes back.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::meeting::Meeting;

/// Where a thread can be made late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// A helper that has taken its seat.
    Seated,
    /// A member that has the lock of its place.
    WhilePublishing,
    /// A member that is to read what the others have published.
    BeforeReading,
}

/// What a thread rehearses.
#[derive(Clone, Default)]
pub(super) struct Rehearsal {
    /// What a step seems to take the thread when it leads. It is what decides how long members wait.
    pub(super) step_time: Option<Duration>,
    /// How many helpers a meeting that the thread calls waits for.
    pub(super) helpers: Arc<AtomicUsize>,
    /// What the thread does at each moment.
    pub(super) pause: Option<Arc<dyn Fn(Moment) + Send + Sync>>,
}

thread_local! {
    static REHEARSAL: RefCell<Rehearsal> = RefCell::default();
}

/// Sets what this thread rehearses, in place of what it did.
pub(super) fn replace(rehearsal: Rehearsal) -> Rehearsal {
    REHEARSAL.replace(rehearsal)
}

/// What a step seems to take this thread.
pub(super) fn step_time() -> Option<Duration> {
    REHEARSAL.with_borrow(|rehearsal| rehearsal.step_time)
}

/// Whether this thread wants more helpers to take a seat in its meeting.
pub(super) fn waits_for_helpers(meeting: &Meeting) -> bool {
    std::thread::yield_now();
    let helpers = REHEARSAL.with_borrow(|rehearsal| rehearsal.helpers.load(Ordering::SeqCst));
    meeting.seats_taken() < helpers && !meeting.is_over()
}

/// What this thread does at a moment.
pub(super) fn pause(moment: Moment) {
    if let Some(pause) = REHEARSAL.with_borrow(|rehearsal| rehearsal.pause.clone()) {
        pause(moment);
    }
}
