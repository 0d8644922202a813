//! The threads that commands compute on.

use std::{num::NonZeroUsize, thread};

use crate::{
    environment,
    error::{Error, Result},
    terminal::output::warn,
};

/// Environment variable that names a number of threads.
const VARIABLE: &str = "RAYON_NUM_THREADS";
/// Threads for each CPU, at most: more only wait for each other.
const A_CPU: usize = 8;
/// Threads that every machine takes.
const ALWAYS: usize = 64;

/// CPUs of this process; one where nothing tells.
fn cpus() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The most threads that this machine takes.
fn most() -> usize {
    ALWAYS.max(A_CPU * cpus())
}

/// A number of threads on the command line.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn count(text: &str) -> std::result::Result<NonZeroUsize, String> {
    let count = text.parse().ok().filter(|count: &NonZeroUsize| count.get() <= most());
    count.ok_or_else(|| {
        format!("expected a number from 1 to {}: {A_CPU} for each CPU, {ALWAYS} on any machine", most())
    })
}

/// Starts the threads that were asked for, else those of the environment, else one for each CPU.
///
/// # Errors
/// [`Error::TooManyThreads`]; [`Error::Threads`] where the system refuses them.
pub(crate) fn start(asked: Option<NonZeroUsize>) -> Result<()> {
    let count = match asked {
        Some(count) => count.get(),
        None => of_the_environment()?.unwrap_or_else(cpus),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count);
    pool.build_global().map_err(|source| Error::Threads { count, source })
}

/// The number in the environment; what is no number counts for nothing, as in every program with these threads, but is told.
fn of_the_environment() -> Result<Option<usize>> {
    let Some(text) = environment::variable(VARIABLE) else { return Ok(None) };
    match text.to_str().and_then(|text| text.parse().ok()) {
        Some(asked) if asked > most() => {
            Err(Error::TooManyThreads { variable: VARIABLE, asked, most: most() })
        }
        Some(asked) if asked > 0 => Ok(Some(asked)),
        _ => {
            warn(format_args!(
                "{VARIABLE} is {text:?}, which is no number of threads: one for each CPU is started"
            ));
            Ok(None)
        }
    }
}

/// Starts no thread: what little there is runs on the one that called.
///
/// # Errors
/// [`Error::Threads`].
pub(crate) fn start_none() -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
    pool.build_global().map_err(|source| Error::Threads { count: 1, source })
}
