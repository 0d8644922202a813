//! The thread that asks for a rotation: alone, and in meetings that it calls.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::board::Board;
use super::meeting::{self, LEADER, Meeting};
use super::member::Member;
use crate::bootstrap::key::BootstrapKey;
use crate::bootstrap::modulus_switch::SwitchedSample;

/// Steps that the leader does alone and times before it calls a meeting: several, as it may be suspended in one.
const TIMED_STEPS: usize = 3;

/// Steps alone for whose time a member waits for another.
const PATIENCE: u32 = 2;

/// What a member waits at least, since clocks and interrupts take some microseconds.
const SHORTEST_PATIENCE: Duration = Duration::from_micros(20);

/// Steps of a meeting that are timed together. A meeting that does not last as long was not worth the steps' time that it costs.
const STRETCH: u32 = 64;

/// Steps that the leader does alone after a meeting that failed: at first, and at most.
const SHORTEST_REST: usize = 16;
const LONGEST_REST: usize = 2048;

thread_local! {
    /// What a thread that leads keeps from rotation to rotation.
    static DESK: Desk = Desk::default();
}

#[derive(Default)]
struct Desk {
    board: Arc<Board>,
    rest: Cell<Rest>,
}

/// Steps without a meeting.
#[derive(Clone, Copy, Default)]
struct Rest {
    left: usize,
    length: usize,
}

impl Rest {
    /// The rest after a meeting. It grows from one that was not worthwhile to the next, and falls with those that were.
    fn after(self, ending: &Ending) -> Self {
        let length = match ending {
            Ending::Done | Ending::Adjourned(_) => return Self { left: 0, length: self.length / 2 },
            Ending::Late => (self.length / 2).max(SHORTEST_REST),
            Ending::Useless => (2 * self.length).clamp(SHORTEST_REST, LONGEST_REST),
        };
        Self { left: length, length }
    }
}

/// How a meeting ended.
enum Ending {
    /// With the rotation.
    Done,
    /// More helpers had come: another one is to begin with them.
    Adjourned(Arc<Meeting>),
    /// A member was late.
    Late,
    /// A member was late before the meeting was worthwhile, or the leader is faster alone.
    Useless,
}

/// All steps for one sample, on up to `threads` threads: this one, and those of the current rayon pool that are idle.
pub(in crate::bootstrap) fn rotate(
    key: &BootstrapKey,
    sample: &SwitchedSample,
    threads: usize,
    accumulator: &mut [u64],
) {
    let steps = key.parameters.steps();
    let mut member = Member::new(key);
    let mut step_time = Duration::MAX;
    for number in 0..steps.min(TIMED_STEPS) {
        let start = Instant::now();
        member.step_alone(key, sample, number, accumulator);
        step_time = step_time.min(start.elapsed());
    }
    #[cfg(test)]
    let step_time = super::rehearsal::step_time().unwrap_or(step_time);
    if steps > TIMED_STEPS {
        DESK.with(|desk| {
            let leader = Leader { key, sample, threads, step_time, desk };
            leader.rotate_from(TIMED_STEPS, &mut member, accumulator);
        });
    }
}

/// What all meetings of a rotation have in common.
struct Leader<'a> {
    key: &'a BootstrapKey,
    sample: &'a SwitchedSample,
    threads: usize,
    /// What a step takes alone.
    step_time: Duration,
    desk: &'a Desk,
}

impl Leader<'_> {
    /// The steps from a given one on, with helpers where there are some.
    fn rotate_from(&self, first_step: usize, member: &mut Member, accumulator: &mut [u64]) {
        let steps = self.key.parameters.steps();
        let mut meeting: Option<Arc<Meeting>> = None;
        let mut number = first_step;
        while number < steps {
            let rest = self.desk.rest.get();
            match meeting.take() {
                None if rest.left > 0 => self.desk.rest.set(Rest { left: rest.left - 1, ..rest }),
                None => {
                    meeting = self.call();
                    #[cfg(test)]
                    while meeting.as_deref().is_some_and(super::rehearsal::waits_for_helpers) {
                        self.invite();
                    }
                }
                // A helper has come and has not waited.
                Some(called) if called.is_over() => self.desk.rest.set(rest.after(&Ending::Useless)),
                Some(called) if called.seats_taken() > 0 => {
                    let ending;
                    (number, ending) = self.lead(&called, number, member, accumulator);
                    self.desk.rest.set(rest.after(&ending));
                    match ending {
                        Ending::Done => return,
                        Ending::Adjourned(next) => meeting = Some(next),
                        Ending::Late | Ending::Useless => {}
                    }
                }
                Some(called) => {
                    self.invite();
                    meeting = Some(called);
                }
            }
            member.step_alone(self.key, self.sample, number, accumulator);
            number += 1;
        }
        if let Some(meeting) = meeting {
            meeting.end();
        }
    }

    /// Posts a meeting and invites helpers to it; `None` if it cannot be posted at once.
    fn call(&self) -> Option<Arc<Meeting>> {
        let patience = self.step_time.saturating_mul(PATIENCE).max(SHORTEST_PATIENCE);
        let meeting = Meeting::new(self.key.clone(), self.sample.clone(), self.threads, patience);
        let meeting = Arc::new(meeting);
        self.desk.board.post(&meeting)?;
        self.invite();
        Some(meeting)
    }

    fn invite(&self) {
        self.desk.board.invite(meeting::members(&self.key.shape, self.threads) - 1);
    }

    /// Leads a meeting from a step on, to the end. Returns the step before which the accumulator is then.
    fn lead(
        &self,
        meeting: &Meeting,
        first_step: usize,
        member: &mut Member,
        accumulator: &mut [u64],
    ) -> (usize, Ending) {
        let (shape, last_step) = (&self.key.shape, self.key.parameters.steps());
        let start = accumulator.to_vec();
        let shares = meeting.begin(first_step, accumulator);
        let (mut next, mut worthwhile) = (None, false);
        let mut clock = Clock::start();
        let stay = || {
            if let Some(time) = clock.step() {
                worthwhile = time <= self.step_time;
                if !worthwhile {
                    return false;
                }
            }
            if meeting.members() > shares.members {
                next = self.call();
            }
            next.is_none()
        };
        let polynomials = &mut accumulator[shares.words(shape, LEADER)];
        let left = member.attend(meeting, shares, LEADER, polynomials, stay);
        if left == last_step {
            // If this takes too long, the last step is done again.
            let _ = meeting.wait(|| shares.all_published(last_step));
        }
        match &next {
            Some(next) => meeting.adjourn(Arc::clone(next)),
            None => meeting.end(),
        }
        let complete = if shares.all_published(left) { Some(left) } else { left.checked_sub(1) };
        let collected = complete.filter(|&step| step >= first_step).and_then(|step| {
            shares.collect_polynomials(shape, step, accumulator)?;
            Some(step)
        });
        let reached = collected.unwrap_or_else(|| {
            accumulator.copy_from_slice(&start);
            first_step
        });
        let ending = match next {
            _ if reached == last_step => Ending::Done,
            Some(next) => Ending::Adjourned(next),
            None if worthwhile => Ending::Late,
            None => Ending::Useless,
        };
        (reached, ending)
    }
}

/// Times the steps of a meeting.
struct Clock {
    start: Instant,
    steps: u32,
}

impl Clock {
    fn start() -> Self {
        Self { start: Instant::now(), steps: 0 }
    }

    /// Counts a step. After each stretch of steps, what one of them has taken.
    fn step(&mut self) -> Option<Duration> {
        self.steps += 1;
        if self.steps < STRETCH {
            return None;
        }
        let time = self.start.elapsed() / self.steps;
        *self = Self::start();
        Some(time)
    }
}
