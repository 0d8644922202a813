//! A meeting: members that share the steps of one rotation, and what they publish for one another.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::{Duration, Instant};

use crate::backend::buffer::AlignedBuffer;
use crate::backend::transform::StepShape;
use crate::bootstrap::key::BootstrapKey;
use crate::bootstrap::modulus_switch::SwitchedSample;

/// Turns of waiting between two looks at the clock: about a microsecond.
const SPINS: u32 = 16;

/// The seat of the thread that has called the meeting; the helpers have the seats from 1.
pub(super) const LEADER: usize = 0;

/// A rotation that may be shared from some step on, until it is over.
pub(super) struct Meeting {
    pub(super) key: BootstrapKey,
    pub(super) sample: SwitchedSample,
    /// The most members.
    threads: usize,
    /// How long a member waits for another.
    patience: Duration,
    /// Seats that helpers have taken.
    taken: AtomicUsize,
    over: AtomicBool,
    /// Where the helpers go when it is over.
    next: OnceLock<Arc<Self>>,
    /// Set when it begins.
    shares: OnceLock<Shares>,
}

/// How the members of a meeting divide the accumulator, and their places.
pub(super) struct Shares {
    pub(super) members: usize,
    /// The step with which the meeting began.
    pub(super) first_step: usize,
    /// The polynomials of an accumulator.
    polynomials: usize,
    /// Polynomials of a member; the last one may have fewer.
    share: usize,
    /// For each member, the number of the first step for which it has not published.
    published: Vec<Counter>,
    /// For even steps and for odd ones, a place a member.
    places: [Vec<RwLock<Place>>; 2],
}

/// A counter with cache lines of its own.
#[repr(align(128))]
struct Counter(AtomicUsize);

/// The step of a place for which nothing has been published.
const NONE: usize = usize::MAX;

/// What a member publishes for a step; before, the polynomials that it starts with.
struct Place {
    step: usize,
    /// Its polynomials before the step.
    polynomials: AlignedBuffer<u64>,
    /// Their digits in the Fourier domain.
    digits: AlignedBuffer<f64>,
}

/// How many of `threads` share an accumulator: as many as shorten the largest share.
pub(super) fn members(shape: &StepShape, threads: usize) -> usize {
    shape.polynomials().div_ceil(shape.polynomials().div_ceil(threads))
}

/// Words of digits that come of a polynomial.
fn digits_len(shape: &StepShape) -> usize {
    shape.gadget.levels() as usize * shape.stride()
}

impl Shares {
    fn new(shape: &StepShape, members: usize, first_step: usize, accumulator: &[u64]) -> Self {
        let share = shape.polynomials().div_ceil(members);
        let place = |polynomials: &[u64]| {
            let mut start = AlignedBuffer::zeroed(polynomials.len());
            start.copy_from_slice(polynomials);
            let digits = polynomials.len() / shape.size * digits_len(shape);
            RwLock::new(Place { step: NONE, polynomials: start, digits: AlignedBuffer::zeroed(digits) })
        };
        Self {
            members,
            first_step,
            polynomials: shape.polynomials(),
            share,
            published: (0..members).map(|_| Counter(AtomicUsize::new(first_step))).collect(),
            places: [0, 1].map(|_| accumulator.chunks(share * shape.size).map(place).collect()),
        }
    }

    /// The polynomials of the member in `seat`.
    pub(super) fn polynomials(&self, seat: usize) -> Range<usize> {
        seat * self.share..((seat + 1) * self.share).min(self.polynomials)
    }

    /// The words of the member's polynomials in an accumulator.
    pub(super) fn words(&self, shape: &StepShape, seat: usize) -> Range<usize> {
        let Range { start, end } = self.polynomials(seat);
        start * shape.size..end * shape.size
    }

    /// The words of the member's digits among those of all.
    pub(super) fn digits(&self, shape: &StepShape, seat: usize) -> Range<usize> {
        let Range { start, end } = self.polynomials(seat);
        start * digits_len(shape)..end * digits_len(shape)
    }

    /// The polynomials of the member in `seat` before the first step, which nobody else overwrites.
    pub(super) fn start(&self, seat: usize) -> Option<AlignedBuffer<u64>> {
        Some(self.places[self.first_step % 2][seat].try_read().ok()?.polynomials.clone())
    }

    /// Whether all members have published for a step.
    pub(super) fn all_published(&self, step: usize) -> bool {
        self.published.iter().all(|counter| counter.0.load(Ordering::SeqCst) > step)
    }

    /// Copies the digits that the members other than the one in `seat` have published for a step to their places among those of
    /// all; `None` if some cannot be had at once.
    pub(super) fn collect_digits(
        &self,
        shape: &StepShape,
        step: usize,
        seat: usize,
        digits: &mut [f64],
    ) -> Option<()> {
        for (other, place) in self.places[step % 2].iter().enumerate().filter(|&(other, _)| other != seat) {
            let place = place.try_read().ok().filter(|place| place.step == step)?;
            digits[self.digits(shape, other)].copy_from_slice(&place.digits);
        }
        Some(())
    }

    /// Copies the polynomials that the members have published for a step to the accumulator; `None` if some cannot be had at
    /// once, and then the accumulator holds no value.
    pub(super) fn collect_polynomials(
        &self,
        shape: &StepShape,
        step: usize,
        accumulator: &mut [u64],
    ) -> Option<()> {
        for (seat, place) in self.places[step % 2].iter().enumerate() {
            let place = place.try_read().ok().filter(|place| place.step == step)?;
            accumulator[self.words(shape, seat)].copy_from_slice(&place.polynomials);
        }
        Some(())
    }
}

impl Meeting {
    pub(super) fn new(key: BootstrapKey, sample: SwitchedSample, threads: usize, patience: Duration) -> Self {
        Self {
            key,
            sample,
            threads,
            patience,
            taken: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            next: OnceLock::new(),
            shares: OnceLock::new(),
        }
    }

    /// Takes a seat for a helper.
    pub(super) fn sit_down(&self) -> usize {
        self.taken.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// How many helpers have taken a seat.
    pub(super) fn seats_taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// How many members there would be if it began now.
    pub(super) fn members(&self) -> usize {
        members(&self.key.shape, self.threads.min(self.seats_taken() + 1))
    }

    /// Begins with the leader and the helpers that have come, at a step before which the accumulator is the one given. For the
    /// leader, once.
    pub(super) fn begin(&self, step: usize, accumulator: &[u64]) -> &Shares {
        self.shares.get_or_init(|| Shares::new(&self.key.shape, self.members(), step, accumulator))
    }

    /// How it divides the accumulator, if it has begun.
    pub(super) fn shares(&self) -> Option<&Shares> {
        self.shares.get()
    }

    /// Ends it, for all members.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Ends it, and sends the helpers to another.
    pub(super) fn adjourn(&self, next: Arc<Self>) {
        // The leader adjourns a meeting once, and then it is over.
        let _ = self.next.set(next);
        self.end();
    }

    /// Where the helpers of a meeting that is over go.
    pub(super) fn next(&self) -> Option<Arc<Self>> {
        self.next.get().cloned()
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits until `done`; `None` if the meeting is over or the wait has taken too long.
    pub(super) fn wait(&self, done: impl Fn() -> bool) -> Option<()> {
        let mut start = None;
        loop {
            for _ in 0..SPINS {
                if done() {
                    return Some(());
                }
                if self.is_over() {
                    return None;
                }
                std::hint::spin_loop();
            }
            // Some tests have more patience than the machine has cores.
            #[cfg(test)]
            std::thread::yield_now();
            if start.get_or_insert_with(Instant::now).elapsed() > self.patience {
                return None;
            }
        }
    }

    /// Publishes a member's polynomials before a step, and their digits; `None` if the meeting is over.
    pub(super) fn publish(
        &self,
        shares: &Shares,
        seat: usize,
        step: usize,
        polynomials: &[u64],
        digits: &[f64],
    ) -> Option<()> {
        let mut place = shares.places[step % 2][seat].try_write().ok()?;
        // With the lock: what the leader has found in a place, when it has ended the meeting, it will find there.
        if self.is_over() {
            return None;
        }
        place.step = step;
        place.polynomials.copy_from_slice(polynomials);
        #[cfg(test)]
        super::rehearsal::pause(super::rehearsal::Moment::WhilePublishing);
        place.digits.copy_from_slice(digits);
        drop(place);
        shares.published[seat].0.store(step + 1, Ordering::SeqCst);
        Some(())
    }
}
