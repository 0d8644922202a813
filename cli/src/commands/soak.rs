//! Random circuits on ciphertexts, for as long as one likes: gates done and errors seen.

use std::{
    fs::File,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use bnn::soak::{Record, Soak, TAILS};
use serde_json::json;
use tfhe_core::{parameters::GATES_DEFAULT, serial::Existing};

use super::Session;
use crate::{
    arguments,
    error::{Error, Result},
    files, interrupt, progress, report,
};

pub(super) fn run(arguments: &arguments::Soak, session: &Session) -> Result<()> {
    let (path, output, backend) = (&arguments.record, session.output, session.backend()?);
    // Told before long work is begun.
    files::check_output(path, Existing::Replace, &[])?;
    let mut claim = Claim::on(path)?;
    let record = match Record::load(path)? {
        Some(record) => continued(record, arguments)?,
        None => {
            Record::new(arguments.parameters.unwrap_or(&GATES_DEFAULT), arguments.seed.unwrap_or_else(clock))
        }
    };
    interrupt::hold(|| record.save(path))?;
    claim.renew(path)?;
    let before = record.clone();
    let parameters = record.parameters();
    output.say(format_args!(
        "soak    {}, backend {backend}, {} threads; keys and circuits from seed {}, {} rounds done before",
        super::describe(parameters),
        rayon::current_num_threads(),
        before.seed,
        before.rounds,
    ))?;

    let mut soak = Soak::new(record, backend);
    let start = Instant::now();
    let end = Duration::from_secs_f64(60.0 * arguments.minutes);
    let progress = progress::Soak::new(end);
    while start.elapsed() < end {
        soak.round(|done| progress.add(done))?;
        interrupt::hold(|| soak.record().save(path))?;
        claim.renew(path)?;
    }
    progress.finish();

    let record = soak.record();
    let seconds = record.seconds - before.seconds;
    output.say(format_args!(
        "now     {} rounds, {} gates, {} bootstraps, {} errors, in {}",
        record.rounds - before.rounds,
        record.gates - before.gates,
        record.bootstraps - before.bootstraps,
        record.errors - before.errors,
        report::long_duration(Duration::from_secs_f64(seconds)),
    ))?;
    output.say(format_args!(
        "in all  {} keys, {} gates, {} bootstraps, {} errors, in {}",
        record.rounds,
        record.gates,
        record.bootstraps,
        record.errors,
        report::long_duration(Duration::from_secs_f64(record.seconds)),
    ))?;
    output.say(format_args!(
        "noise   of {} bits, beyond so many standard deviations by the formula:",
        record.samples
    ))?;
    for (index, bound) in TAILS.iter().enumerate() {
        output.say(format_args!(
            "        {bound}: {}, where a Gaussian has {:.1}",
            record.beyond[index],
            record.expected_tail(index),
        ))?;
    }
    output.say(format_args!("        the largest: {:.2}", record.largest))?;
    output.give(&json!({
        "record": path.display().to_string(),
        "backend": backend.to_string(),
        "threads": rayon::current_num_threads(),
        "bootstraps": record.bootstraps - before.bootstraps,
        "seconds": seconds,
        "total": record,
    }))?;
    if record.errors > 0 {
        let (errors, bootstraps) = (record.errors, record.bootstraps);
        return Err(Error::Soak { record: path.clone(), errors, bootstraps });
    }
    Ok(())
}

/// A record that is there goes on, unless another set or seed was asked for.
fn continued(record: Record, arguments: &arguments::Soak) -> Result<Record> {
    let other = |found: String, asked: String| {
        Err(Error::OtherSoak { record: arguments.record.clone(), found, asked })
    };
    if let Some(asked) = arguments.parameters.filter(|&asked| asked != record.parameters()) {
        return other(record.parameters().name.into(), asked.name.into());
    }
    match arguments.seed {
        Some(seed) if seed != record.seed => other(format!("seed {}", record.seed), format!("seed {seed}")),
        _ => Ok(record),
    }
}

/// A seed that is another each time: nanoseconds of the clock. Nothing secret hangs on it.
fn clock() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos() as u64)
}

/// What keeps other soak tests from a record: the lock on its file, while that is open.
struct Claim {
    _file: Option<File>,
}

impl Claim {
    /// Claims the record, if it is there already.
    fn on(path: &Path) -> Result<Self> {
        let file = File::open(path).ok();
        file.as_ref().map_or(Ok(()), |file| files::lock_record(file, path))?;
        Ok(Self { _file: file })
    }

    /// Claims the file that has taken the record's name since.
    fn renew(&mut self, path: &Path) -> Result<()> {
        *self = Self::on(path)?;
        Ok(())
    }
}
