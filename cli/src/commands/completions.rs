//! What shells and manuals want to know of the command line, made from its definition.

use clap::CommandFactory;
use serde_json::json;

use crate::{
    arguments::{
        command_line::Arguments,
        pages::{Completions, Man},
    },
    error::{Error, Result},
    session::Session,
};

/// Prints a shell's completions.
pub(crate) fn run(arguments: &Completions, session: &Session) -> Result<()> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script);
    session.output.give_text(&script, &json!({ "shell": arguments.shell.to_string(), "script": script }))
}

/// Prints the manual page of the command, or of one below it.
pub(crate) fn man(arguments: &Man, session: &Session) -> Result<()> {
    let mut command = Arguments::command();
    // So that a command below has the options of all and its full name.
    command.build();
    for name in &arguments.command {
        let below = command.find_subcommand(name).cloned();
        command = below.ok_or_else(|| Error::NoCommand { name: arguments.command.join(" ") })?;
    }
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .title(&name)
        .manual("Manual of bnn")
        .render(&mut page)
        .map_err(Error::Stdout)?;
    let page = String::from_utf8_lossy(&page);
    session.output.give_text(&page, &json!({ "command": name, "page": page }))
}
