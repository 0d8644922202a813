//! Ctrl-C leaves nothing half done: a file that is being written is finished first, and the demo's folder, which holds
//! a secret key, is removed.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tempfile::TempDir;

use crate::{
    error::{Error, Result},
    terminal::output::Output,
};

/// The exit code that shells give an interrupted program.
const INTERRUPTED: i32 = 130;

/// Locked while a file is written; holds the temporary folder in use.
static SCRATCH: Mutex<Option<PathBuf>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<PathBuf>> {
    // A path is whole even where a thread panicked with it in hand.
    SCRATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes over Ctrl-C.
pub(crate) fn install(output: Output) -> Result<()> {
    ctrlc::set_handler(move || {
        let scratch = lock();
        if let Some(folder) = &*scratch {
            // What remains is in the system's temporary folder; there is nobody left to tell.
            let _ = fs::remove_dir_all(folder);
        }
        output.fail("interrupted");
        process::exit(INTERRUPTED);
    })?;
    Ok(())
}

/// Runs `write` to its end: an interruption waits for it.
pub(crate) fn hold<T>(write: impl FnOnce() -> T) -> T {
    let _held = lock();
    write()
}

/// A temporary folder, readable by its owner only, that is removed at the end and on interruption.
pub(crate) fn scratch_folder() -> Result<TempDir> {
    let mut scratch = lock();
    let folder = tempfile::Builder::new()
        .prefix("bnn-")
        .tempdir()
        .map_err(|source| Error::Io { path: std::env::temp_dir(), source })?;
    *scratch = Some(folder.path().into());
    Ok(folder)
}
