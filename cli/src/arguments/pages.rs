//! What is made from the definition of the command line itself.

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn completions bash > ~/.local/share/bash-completion/completions/bnn
  bnn completions zsh > ~/.zfunc/_bnn")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bnn man > bnn.1
  bnn man circuit run > bnn-circuit-run.1")]
pub(crate) struct Man {
    /// The command that the page is of [default: bnn itself, which lists all]
    pub(crate) command: Vec<String>,
}
