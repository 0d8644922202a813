//! The threads that commands compute on.

use std::{num::NonZeroUsize, thread};

use crate::{
    environment,
    error::{Error, Result},
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
    let count: NonZeroUsize = text.parse().map_err(|error| format!("{error}"))?;
    if count.get() > most() {
        return Err(format!(
            "this machine takes {} at most, {A_CPU} for each CPU and {ALWAYS} anywhere",
            most()
        ));
    }
    Ok(count)
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

/// The number in the environment; what is no number counts for nothing, as in every program with these threads.
fn of_the_environment() -> Result<Option<usize>> {
    let named = environment::variable(VARIABLE).and_then(|text| text.to_str()?.parse().ok());
    match named.filter(|&asked| asked > 0) {
        Some(asked) if asked > most() => {
            Err(Error::TooManyThreads { variable: VARIABLE, asked, most: most() })
        }
        named => Ok(named),
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
