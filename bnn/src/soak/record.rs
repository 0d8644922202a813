//! What a soak test has done and seen: JSON, written anew after each round, with which a run goes on.

use serde::{Deserialize, Serialize};
use tfhe_core::parameters::Parameters;

use crate::error::{Error, Result};

/// The version of the file.
const FORMAT: u32 = 1;

/// Circuits and keys are drawn as a version draws them: whoever changes that raises the second number.
const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), ", soak 1");

/// Errors that are described one by one.
const MOST_FAILURES: usize = 100;

/// A record is a page at most; what is much larger is something else.
const MOST_BYTES: usize = 1 << 20;

/// Distances, in standard deviations, beyond which noise is counted.
pub(super) const TAILS: [f64; 5] = [2.0, 3.0, 4.0, 5.0, 6.0];

/// A bit that came out wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failure {
    /// The round.
    pub(super) round: u64,
    /// Whether it was the round's circuit in the published style.
    pub(super) published: bool,
    /// The output of that circuit.
    pub(super) output: usize,
}

/// What was done and seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    format: u32,
    program: String,
    /// The set's name.
    parameters: String,
    /// What keys and circuits are drawn from.
    pub seed: u64,
    /// Rounds that are finished, each with a key of its own.
    pub rounds: u64,
    /// Gates of the netlists that ran.
    pub gates: u64,
    /// Bootstraps that ran for them.
    pub bootstraps: u64,
    /// Bits that came out wrong.
    pub errors: u64,
    /// The first of them.
    pub(super) failures: Vec<Failure>,
    /// Bootstrapped bits whose noise was measured.
    pub samples: u64,
    /// How many of them were beyond each of [`TAILS`].
    pub(super) beyond: [u64; TAILS.len()],
    /// The largest noise, in standard deviations.
    pub largest: f64,
    /// Seconds that it all took.
    pub seconds: f64,
}

impl Record {
    /// The record of a test that has not begun.
    pub fn new(parameters: &'static Parameters, seed: u64) -> Self {
        Self {
            format: FORMAT,
            program: PROGRAM.into(),
            parameters: parameters.name().into(),
            seed,
            rounds: 0,
            gates: 0,
            bootstraps: 0,
            errors: 0,
            failures: Vec::new(),
            samples: 0,
            beyond: [0; TAILS.len()],
            largest: 0.0,
            seconds: 0.0,
        }
    }

    /// The record that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::State`] if it is no record, or one of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let refuse = |reason| Error::State { reason };
        if bytes.len() > MOST_BYTES {
            return Err(refuse("no record of a soak test"));
        }
        let record: Self = serde_json::from_slice(bytes).map_err(|_| refuse("no record of a soak test"))?;
        if record.format != FORMAT || record.program != PROGRAM {
            return Err(refuse("a record of another version of this program"));
        }
        if Parameters::named(&record.parameters).is_none() {
            return Err(refuse("a record of an unknown parameter set"));
        }
        let counts = [record.rounds, record.gates, record.bootstraps, record.errors, record.samples];
        // A million bootstraps a second for a year are 2^45.
        if counts.into_iter().chain(record.beyond).any(|count| count >= 1 << 48)
            || !(0.0..1e12).contains(&record.seconds)
            || !(0.0..1e3).contains(&record.largest)
        {
            return Err(refuse("damaged: no test counts so much"));
        }
        Ok(record)
    }

    /// The record as JSON, a line an entry.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec_pretty(self).expect("invariant: finite numbers and strings have a JSON form");
        bytes.push(b'\n');
        bytes
    }

    /// The parameter set.
    pub fn parameters(&self) -> &'static Parameters {
        Parameters::named(&self.parameters)
            .expect("invariant: a record has a named set, from the start or by loading")
    }

    /// Of each bound, in standard deviations: the bound, how many samples were beyond it, and how many a Gaussian would have
    /// there.
    pub fn tails(&self) -> impl Iterator<Item = (f64, u64, f64)> {
        let gaussian = |bound: f64| self.samples as f64 * libm::erfc(bound / std::f64::consts::SQRT_2);
        TAILS.into_iter().zip(self.beyond).map(move |(bound, beyond)| (bound, beyond, gaussian(bound)))
    }

    /// Counts a noise of so many standard deviations.
    pub(super) fn count_noise(&mut self, deviations: f64) {
        self.samples += 1;
        self.largest = self.largest.max(deviations);
        for (beyond, bound) in self.beyond.iter_mut().zip(TAILS) {
            *beyond += u64::from(deviations > bound);
        }
    }

    /// Counts a wrong bit.
    pub(super) fn fail(&mut self, failure: Failure) {
        self.errors += 1;
        if self.failures.len() < MOST_FAILURES {
            self.failures.push(failure);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tfhe_core::parameters::GATES_DEFAULT;

    use super::*;

    #[test]
    fn records_survive_their_bytes_and_strangers_are_refused() {
        let mut record = Record::new(&GATES_DEFAULT, 5);
        record.count_noise(3.25);
        record.fail(Failure { round: 0, published: true, output: 9 });
        let bytes = record.to_bytes();
        assert_eq!(Record::from_bytes(&bytes).unwrap(), record);
        assert_eq!((record.beyond, record.errors), ([1, 1, 0, 0, 0], 1));

        let text = String::from_utf8(bytes).unwrap();
        for (from, to) in [
            ("\"rounds\": 0", "\"rounds\": 18446744073709551615"),
            ("3.25", "1e308"),
            ("soak 1", "soak 0"),
            ("GATES_DEFAULT", "GATES"),
            ("\"seed\"", "\"sand\""),
            ("\"seconds\": 0", "\"seconds\": -1"),
        ] {
            let strange = Record::from_bytes(text.replace(from, to).as_bytes());
            assert!(matches!(strange, Err(Error::State { .. })), "{from}");
        }
    }
}
