//! Which key's turn it is: that of the key for which least was done so far.
//!
//! Each key has a clock, which counts the bootstraps that were done for it. The key whose clock is furthest behind is next (start-time fair
//! queueing: Goyal, Vin, Cheng, SIGCOMM 1996). A key that comes anew begins at the clock of the last turn, so that nobody saves up time by
//! waiting. So a job of minutes of one client and the seconds of another share the machine.

use std::collections::HashMap;

use crate::store::keys::KeyName;

/// The clocks.
#[derive(Debug, Default)]
pub(crate) struct Fairness {
    clocks: HashMap<KeyName, u64>,
    /// The clock of the key that had the last turn, when it had it.
    last: u64,
}

impl Fairness {
    /// A key has work again.
    pub(crate) fn arrive(&mut self, key: &KeyName) {
        let last = self.last;
        self.clocks.entry(key.clone()).or_insert(last);
    }

    /// A key has no more work.
    pub(crate) fn leave(&mut self, key: &KeyName) {
        self.clocks.remove(key);
    }

    /// The key whose turn it is. Where it costs something to go to another key, the `current` one keeps its turn for `patience` bootstraps more than
    /// would be fair.
    pub(crate) fn next(&mut self, current: Option<&KeyName>, patience: u64) -> Option<KeyName> {
        let (first, &clock) = self.clocks.iter().min_by_key(|&(name, &clock)| (clock, name))?;
        let stays = current.and_then(|key| self.clocks.get_key_value(key));
        let (key, clock) = match stays {
            Some((key, &own)) if own <= clock.saturating_add(patience) => (key, own),
            _ => (first, clock),
        };
        self.last = self.last.max(clock);
        Some(key.clone())
    }

    /// Bootstraps were done for a key.
    pub(crate) fn done(&mut self, key: &KeyName, bootstraps: u64) {
        if let Some(clock) = self.clocks.get_mut(key) {
            *clock += bootstraps;
        }
    }

    /// How many keys have work.
    pub(crate) fn keys(&self) -> usize {
        self.clocks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::owner::Owner;

    fn key(number: u8) -> KeyName {
        KeyName { owner: Owner::anyone(), id: [number; 16] }
    }

    #[test]
    fn a_long_job_does_not_keep_short_requests_waiting() {
        let mut fairness = Fairness::default();
        fairness.arrive(&key(1));
        for _ in 0..100 {
            assert_eq!(fairness.next(None, 0), Some(key(1)));
            fairness.done(&key(1), 1000);
        }
        // Another comes later: the first turn or the second is its own, and then they take turns.
        fairness.arrive(&key(2));
        let mut turns = [0_u32; 3];
        for _ in 0..20 {
            let next = fairness.next(None, 0).unwrap_or_else(|| key(0));
            turns[usize::from(next.id[0])] += 1;
            fairness.done(&next, 1000);
        }
        assert!(turns[1].abs_diff(turns[2]) <= 2, "{turns:?}");
    }

    #[test]
    fn the_current_key_stays_as_long_as_patience_lasts() {
        let mut fairness = Fairness::default();
        for number in [1, 2] {
            fairness.arrive(&key(number));
        }
        fairness.done(&key(1), 500);
        assert_eq!(fairness.next(Some(&key(1)), 500), Some(key(1)));
        fairness.done(&key(1), 1);
        assert_eq!(fairness.next(Some(&key(1)), 500), Some(key(2)));
        fairness.leave(&key(2));
        assert_eq!(fairness.next(None, 0), Some(key(1)));
        assert_eq!(fairness.keys(), 1);
    }
}
