//! Where a leading thread posts its meeting, and how it invites helpers.
//!
//! A thread has one board for all its rotations. An invitation is a task of the current rayon pool that reads the board when it
//! runs, early or late; so a thread never has more invitations under way than it can use, however long the pool is busy.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::meeting::Meeting;
use super::member;

/// The board of a thread.
#[derive(Default)]
pub(super) struct Board {
    meeting: Mutex<Weak<Meeting>>,
    /// Invitations that have been sent and whose tasks have not ended.
    invitations: AtomicUsize,
}

impl Board {
    /// Puts a meeting in place of the one before; `None` if a helper is just reading.
    pub(super) fn post(&self, meeting: &Arc<Meeting>) -> Option<()> {
        *self.meeting.try_lock().ok()? = Arc::downgrade(meeting);
        Some(())
    }

    /// The meeting that is posted, if its leader is still there.
    fn read(&self) -> Option<Arc<Meeting>> {
        self.meeting.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// Sends invitations until as many are under way as helpers are wanted.
    pub(super) fn invite(self: &Arc<Self>, helpers: usize) {
        while self.invitations.load(Ordering::Relaxed) < helpers {
            let invitation = Invitation::new(Arc::clone(self));
            rayon::spawn(move || invitation.follow());
        }
    }
}

/// One invitation, counted as long as it lives.
struct Invitation(Arc<Board>);

impl Invitation {
    fn new(board: Arc<Board>) -> Self {
        board.invitations.fetch_add(1, Ordering::Relaxed);
        Self(board)
    }

    /// Helps in what the board shows.
    fn follow(self) {
        // A panic here is a fault of the computation, which the leader repeats alone; it shall be the leader's panic, not the
        // pool's end.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            if let Some(meeting) = self.0.read() {
                member::help(&meeting);
            }
        }));
    }
}

impl Drop for Invitation {
    fn drop(&mut self) {
        self.0.invitations.fetch_sub(1, Ordering::Relaxed);
    }
}
