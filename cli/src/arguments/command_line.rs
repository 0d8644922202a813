//! The commands, and what all of them take.

use clap::{Parser, Subcommand};

use crate::{
    arguments::{
        client::{Decrypt, Demo, Encrypt, Keygen},
        computing::{Computing, no_bootstraps, nothing},
        files::{Calibrate, Convert, Inspect, Models},
        import::Import,
        pages::{Completions, Man},
        paper::Paper,
        remote::{Classify, Remote},
        server::{Estimate, Infer},
        service::{Serve, Token},
        trials::{Circuit, Evaluate, Soak, Vectors},
    },
    error::{Error, Result},
    session::Session,
    terminal::output::{Notes, Output},
    threads,
};

const AFTER_HELP: &str = "\
Example, the whole path from a picture to its label:
  bnn keygen                            # client: makes keys/secret.key and keys/cloud.key
  bnn encrypt models/digits/7.png       # client: makes 7.enc
  bnn infer 7.enc                       # server: makes 7.scores; it needs keys/cloud.key only
  bnn decrypt 7.scores                  # client: prints the scores and the label
  bnn demo                              # all four steps in one command

Files: the name - stands for standard input or standard output wherever one file is read or written. Pipes such as \
/dev/fd/3 serve as well. While a file is written to standard output, nothing else is printed there.

Engines: `bnn keygen` makes keys for the functional engine, `bnn keygen --engine gates` makes keys for exact circuits. \
The other commands follow the key.

Models and sample digits are looked up in ./models, then in $BNN_MODELS, then in the folder bnn/models of the user's \
data (on Linux ~/.local/share), then inside this program, where some travel. KB and MB are 1000 and 1000000 bytes.

Exit codes:
  0    done
  1    failed: a file, key, image or model is missing, damaged or does not fit
  2    wrong usage
  130  interrupted (Ctrl-C, SIGTERM or SIGHUP); no half-written file is left";

/// Inference of binarized neural networks over encrypted data.
#[derive(Debug, Parser)]
#[command(name = "bnn", version, after_help = AFTER_HELP, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    computing: Computing,

    /// Print one JSON object on stdout, and errors as {"error": ".."} in the last line of stderr (docs/json.md)
    #[arg(long, global = true)]
    json: bool,

    /// With --json: print how far work is on stderr, as lines of JSON
    #[arg(long, global = true, requires = "json")]
    progress: bool,
}

impl Arguments {
    /// How the lines on stderr are written.
    pub(crate) fn notes(&self) -> Notes {
        match (self.json, self.progress) {
            (false, _) => Notes::Text,
            (true, false) => Notes::Json,
            (true, true) => Notes::JsonWithProgress,
        }
    }

    pub(crate) fn session(&self) -> Session {
        let output = if self.json { Output::Json } else { Output::Text };
        Session { output, backend: self.computing.backend }
    }

    /// Refuses choices for computing on a command that does not compute.
    ///
    /// # Errors
    /// [`Error::NoEffect`].
    pub(crate) fn check_effects(&self) -> Result<()> {
        let place = "on this command, which does not compute so";
        if self.computing.threads.is_some() && !self.command.computes() {
            return Err(Error::NoEffect { option: "--threads", place });
        }
        if self.computing.backend.is_some() && !self.command.bootstraps() {
            return Err(Error::NoEffect { option: "--backend", place });
        }
        Ok(())
    }

    /// Starts the threads that a command computes on, where it computes.
    ///
    /// # Errors
    /// As [`threads::start`].
    pub(crate) fn start_threads(&self) -> Result<()> {
        if self.command.computes() { threads::start(self.computing.threads) } else { threads::start_none() }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the whole path on one digit, playing client and server
    Demo(Demo),
    /// Client: makes a secret key and its cloud key
    #[command(args = no_bootstraps())]
    Keygen(Keygen),
    /// Client: encrypts a picture
    #[command(args = no_bootstraps())]
    Encrypt(Encrypt),
    /// Server: evaluates a network on encrypted pictures, with the cloud key only
    Infer(Infer),
    /// Server: evaluates networks for clients that ask over HTTP
    Serve(Serve),
    /// The tokens of a service's clients
    #[command(subcommand, args = nothing())]
    Token(Token),
    /// Client: decrypts scores, and prints them with the label
    #[command(args = nothing())]
    Decrypt(Decrypt),
    /// Client: has pictures classified by a service (`bnn serve`), which sees them encrypted
    #[command(args = no_bootstraps())]
    Classify(Classify),
    /// Client: what a service has: models, your cloud keys, your jobs
    #[command(subcommand)]
    Remote(Remote),
    /// The same steps with the files of the paper's system
    #[command(subcommand)]
    Paper(Paper),
    /// Writes keys and ciphertexts in the form of the TFHE library's files, or back in the native form
    #[command(args = no_bootstraps())]
    Convert(Convert),
    /// Tells what a file or a model folder is
    #[command(args = nothing())]
    Inspect(Inspect),
    /// Lists the models that are found, or writes what a client needs of one
    #[command(args = nothing())]
    Models(Models),
    /// Makes a model folder of a network of one's own
    #[command(subcommand)]
    Import(Import),
    /// Makes a model whose sums have the ranges that they have on pictures, for less noise on the functional engine
    #[command(args = no_bootstraps())]
    Calibrate(Calibrate),
    /// Tells what an inference would cost on this machine, whose speed is measured first
    Estimate(Estimate),
    /// Measures accuracy on a labelled data set, in the clear or encrypted
    Evaluate(Evaluate),
    /// Reads a Boolean circuit in Bristol Fashion or the old Bristol Format: tells its cost, or runs it
    #[command(subcommand)]
    Circuit(Circuit),
    /// Runs random circuits on ciphertexts and counts the bits that come out wrong
    Soak(Soak),
    /// Checks this machine and program against known answers of every step, or makes the files of them
    #[command(subcommand)]
    Vectors(Vectors),
    /// Prints completions of this command line for a shell
    #[command(args = nothing())]
    Completions(Completions),
    /// Prints the manual page of this command or of one below it
    #[command(args = nothing())]
    Man(Man),
}

impl Command {
    /// Whether it has work for more threads than the one it is called on.
    fn computes(&self) -> bool {
        match self {
            Self::Demo(_)
            | Self::Keygen(_)
            | Self::Infer(_)
            | Self::Serve(_)
            | Self::Estimate(_)
            | Self::Evaluate(_)
            | Self::Soak(_)
            | Self::Vectors(_)
            | Self::Paper(Paper::Keygen(_) | Paper::Infer(_)) => true,
            Self::Circuit(Circuit::Run(run)) => run.encrypted,
            // Masks of bits are made on all threads.
            Self::Encrypt(_) | Self::Classify(_) | Self::Paper(Paper::Encrypt(_)) => true,
            // Which makes what the library keeps with a key.
            Self::Convert(_) | Self::Calibrate(_) | Self::Import(_) => true,
            Self::Decrypt(_)
            | Self::Inspect(_)
            | Self::Models(_)
            | Self::Token(_)
            | Self::Remote(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Circuit(Circuit::Info(_))
            | Self::Paper(Paper::Decrypt(_) | Paper::Import(_)) => false,
        }
    }

    /// Whether it runs bootstraps, for which there are several instruction sets.
    fn bootstraps(&self) -> bool {
        match self {
            Self::Demo(_)
            | Self::Infer(_)
            | Self::Serve(_)
            | Self::Estimate(_)
            | Self::Soak(_)
            | Self::Vectors(Vectors::Check(_))
            | Self::Paper(Paper::Infer(_)) => true,
            Self::Evaluate(evaluate) => evaluate.encrypted,
            Self::Circuit(Circuit::Run(run)) => run.encrypted,
            Self::Keygen(_)
            | Self::Encrypt(_)
            | Self::Classify(_)
            | Self::Decrypt(_)
            | Self::Convert(_)
            | Self::Calibrate(_)
            | Self::Import(_)
            | Self::Inspect(_)
            | Self::Models(_)
            | Self::Token(_)
            | Self::Remote(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Circuit(Circuit::Info(_))
            | Self::Vectors(Vectors::Generate(_))
            | Self::Paper(Paper::Keygen(_) | Paper::Encrypt(_) | Paper::Decrypt(_) | Paper::Import(_)) => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::{CommandFactory, error::ErrorKind};

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    /// The command and all below it, each with its full name.
    fn commands(name: &str, command: &clap::Command) -> Vec<(String, clap::Command)> {
        let mut all = vec![(name.to_owned(), command.clone())];
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            all.extend(commands(&format!("{name} {}", below.get_name()), below));
        }
        all
    }

    /// The command lines of `bnn` in a line of an example, which may be a pipeline and end in a file.
    fn lines<'a>(example: &'a str) -> impl Iterator<Item = Vec<&'a str>> {
        let without_comment = example.split(" # ").next().unwrap_or_default();
        let typed = |line: &'a str| line.split(" > ").next().unwrap_or_default().split_whitespace();
        without_comment.split(" | ").map(move |line| typed(line).collect::<Vec<_>>()).filter_map(|words| {
            let start = words.iter().position(|&word| word == "bnn")?;
            Some(words[start..].to_vec())
        })
    }

    #[test]
    fn every_command_has_an_example_that_can_be_typed() {
        let all = commands("bnn", &Arguments::command());
        assert!(all.len() > 20, "{} commands", all.len());
        for (name, command) in all {
            let help =
                command.get_after_help().unwrap_or_else(|| panic!("{name} has no example")).to_string();
            let (heading, rest) = help.split_once(":\n").unwrap();
            assert!(heading.starts_with("Example"), "{name}: {help}");
            let examples = rest.lines().take_while(|line| !line.is_empty());
            let typed: Vec<Vec<&str>> = examples.flat_map(lines).collect();
            assert!(typed.iter().any(|words| words.join(" ").starts_with(&name)), "{name}: {help}");
            for words in typed {
                if let Err(error) = Arguments::try_parse_from(&words) {
                    assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{}: {error}", words.join(" "));
                }
            }
        }
    }
}
