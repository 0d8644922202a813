//! What commands compute with. The choices are global, so that they may stand before a command as well as after it; a command
//! on which one has no effect refuses it, and does not show it in its help.

use std::num::NonZeroUsize;

use clap::{Arg, Args};
use tfhe_core::backend::Backend;

use crate::threads;

const THREADS: &str = "threads";
const BACKEND: &str = "backend";

/// What to compute with.
#[derive(Debug, Args)]
pub(crate) struct Computing {
    /// Number of threads to compute with [default: $RAYON_NUM_THREADS, else one for each core]
    #[arg(id = THREADS, long = THREADS, global = true, value_name = "N", value_parser = threads::count)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Instruction set to compute with: portable, avx2 or avx512 [default: $TFHE_BACKEND, else the fastest here]
    #[arg(id = BACKEND, long = BACKEND, global = true, value_name = "NAME")]
    pub(crate) backend: Option<Backend>,
}

/// Hides what to compute with from the help of a command that computes nothing.
pub(crate) fn nothing() -> [Arg; 2] {
    [hidden(THREADS).value_parser(threads::count), hidden(BACKEND).value_parser(str::parse::<Backend>)]
}

/// Hides the instruction set from the help of a command that runs no bootstraps.
pub(crate) fn no_bootstraps() -> [Arg; 1] {
    let [_, backend] = nothing();
    [backend]
}

/// An option in the place of the global one of this name.
fn hidden(name: &'static str) -> Arg {
    Arg::new(name).long(name).global(true).hide(true)
}
