//! Random circuits on ciphertexts, for as long as one likes: gates done and errors seen.

use std::{
    fs::File,
    io::Read,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bnn::soak::{Record, Soak};
use serde_json::json;
use tfhe_core::parameters::GATES_DEFAULT;

use crate::{
    arguments::trials,
    error::{About, Error, Result},
    files::{
        lock,
        output::check_file,
        whole::{Existing, Secrecy, Staged},
    },
    session::Session,
    terminal::{description, interrupt, progress, units},
};

/// More than a record has, in bytes.
const MOST_BYTES: u64 = 2 << 20;

pub(crate) fn run(arguments: &trials::Soak, session: &Session) -> Result<()> {
    let (path, output, backend) = (&arguments.record, session.output, session.backend()?);
    // Told before long work is begun.
    check_file(path, Existing::Replace, &[])?;
    let mut claim = Claim::on(path)?;
    let record = match claim.read()? {
        Some(record) => continued(record, arguments)?,
        None => {
            Record::new(arguments.parameters.unwrap_or(&GATES_DEFAULT), arguments.seed.unwrap_or_else(clock))
        }
    };
    claim.save(&record)?;
    let before = record.clone();
    let parameters = record.parameters();
    output.say(format_args!(
        "soak    {}, backend {backend}, {} threads; keys and circuits from seed {}, {} rounds done before",
        description::set(parameters),
        rayon::current_num_threads(),
        before.seed,
        before.rounds,
    ))?;

    let mut soak = Soak::new(record, backend);
    let start = Instant::now();
    let end = Duration::from_secs_f64(60.0 * arguments.minutes);
    let progress = Arc::new(progress::Soak::new(end));
    let control = progress::Soak::control(&progress);
    // One round at least, however slow the machine is, unless no time was asked for.
    let mut is_time = !end.is_zero();
    while is_time {
        soak.round(&control)?;
        claim.save(soak.record())?;
        is_time = start.elapsed() < end;
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
        units::long_duration(Duration::from_secs_f64(seconds)),
    ))?;
    output.say(format_args!(
        "in all  {} keys, {} gates, {} bootstraps, {} errors, in {}",
        record.rounds,
        record.gates,
        record.bootstraps,
        record.errors,
        units::long_duration(Duration::from_secs_f64(record.seconds)),
    ))?;
    output.say(format_args!(
        "noise   of {} bits, beyond so many standard deviations by the formula:",
        record.samples
    ))?;
    for (bound, beyond, gaussian) in record.tails() {
        output.say(format_args!("        {bound}: {beyond}, where a Gaussian has {gaussian:.1}"))?;
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
fn continued(record: Record, arguments: &trials::Soak) -> Result<Record> {
    let other = |found: String, asked: String| {
        Err(Error::OtherSoak { record: arguments.record.clone(), found, asked })
    };
    if let Some(asked) = arguments.parameters.filter(|&asked| asked != record.parameters()) {
        return other(record.parameters().name().into(), asked.name().into());
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

/// The record that this process alone may write: its file is locked from the moment it has its name.
struct Claim<'a> {
    path: &'a Path,
    /// The file that has the name, while it is open and locked; none before the first is written.
    file: Option<File>,
}

impl<'a> Claim<'a> {
    /// Claims the record, if it is there already.
    fn on(path: &'a Path) -> Result<Self> {
        Ok(Self { path, file: lock::claim(path)? })
    }

    /// Reads the record that is there.
    ///
    /// # Errors
    /// [`Error::Network`], about the file, where it is none.
    fn read(&self) -> Result<Option<Record>> {
        let Some(file) = &self.file else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(MOST_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|source| Error::Io { path: self.path.into(), source })?;
        Record::from_bytes(&bytes).map(Some).about(self.path)
    }

    /// Writes the record anew, and lets go of the file that had its name before.
    fn save(&mut self, record: &Record) -> Result<()> {
        let bytes = record.to_bytes();
        let existing = if self.file.is_some() { Existing::Replace } else { Existing::Refuse };
        let written =
            interrupt::hold(|| Staged::new(&bytes, self.path, existing, Secrecy::Everyone)?.commit_locked());
        self.file = Some(written.map_err(|error| match error {
            // Another process has begun a record of this name meanwhile.
            Error::Exists { path } => Error::RecordInUse { path },
            error => error,
        })?);
        Ok(())
    }
}
