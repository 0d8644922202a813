//! Trains the networks that ship in `models/` and writes their folders.
//!
//! One subcommand a network. A file here is one concept:
//!
//! * data: [`mnist`] (the images), [`augment`] (their distortions), [`pixels`] (the input encoding);
//! * training: [`straight_through`] (gradients of discrete functions), [`latent`] (the reals behind the integers),
//!   [`training`] (the loop), [`randomness`] (all of it from one seed);
//! * outcome: [`integer`] (the network that ships), [`measurement`] (how good it is), [`folder`] and [`card`] (what
//!   is written);
//! * [`binarized_perceptron`], the subcommand that puts them together, and [`error`].

mod augment;
mod binarized_perceptron;
mod card;
mod error;
mod folder;
mod integer;
mod latent;
mod measurement;
mod mnist;
mod pixels;
mod randomness;
mod straight_through;
mod training;

use std::process::ExitCode;

use clap::Parser;

/// Trains the networks that ship in models/.
#[derive(Parser)]
enum Command {
    BinarizedPerceptron(binarized_perceptron::Arguments),
}

fn main() -> ExitCode {
    let Command::BinarizedPerceptron(arguments) = Command::parse();
    match binarized_perceptron::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
