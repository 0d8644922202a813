//! When a request is sent again: where its answer was lost or the service is busy, for a while.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::error::{Error, Result};

/// How long a request that fails is sent again and again.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// The same where the service has never answered yet: its address may be wrong.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);
/// The first pause between two requests, and the longest, unless the service asks for a longer one.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);

/// Why one request came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// The same request may do better later, or after what the service asks for.
    Passing { error: Box<Error>, after: Option<Duration> },
    /// It may not.
    Lasting(Box<Error>),
}

impl Failure {
    pub(super) fn passing(error: Error, after: Option<Duration>) -> Self {
        Self::Passing { error: Box::new(error), after }
    }

    pub(super) fn lasting(error: Error) -> Self {
        Self::Lasting(Box::new(error))
    }
}

/// What is done where the service has too much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenBusy {
    /// It is asked again.
    Wait,
    /// That is told, because the caller has something better to do.
    Tell,
}

/// Whether the service has answered anything before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acquaintance {
    New,
    Known,
}

/// Runs `attempt` until it succeeds or there is no hope left.
///
/// # Errors
/// That of the last attempt.
pub(super) fn persist<T>(
    when_busy: WhenBusy,
    acquaintance: impl Fn() -> Acquaintance,
    attempt: impl Fn() -> Result<T, Failure>,
) -> Result<T> {
    let start = Instant::now();
    let mut count = 0;
    loop {
        let (error, after) = match attempt() {
            Ok(answer) => return Ok(answer),
            Err(Failure::Lasting(error)) => return Err(*error),
            Err(Failure::Passing { error, after }) => (*error, after),
        };
        if when_busy == WhenBusy::Tell && error.is_refused_with(429) {
            return Err(error);
        }
        let pause = pause(count, after);
        let patience = match acquaintance() {
            Acquaintance::New => FIRST_PATIENCE,
            Acquaintance::Known => PATIENCE,
        };
        if start.elapsed() + pause >= patience {
            return Err(error);
        }
        thread::sleep(pause);
        count += 1;
    }
}

/// The pause after so many others: what the service asks for, or each twice as long as the one before.
pub(super) fn pause(before: u32, asked: Option<Duration>) -> Duration {
    asked.unwrap_or_else(|| SHORTEST.saturating_mul(1 << before.min(16)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;

    use super::*;
    use crate::error::remote::RemoteFault;

    fn refused(status: u16) -> Error {
        Error::Remote { url: "u".into(), fault: RemoteFault::Refused { status, line: "l".into() } }
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        assert_eq!(pause(0, None), SHORTEST);
        assert_eq!(pause(2, None), 4 * SHORTEST);
        assert_eq!(pause(u32::MAX, None), LONGEST);
        assert_eq!(pause(3, Some(Duration::ZERO)), Duration::ZERO);
    }

    #[test]
    fn what_passes_is_tried_again_and_what_lasts_is_not() {
        let passing = |error| Failure::passing(error, Some(Duration::ZERO));
        assert_eq!(attempts(passing), (true, 3));
        assert_eq!(attempts(Failure::lasting), (false, 1));
    }

    /// Of a request that would succeed the third time: whether it did, and how often it was sent.
    fn attempts(fails: impl Fn(Error) -> Failure) -> (bool, u32) {
        let count = Cell::new(0);
        let result = persist(
            WhenBusy::Wait,
            || Acquaintance::Known,
            || {
                count.set(count.get() + 1);
                if count.get() < 3 { Err(fails(refused(503))) } else { Ok(()) }
            },
        );
        (result.is_ok(), count.get())
    }

    /// A pause that is longer than the patience left is not begun.
    #[test]
    fn no_more_is_waited_than_it_is_worth() {
        let later = |status| {
            move || -> Result<(), Failure> {
                Err(Failure::passing(refused(status), Some(PATIENCE + LONGEST)))
            }
        };
        assert!(persist(WhenBusy::Wait, || Acquaintance::Known, later(429)).is_err());
        let soon =
            || -> Result<(), Failure> { Err(Failure::passing(refused(429), Some(FIRST_PATIENCE * 2))) };
        assert!(persist(WhenBusy::Wait, || Acquaintance::New, soon).is_err());
        assert!(persist(WhenBusy::Tell, || Acquaintance::Known, soon).unwrap_err().is_refused_with(429));
    }
}
