//! The `bnn` command: keys, encryption, inference and decryption.
//!
//! It parses, calls and prints. What it does is in the crates `bnn` and `tfhe_core`.
//!
//! * [`dispatch`]: from a command line to its command;
//! * [`commands`]: one file for each command;
//! * [`arguments`]: the command line;
//! * [`session`]: what all commands share; [`threads`]: those that they compute on;
//! * [`remote`]: requests to a service on this or another machine;
//! * [`files`]: everything that is read and written;
//! * [`terminal`]: what people and programs see;
//! * [`error`]: the ways to fail;
//! * [`environment`]: the variables that the command is started with; [`machine`]: what it runs on.
//!
//! Each room imports from those below it only, and nothing imports from a room above.

mod arguments;
mod commands;
mod dispatch;
mod environment;
mod error;
mod files;
mod machine;
mod remote;
mod session;
mod terminal;
mod threads;

use std::{io::ErrorKind, process::ExitCode};

use clap::Parser;

use self::{
    arguments::command_line::Arguments,
    error::{Error, Result},
    terminal::{
        interrupt,
        line::one_line,
        output::{self, Notes},
    },
};

/// What `--help` promises for a failure and for wrong usage.
const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // What clap repeats of an argument that is wrong is one line, whatever the argument holds.
        Err(answer) => {
            let lines = std::env::args_os().map(|argument| one_line(argument.to_string_lossy()));
            return usage(&Arguments::try_parse_from(lines).err().unwrap_or(answer));
        }
    };
    output::choose_notes(arguments.notes());
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where an interruption has just taken the files away, it is the cause, and its handler ends the process.
            interrupt::hold(|| output::fail(&error.line()));
            if error.is_usage() { WRONG_USAGE.into() } else { FAILED.into() }
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    interrupt::install()?;
    arguments.check_effects()?;
    arguments.start_threads()?;
    dispatch::run(&arguments.command, &arguments.session())
}

/// Help, the version, or what is wrong with the command line; in JSON if that was asked for all the same.
fn usage(answer: &clap::Error) -> ExitCode {
    if !answer.use_stderr() || !std::env::args_os().any(|argument| argument == "--json") {
        return match answer.print() {
            // A reader that has gone, such as `head`, is no failure.
            Err(error) if error.kind() != ErrorKind::BrokenPipe && !answer.use_stderr() => {
                output::fail(&Error::Stdout(error).line());
                FAILED.into()
            }
            _ if answer.use_stderr() => WRONG_USAGE.into(),
            _ => ExitCode::SUCCESS,
        };
    }
    output::choose_notes(Notes::Json);
    if answer.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        output::fail("a command is missing; --help lists them");
        return WRONG_USAGE.into();
    }
    let message = answer.to_string();
    // What is wrong, and of what; then clap says how a command line looks.
    let lines =
        message.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    output::fail(words.join(" ").trim_start_matches("error: "));
    WRONG_USAGE.into()
}
