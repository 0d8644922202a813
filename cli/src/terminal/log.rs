//! The log of the service, on stderr: a line an event, for people or in JSON.

use std::io;

use tracing::Level;

use crate::terminal::output::Output;

/// Begins the log, once in a process.
pub(crate) fn start(output: Output) {
    let log = tracing_subscriber::fmt()
        .with_max_level(Level::INFO)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false);
    // It is begun here only, so that there is no other.
    let _ = match output {
        Output::Json => log.json().flatten_event(true).try_init(),
        Output::Text | Output::Silent => log.try_init(),
    };
}
