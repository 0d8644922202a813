//! The thread that evaluates networks, on all threads of the rayon pool.
//!
//! It works in turns. A turn is for one key and one model: so many runs of them as there are threads take a step side by side, whose
//! bootstraps fill each other's gaps. Then the next key has its turn.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    time::{Duration, Instant},
};

use bnn::engine::Server;
use rayon::prelude::*;

use super::{
    Message, Shared,
    fairness::Fairness,
    order::RunFault,
    residents::Residents,
    run::{Run, Saving, Step},
};
use crate::store::keys::KeyName;

/// For how long a key keeps its turn, in seconds, where another would have to be brought into memory, which takes a part of a second.
const PATIENCE: f64 = 2.0;

/// How often it is tried to store what could not be stored.
const STORE_AGAIN: Duration = Duration::from_secs(5);

/// Works until it is told to stop.
pub(crate) fn work(shared: &Shared, messages: &Receiver<Message>) {
    let mut worker = Worker {
        shared,
        runs: BTreeMap::new(),
        fairness: Fairness::default(),
        residents: Residents::default(),
        current: None,
        stored_again: Instant::now(),
    };
    while worker.receive(messages) {
        worker.turn();
        worker.tell();
    }
}

struct Worker<'a> {
    shared: &'a Shared,
    /// What is to be done for each key, in the order in which it came.
    runs: BTreeMap<KeyName, Vec<Run>>,
    fairness: Fairness,
    residents: Residents,
    /// The key that had the last turn.
    current: Option<KeyName>,
    /// When it was tried last to store what could not be stored.
    stored_again: Instant,
}

impl Worker<'_> {
    /// Takes what it is told; waits for it where there is nothing else to do. False at the end.
    fn receive(&mut self, messages: &Receiver<Message>) -> bool {
        loop {
            if self.shared.is_stopping() {
                self.leave_jobs();
            }
            if self.stored_again.elapsed() >= STORE_AGAIN {
                self.shared.store_again();
                self.stored_again = Instant::now();
            }
            let message = if !self.runs.is_empty() {
                messages.try_recv()
            } else if self.shared.is_stopping() {
                // What was ordered before the end is done.
                match messages.try_recv() {
                    Err(_) => return false,
                    message => message,
                }
            } else if self.shared.has_unstored() {
                messages.recv_timeout(STORE_AGAIN).map_err(|error| match error {
                    RecvTimeoutError::Timeout => TryRecvError::Empty,
                    RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
                })
            } else {
                messages.recv().map_err(|_| TryRecvError::Disconnected)
            };
            match message {
                Ok(Message::Order(order)) => {
                    self.fairness.arrive(&order.key);
                    self.runs.entry(order.key.clone()).or_default().push(Run::new(*order));
                }
                Ok(Message::Forget(key)) => {
                    self.residents.evict(&key);
                    self.tell();
                }
                Ok(Message::Look) => {}
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return !self.runs.is_empty(),
            }
        }
    }

    /// Saves the jobs and leaves them to the next process.
    fn leave_jobs(&mut self) {
        for runs in self.runs.values_mut() {
            for run in runs.iter_mut().filter(|run| run.order.job().is_some()) {
                if let Err(error) = caught(|| run.save(Saving::AtOnce, self.shared)) {
                    tracing::error!(%error, "a run could not be saved; it will go on from where it was saved before");
                }
            }
            runs.retain(|run| run.order.job().is_none());
        }
        self.forget_idle_keys();
    }

    fn forget_idle_keys(&mut self) {
        let Self { runs, fairness, .. } = self;
        runs.retain(|key, runs| {
            if runs.is_empty() {
                fairness.leave(key);
            }
            !runs.is_empty()
        });
    }

    /// Does a step of some runs of one key and model.
    fn turn(&mut self) {
        for runs in self.runs.values_mut() {
            runs.retain(|run| !run.order.is_abandoned());
        }
        self.forget_idle_keys();
        let Some(key) = self.next_key() else { return };
        let group = self.take_group(&key);
        let start = Instant::now();
        let server = match twice(|| self.prepare(&key, &group)) {
            Ok(server) => server,
            Err(fault) => {
                let fault = fault.told();
                tracing::warn!(%fault, "a key cannot be used");
                for run in group {
                    run.end(Err(fault.again()), self.shared);
                }
                return;
            }
        };
        let mut begun = Vec::new();
        for mut run in group {
            match twice(|| run.begin(&server, self.shared)) {
                Ok(()) => begun.push(run),
                Err(fault) => run.end(Err(fault), self.shared),
            }
        }
        let steps: Vec<Result<Step, RunFault>> =
            begun.par_iter_mut().map(|run| caught(|| run.step())).collect();
        let mut bootstraps = 0;
        let mut unfinished = Vec::new();
        for (mut run, step) in begun.into_iter().zip(steps) {
            match step {
                Ok(Step::More(done)) => {
                    bootstraps += done;
                    if let Err(error) = caught(|| run.save(Saving::FromTimeToTime, self.shared)) {
                        tracing::warn!(%error, "a run could not be saved; it goes on");
                    }
                    unfinished.push(run);
                }
                Ok(Step::Done(done, scores)) => {
                    bootstraps += done;
                    run.end(Ok(scores), self.shared);
                }
                // Whoever cancelled it knows.
                Err(RunFault::Network(bnn::Error::Cancelled)) => {}
                Err(fault) => run.end(Err(fault), self.shared),
            }
        }
        self.fairness.done(&key, bootstraps);
        self.shared.admission.measured(bootstraps, start.elapsed());
        self.shared.metrics.bootstrapped(bootstraps);
        // They keep their place before those that came later.
        self.runs.entry(key.clone()).or_default().splice(0..0, unfinished);
        self.current = Some(key);
        self.forget_idle_keys();
    }

    /// The key whose turn it is.
    fn next_key(&mut self) -> Option<KeyName> {
        let next = self.fairness.next(None, 0)?;
        if self.residents.has(&next) || self.current.is_none() {
            return Some(next);
        }
        let patience = self.shared.admission.speed().unwrap_or_default() * PATIENCE;
        self.fairness.next(self.current.as_ref(), patience as u64)
    }

    /// Takes the first run of a key, and others of the same model, as many as there are threads and as memory has room for.
    fn take_group(&mut self, key: &KeyName) -> Vec<Run> {
        let runs = self.runs.remove(key).unwrap_or_default();
        let model = runs.first().map(|run| run.order.served.name.clone());
        let most_bytes = self.shared.bounds.memory_bytes / 2;
        let (mut group, mut others, mut bytes) = (Vec::new(), Vec::new(), 0);
        for run in runs {
            bytes += run.order.cost.ciphertext_bytes as u64;
            let fits =
                group.is_empty() || (group.len() < rayon::current_num_threads() && bytes <= most_bytes);
            if fits && Some(&run.order.served.name) == model.as_ref() {
                group.push(run)
            } else {
                others.push(run)
            }
        }
        self.runs.insert(key.clone(), others);
        group
    }

    /// Makes room for a group, and brings its key into memory.
    fn prepare(&mut self, key: &KeyName, group: &[Run]) -> Result<Server, RunFault> {
        let first = group.first().ok_or(RunFault::NoJob)?;
        let needed: u64 = group.iter().map(|run| run.order.cost.ciphertext_bytes as u64).sum();
        let room = self.residents.room_for(key, self.shared);
        while self.bytes() + needed + room > self.shared.bounds.memory_bytes {
            let Some(oldest) = self.residents.oldest(key) else { break };
            for run in self.runs.get_mut(&oldest).into_iter().flatten() {
                run.put_aside(self.shared)?;
            }
            self.residents.evict(&oldest);
        }
        Ok(self.residents.server(key, &first.order.served, self.shared)?.clone())
    }

    /// Bytes of keys, and of the ciphertexts of runs that are not of the group in hand.
    fn bytes(&self) -> u64 {
        self.residents.bytes() + self.runs.values().flatten().map(Run::bytes).sum::<u64>()
    }

    /// Tells how things are.
    fn tell(&self) {
        let waiting = self.runs.values().map(Vec::len).sum();
        self.shared.metrics.holding(self.residents.bytes(), self.fairness.keys(), waiting);
    }
}

/// What may fail for a moment is tried again, once.
fn twice<T>(mut run: impl FnMut() -> Result<T, RunFault>) -> Result<T, RunFault> {
    match caught(&mut run) {
        Err(fault) if fault.may_pass() => caught(run),
        result => result,
    }
}

/// A panic in what is done for a run is the run's end, and not the service's.
fn caught<T>(run: impl FnOnce() -> Result<T, RunFault>) -> Result<T, RunFault> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(RunFault::Internal))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::store::StoreError;

    #[test]
    fn a_panic_ends_a_run_and_what_may_pass_is_tried_twice() {
        assert!(matches!(caught::<()>(|| panic!("a test")), Err(RunFault::Internal)));
        let mut tries = 0;
        let result = twice(|| {
            tries += 1;
            if tries == 1 { Err(RunFault::Store(StoreError::Full)) } else { Ok(tries) }
        });
        assert_eq!(result.unwrap(), 2);
        let mut tries = 0;
        let result: Result<(), RunFault> = twice(|| {
            tries += 1;
            Err(RunFault::NoKey)
        });
        assert!(matches!(result, Err(RunFault::NoKey)));
        assert_eq!(tries, 1);
    }
}
