//! Soak test: random circuits on ciphertexts, against Boolean logic.
//!
//! A [round](Soak::round) draws a key and runs random circuits under it, half of them in the published [`Style`], half with
//! all that the optimizer does. Every gate that is a bootstrap is decrypted and compared with
//! [`Netlist::simulate`](crate::circuit::netlist::Netlist::simulate), which knows nothing of ciphertexts; sums without a bootstrap are compared now and then, and through what
//! reads them. Each bootstrapped bit also shows its noise: its distance from 1/8 or -1/8, in standard deviations of
//! [`tfhe_core::noise`]. For a Gaussian, P(|x| > t) = erfc(t / sqrt 2), so that the tails that a long run counts say whether the
//! formula holds where failures come from, not only on average.
//!
//! All is drawn from the record's seed and the number of the round: an error can be run again. Those keys are for tests.
//!
//! ```
//! use bnn::soak::Record;
//! let record = Record::new(&tfhe_core::parameters::GATES_DEFAULT, 1);
//! assert_eq!((record.rounds, record.errors), (0, 0));
//! ```

mod circuit;
mod record;

pub use record::{Failure, Record, TAILS};

use std::{sync::Arc, time::Instant};

use tfhe_core::{
    backend::Backend,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    noise,
    parameters::Parameters,
    random::SecretSeed,
    torus::{Torus, Torus32},
};

use self::circuit::{Draw, RandomCircuit};
use crate::{
    Result,
    circuit::{
        evaluator::{Encrypted, Held, Run},
        netlist::Style,
        program::{NoiseBudget, Program},
    },
};

/// An eighth of the torus: what a bit that is 1 stands for; 0 is its negation.
const EIGHTH: Torus32 = Torus32(1 << 29);
/// How the circuits of a round are built.
const STYLES: [Style; 2] = [Style::AsPublished, Style::Optimized];

/// A soak test on a backend, with its record so far.
#[derive(Debug)]
pub struct Soak {
    parameters: &'static Parameters,
    budget: NoiseBudget,
    backend: Backend,
    record: Record,
}

impl Soak {
    /// Goes on with a record, of its parameter set.
    pub fn new(record: Record, backend: Backend) -> Self {
        let parameters = record.parameters();
        Self { parameters, budget: NoiseBudget::new(parameters), backend, record }
    }

    /// What was done and seen so far.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// One more round, on all threads of the current rayon pool. `progress` hears the number of bootstraps that were done,
    /// some hundred at a time.
    ///
    /// ```no_run
    /// use bnn::soak::{Record, Soak};
    /// use tfhe_core::{backend::Backend, parameters::GATES_DEFAULT};
    /// let mut soak = Soak::new(Record::new(&GATES_DEFAULT, 1), Backend::select()?);
    /// soak.round(|_| ())?;
    /// assert_eq!(soak.record().errors, 0);
    /// # Ok::<(), bnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the scheme, such as a backend that the CPU lacks. A wrong bit is no error here: it goes into the record.
    pub fn round(&mut self, mut progress: impl FnMut(usize)) -> Result<()> {
        let start = Instant::now();
        let mut draw = Draw::new(self.record.seed, self.record.rounds);
        let secret = SecretKey::generate(self.parameters, draw.secret_seed());
        let cloud = CloudKey::generate(&secret, draw.secret_seed());
        let evaluator = Evaluator::new(&cloud, self.backend)?;
        drop(cloud);
        for style in STYLES {
            let circuit = RandomCircuit::draw(style, &mut draw);
            self.run(&circuit, &secret, &evaluator, draw.secret_seed(), &mut progress)?;
        }
        self.record.rounds += 1;
        self.record.seconds += start.elapsed().as_secs_f64();
        Ok(())
    }

    fn run(
        &mut self,
        circuit: &RandomCircuit,
        secret: &SecretKey,
        evaluator: &Evaluator,
        seed: SecretSeed,
        progress: &mut impl FnMut(usize),
    ) -> Result<()> {
        let (netlist, outputs) = (&circuit.netlist, &circuit.outputs);
        let expected = netlist.simulate(&circuit.inputs, outputs);
        let program = Arc::new(Program::new(netlist, outputs, &self.budget)?);
        let engine = Encrypted::new(evaluator);
        let mut run = Run::new(Arc::clone(&program), secret.encrypt(&circuit.inputs, seed).expand());
        loop {
            match run.advance(&engine, evaluator.portion())? {
                0 => break,
                done => progress(done),
            }
        }
        let deviation = noise::bootstrapped(self.parameters).sqrt();
        for (index, (found, expected)) in run.outputs(&engine)?.into_iter().zip(expected).enumerate() {
            let bit = match found {
                Held::Known(bit) => bit,
                Held::Value(ciphertext) => {
                    let distance = secret.phase(&ciphertext)? - if expected { EIGHTH } else { -EIGHTH };
                    self.record.count_noise(distance.to_real().abs() / deviation);
                    secret.decrypt(&ciphertext)?
                }
            };
            if bit != expected {
                self.record.fail(Failure {
                    round: self.record.rounds,
                    published: netlist.style() == Style::AsPublished,
                    output: index,
                });
            }
        }
        self.record.gates += netlist.gates().len() as u64;
        self.record.bootstraps += program.bootstraps() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tfhe_core::parameters::GATES_DEFAULT;

    use super::*;

    /// The same round gives the same record, without an error and with the noise that the formula predicts.
    #[test]
    fn a_round_repeats_and_has_no_error() {
        let round = || {
            let mut soak = Soak::new(Record::new(&GATES_DEFAULT, 7), Backend::select().unwrap());
            let mut done = 0;
            soak.round(|count| done += count).unwrap();
            assert_eq!(done as u64, soak.record().bootstraps);
            let mut record = soak.record().clone();
            record.seconds = 0.0;
            record
        };
        let record = round();
        assert_eq!(record.errors, 0);
        assert!(record.bootstraps > 8_000, "{record:?}");
        // Of n samples a share p is expected beyond the bound, with a deviation of sqrt(p (1-p) / n). The noise of one key
        // differs from that of the average key by some 2 % (tests/integration/noise.rs of tfhe-core), which moves the share
        // beyond 2 deviations by 0.1 of itself at most; 6 deviations beside.
        let expected = record.expected_tail(0) / record.samples as f64;
        let share = record.beyond[0] as f64 / record.samples as f64;
        let deviation = (expected * (1.0 - expected) / record.samples as f64).sqrt();
        assert!((share - expected).abs() < 0.2 * expected + 6.0 * deviation, "{share}, not {expected}");
        assert_eq!(round(), record);
    }
}
