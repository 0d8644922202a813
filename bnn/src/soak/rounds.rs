//! Rounds of a soak test.

use std::{sync::Arc, time::Instant};

use tfhe_core::{
    backend::Backend,
    control::Control,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    noise,
    parameters::Parameters,
    random::SecretSeed,
    torus::Torus32,
};

use super::{
    circuit::{Draw, RandomCircuit},
    record::{Failure, Record},
};
use crate::{
    circuit::{
        evaluator::{encrypted::Encrypted, run::Run, values::Held},
        netlist::Style,
        program::{NoiseBudget, Program},
    },
    error::Result,
};

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

    /// One more round, on all threads of the current rayon pool. The control hears of bootstraps. A round that is cancelled
    /// leaves the record as it was.
    ///
    /// ```no_run
    /// use bnn::soak::{Record, Soak};
    /// use tfhe_core::{backend::Backend, control::Control, parameters::GATES_DEFAULT};
    /// let mut soak = Soak::new(Record::new(&GATES_DEFAULT, 1), Backend::fastest());
    /// soak.round(&Control::default())?;
    /// assert_eq!(soak.record().errors, 0);
    /// # Ok::<(), bnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the scheme, such as a backend that the CPU lacks. A wrong bit is no error here: it goes into the record.
    pub fn round(&mut self, control: &Control) -> Result<()> {
        let start = Instant::now();
        let mut record = self.record.clone();
        let mut draw = Draw::new(record.seed, record.rounds);
        let secret = SecretKey::generate(self.parameters, draw.secret_seed());
        let cloud = CloudKey::generate(&secret, draw.secret_seed())?;
        let engine = Encrypted::new(Arc::new(Evaluator::new(&cloud, self.backend)?));
        drop(cloud);
        for style in STYLES {
            let circuit = RandomCircuit::draw(style, &mut draw);
            self.run(&mut record, &circuit, &secret, &engine, draw.secret_seed(), control)?;
        }
        record.rounds += 1;
        record.seconds += start.elapsed().as_secs_f64();
        self.record = record;
        Ok(())
    }

    fn run(
        &self,
        record: &mut Record,
        circuit: &RandomCircuit,
        secret: &SecretKey,
        engine: &Encrypted,
        seed: SecretSeed,
        control: &Control,
    ) -> Result<()> {
        let (netlist, outputs) = (&circuit.netlist, &circuit.outputs);
        let expected = netlist.simulate(&circuit.inputs, outputs);
        let program = Arc::new(Program::with_budget(netlist, outputs, &self.budget)?);
        let mut run = Run::new(Arc::clone(&program), secret.encrypt(&circuit.inputs, seed).expand());
        loop {
            control.check()?;
            match run.advance(engine, engine.evaluator().portion())? {
                0 => break,
                done => control.advance(done),
            }
        }
        let deviation = noise::bootstrapped(self.parameters).sqrt();
        for (index, (found, expected)) in run.outputs(engine)?.into_iter().zip(expected).enumerate() {
            let bit = match found {
                Held::Known(bit) => bit,
                Held::Value(ciphertext) => {
                    let distance = secret.phase(&ciphertext)? - Torus32::from_bit(expected);
                    record.count_noise(distance.to_real().abs() / deviation);
                    secret.decrypt(&ciphertext)?
                }
            };
            if bit != expected {
                let published = netlist.style() == Style::AsPublished;
                record.fail(Failure { round: record.rounds, published, output: index });
            }
        }
        record.gates += netlist.gates().len() as u64;
        record.bootstraps += program.bootstraps() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicU64, Ordering};

    use tfhe_core::parameters::GATES_DEFAULT;

    use super::*;
    use crate::error::Error;

    /// The same round gives the same record, without an error and with the noise that the formula predicts.
    #[test]
    fn a_round_repeats_and_has_no_error() {
        let round = || {
            let mut soak = Soak::new(Record::new(&GATES_DEFAULT, 7), Backend::fastest());
            let cancelled = Control::default();
            cancelled.cancel();
            assert!(matches!(soak.round(&cancelled), Err(Error::Cancelled)));
            assert_eq!(soak.record(), &Record::new(&GATES_DEFAULT, 7));
            let done = Arc::new(AtomicU64::new(0));
            let count = Arc::clone(&done);
            let control = Control::with_progress(move |more| {
                count.fetch_add(more as u64, Ordering::Relaxed);
            });
            soak.round(&control).unwrap();
            assert_eq!(done.load(Ordering::Relaxed), soak.record().bootstraps);
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
        let (_, beyond, expected) = record.tails().next().unwrap();
        let [expected, share] = [expected, beyond as f64].map(|count| count / record.samples as f64);
        let deviation = (expected * (1.0 - expected) / record.samples as f64).sqrt();
        assert!((share - expected).abs() < 0.2 * expected + 6.0 * deviation, "{share}, not {expected}");
        assert_eq!(round(), record);
    }
}
