//! One blind rotation on several threads, for the latency of a single sample.
//!
//! The thread that asks for the rotation *leads*: it works alone until helpers have come, and it finishes alone if they leave.
//! Helpers are tasks of the current rayon pool. They run where a thread of the pool is idle, so several rotations at a time
//! share no more threads than the pool has.
//!
//! # How the work is shared
//! Leader and helpers are the members of a [meeting](meeting). Each member owns some polynomials of the accumulator. In a step it
//! transforms the digits of its own, publishes them, reads the digits of the others, multiplies all of them by its own columns of
//! the key, and adds the products to its own polynomials. So a member reads only its part of the key, which is what a single
//! rotation waits for, and members wait for one another once a step. A polynomial's new value is computed by the same operations
//! in the same order whoever computes it, so that the result is that of one thread to the last bit.
//!
//! # How waiting gives way
//! The system may suspend any thread at any point, and for as long as it likes. What follows makes the result right and the
//! leader's loss small in every case.
//!
//! * **Nobody waits for a thread that has not started.** The leader posts a meeting on its [board](board) and works on. A helper
//!   that reads the board takes a seat. Once a step the leader looks at the seats, and the meeting begins when one is taken.
//!   An invitation that no thread follows costs nothing: the leader never waits for the task's end.
//! * **Every wait ends.** A member waits for as long as two steps take one thread alone, which the leader has measured. Then the
//!   meeting is over: a flag that every member may raise and nobody lowers. Helpers leave; the leader goes on alone. It posts
//!   another meeting after a rest, which doubles while meetings are too short to be worth it. The leader also ends
//!   a meeting whose steps take longer than alone, as they do where the threads compete for a core or for memory.
//! * **Nobody waits for a lock.** Members publish in places with a lock each, and every one of these locks is tried, never awaited.
//!   A failed attempt counts as lateness. (Helpers wait for the board's lock; the leader only tries it.)
//! * **The leader can always go on.** With its digits, a member publishes its polynomials as they were before the step. A member
//!   has two places, for even and for odd steps. When a meeting is over while the leader is at step t, it collects the polynomials
//!   before step t if all members have published them, else those before step t - 1, and computes on from there. If it
//!   cannot have either, it returns to where the meeting began, of which it has kept a copy.
//!
//! # Why what the leader collects is right
//! What is read from a place is read under its lock, and the place bears the number of its step, written under the same lock. So a
//! place with the right number holds what that member publishes for that step, whole. This is all that the result depends on: a
//! place that is locked, or has another number, only sends the leader further back. A member who has been suspended may
//! wake at any time and write to its own places, but the leader has left that meeting for good, and the places of
//! another meeting are others.
//!
//! That the leader is in fact never sent further back than one step follows from the order of events. A member publishes for step
//! t + 1 after it has seen that all have published for step t, and the two steps use different places. So a member
//! overwrites its place for step t - 1 only after all have published for step t. If at the end of the meeting one of
//! them has not, the places for step t - 1 hold. They go on to hold, since a member looks at the flag when it has the lock of
//! its place, and the flag was raised before the leader found that one had not published. (The flag and the counters are
//! sequentially consistent for this argument.) If all have published for step t, none can have gone beyond step t + 1,
//! for which the leader has not published, and the places for step t hold.
//!
//! Each meeting is followed by a step of the leader alone, so the rotation ends however often its meetings fail.

mod board;
mod leader;
mod meeting;
mod member;
#[cfg(test)]
mod rehearsal;
#[cfg(test)]
mod tests;

pub(super) use leader::rotate;
