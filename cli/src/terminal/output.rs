//! Where the words of a command go: sentences for people or one JSON object for programs, and errors.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
    sync::OnceLock,
};

use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    terminal::line::one_line,
};

/// For whom the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people: sentences.
    Text,
    /// For programs: one JSON object.
    Json,
    /// For nobody: stdout carries a file, which no word may mix with.
    Silent,
}

impl Output {
    /// What is left of this output while stdout carries a file.
    ///
    /// # Errors
    /// [`Error::StdoutTaken`] where a JSON object was asked for, which has no place beside the file.
    pub(crate) fn beside_a_file(self) -> Result<Self> {
        match self {
            Self::Json => Err(Error::StdoutTaken),
            Self::Text | Self::Silent => Ok(Self::Silent),
        }
    }

    /// Tells people something in one line, on stdout.
    pub(crate) fn say(self, line: impl Display) -> Result<()> {
        match self {
            Self::Text => print_line(one_line(line)),
            Self::Json | Self::Silent => Ok(()),
        }
    }

    /// Tells people something in several lines.
    pub(crate) fn say_lines<T: Display>(self, lines: impl IntoIterator<Item = T>) -> Result<()> {
        lines.into_iter().try_for_each(|line| self.say(line))
    }

    /// Gives programs the result, on stdout.
    pub(crate) fn give(self, result: &Value) -> Result<()> {
        match self {
            Self::Json => print_line(result),
            Self::Text | Self::Silent => Ok(()),
        }
    }

    /// Gives a text that is the result: as it is, or in the JSON object that has it.
    pub(crate) fn give_text(self, text: &str, result: &Value) -> Result<()> {
        match self {
            Self::Text => print_line(text.trim_end()),
            Self::Json => print_line(result),
            Self::Silent => Ok(()),
        }
    }
}

/// How the lines on stderr are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notes {
    /// For people.
    Text,
    /// Each a JSON object for programs: errors and warnings.
    Json,
    /// The same with the progress of work.
    JsonWithProgress,
}

static NOTES: OnceLock<Notes> = OnceLock::new();

/// Chooses how the lines on stderr are written, once in a process.
pub(crate) fn choose_notes(chosen: Notes) {
    // Nothing else chooses, so that the first choice is the only one.
    let _ = NOTES.set(chosen);
}

/// How the lines on stderr are written.
pub(crate) fn notes() -> Notes {
    NOTES.get().copied().unwrap_or(Notes::Text)
}

/// Writes a line to stderr.
pub(crate) fn note(line: impl Display) {
    // Nothing more can be done where stderr is gone.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says on stderr why there is no result.
pub(crate) fn fail(message: &str) {
    match notes() {
        Notes::Text => note(format_args!("bnn: {message}")),
        Notes::Json | Notes::JsonWithProgress => note(json!({ "error": message })),
    }
}

/// Says on stderr what was noticed and is no failure.
pub(crate) fn warn(message: impl Display) {
    let line = one_line(message);
    match notes() {
        Notes::Text => note(format_args!("bnn: warning: {line}")),
        Notes::Json | Notes::JsonWithProgress => note(json!({ "warning": line })),
    }
}

/// Prints a line on stdout. A reader that has gone, such as `head`, is no failure: files are still to be written.
fn print_line(line: impl Display) -> Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}
