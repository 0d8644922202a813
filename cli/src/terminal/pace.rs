//! How fast counted work goes and how long it still takes, by the whole run: an average that forgets would swing wildly
//! where steps are slow, as images and gates of minutes are.

use std::time::Duration;

use crate::terminal::units;

/// The pace of work since it began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Steps done in this run; what an earlier run did tells nothing of the speed.
    pub(crate) done: u64,
    /// Steps to be done.
    pub(crate) left: u64,
    /// Since this run began.
    pub(crate) elapsed: Duration,
}

impl Pace {
    /// Of work that is at `position` of `total`, `before` of which were done before this run.
    pub(crate) fn new(position: u64, total: u64, before: u64, elapsed: Duration) -> Self {
        Self { done: position.saturating_sub(before), left: total.saturating_sub(position), elapsed }
    }

    /// Steps a second.
    pub(crate) fn per_second(self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// How long it still takes; `None` before the first step is done.
    pub(crate) fn time_left(self) -> Option<Duration> {
        let seconds = self.elapsed.as_secs_f64() * self.left as f64 / self.done as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// The same in words.
    pub(crate) fn left(self) -> String {
        match self.time_left() {
            _ if self.left == 0 => "done".into(),
            Some(left) => format!("{} left", units::long_duration(left)),
            None => "time left not known yet".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Steps of a known cost, on a clock that is not the machine's: the estimate is never off by more than what one step
    /// can hide.
    #[test]
    fn slow_and_uneven_steps_have_a_sensible_time_left() {
        // Seconds an image: two long stretches beside other work, one idle machine.
        let costs: Vec<u64> = (0..100).map(|step| if step % 10 == 9 { 70 } else { 60 }).collect();
        let total: u64 = costs.iter().sum();
        let mut elapsed = 0;
        for (step, cost) in costs.iter().enumerate() {
            let pace = |position, elapsed| Pace::new(position, 100, 0, Duration::from_secs(elapsed));
            elapsed += cost;
            let (true_left, done) = ((total - elapsed) as f64, step as u64 + 1);
            let estimate = pace(done, elapsed).time_left().unwrap().as_secs_f64();
            assert!(
                (estimate - true_left).abs() <= 0.04 * total as f64,
                "{done}: {estimate} for {true_left}"
            );
            // Between two steps it stays what it was, but for the time that goes by.
            let later = pace(done, elapsed + 59).time_left().unwrap().as_secs_f64();
            assert!((later - estimate).abs() <= 59.0 * (100 - done) as f64 / done as f64 + 1e-6);
        }
        let end = Pace::new(100, 100, 0, Duration::from_secs(elapsed));
        assert_eq!((end.time_left(), end.left()), (Some(Duration::ZERO), "done".into()));
    }

    #[test]
    fn what_an_earlier_run_did_does_not_count_as_speed() {
        let pace = Pace::new(900, 1000, 890, Duration::from_secs(20));
        assert_eq!((pace.per_second(), pace.time_left()), (0.5, Some(Duration::from_secs(200))));
        assert!(pace.left().contains("3 min"), "{}", pace.left());
    }

    #[test]
    fn before_the_first_step_nothing_is_claimed() {
        let pace = Pace::new(0, 5, 0, Duration::from_secs(100));
        assert_eq!((pace.time_left(), pace.left()), (None, "time left not known yet".into()));
    }
}
