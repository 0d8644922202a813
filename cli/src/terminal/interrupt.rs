//! Ctrl-C, and the requests to end that a system and a closed terminal send (SIGTERM and SIGHUP), leave nothing half done: a
//! file that is being written is finished first, the demo's folder, which holds a secret key, is removed, and jobs at a service
//! are deleted.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tempfile::TempDir;

use crate::{
    environment,
    error::{Error, Result},
    terminal::output::fail,
};

/// The exit code that shells give an interrupted program.
const INTERRUPTED: i32 = 130;

/// What is done on interruption.
type Parting = Box<dyn Fn() + Send>;

/// What goes on interruption.
struct Leavings {
    /// The temporary folder in use, with all that is in it.
    scratch: Option<PathBuf>,
    /// Folders that were made for outputs, the innermost first, as far as they are empty.
    made: Vec<PathBuf>,
    /// What else is done, in a moment.
    partings: Vec<Parting>,
    /// What the first interruption does in place of ending the process.
    stop: Option<Box<dyn FnOnce() + Send>>,
}

/// Locked while a file is written.
static LEAVINGS: Mutex<Leavings> =
    Mutex::new(Leavings { scratch: None, made: Vec::new(), partings: Vec::new(), stop: None });

fn lock() -> MutexGuard<'static, Leavings> {
    // A path is whole even where a thread panicked with it in hand.
    LEAVINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes over Ctrl-C and the like, before there are other threads.
pub(crate) fn install() -> Result<()> {
    #[cfg(target_os = "linux")]
    keep_signals_away();
    ctrlc::set_handler(move || {
        let mut leavings = lock();
        if let Some(stop) = leavings.stop.take() {
            stop();
            return;
        }
        // What remains, remains: there is nobody left to tell.
        if let Some(folder) = &leavings.scratch {
            let _ = fs::remove_dir_all(folder);
        }
        for folder in &leavings.made {
            let _ = fs::remove_dir(folder);
        }
        for parting in &leavings.partings {
            parting();
        }
        fail("interrupted");
        process::exit(INTERRUPTED);
    })?;
    Ok(())
}

/// Keeps away the signal of a file that grows beyond a limit (`ulimit -f`), without which the write fails like any other; and
/// hangups from a process that was started so that it outlives its terminal, as `nohup` does: they would be heard again once
/// they are handled.
#[cfg(target_os = "linux")]
fn keep_signals_away() {
    use nix::sys::signal::{SigSet, Signal};
    let mut unheard = SigSet::from(Signal::SIGXFSZ);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    // Signals are numbered from 1.
    if mask >> (Signal::SIGHUP as u32 - 1) & 1 == 1 {
        unheard.add(Signal::SIGHUP);
    }
    // Every other thread is begun by this one, and blocks them too. It is a courtesy, so that nothing is said where it fails.
    let _ = unheard.thread_block();
}

/// Runs `write` to its end: an interruption waits for it.
pub(crate) fn hold<T>(write: impl FnOnce() -> T) -> T {
    let _held = lock();
    write()
}

/// Has the first interruption stop the work in an orderly way; the second ends the process.
pub(crate) fn stop_with(stop: impl FnOnce() + Send + 'static) {
    lock().stop = Some(Box::new(stop));
}

/// Says that these folders were made for outputs, the innermost first: on interruption they go again where they are empty.
pub(crate) fn made_folders(folders: &[PathBuf]) {
    lock().made.extend_from_slice(folders);
}

/// Has something done on interruption, which may take a moment and no more.
pub(crate) fn in_parting(parting: impl Fn() + Send + 'static) {
    lock().partings.push(Box::new(parting));
}

/// A temporary folder, readable by its owner only, that is removed at the end and on interruption.
pub(crate) fn scratch_folder() -> Result<TempDir> {
    let mut leavings = lock();
    let parent = environment::temporary_folder();
    let folder = tempfile::Builder::new()
        .prefix("bnn-")
        .tempdir_in(&parent)
        .map_err(|source| Error::Io { path: parent, source })?;
    leavings.scratch = Some(folder.path().into());
    Ok(folder)
}
