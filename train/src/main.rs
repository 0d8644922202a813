//! Trains the networks that ship in `models/` and writes their folders.
//!
//! One subcommand a network. A file here is one concept:
//!
//! * data: [`mnist`] (the images), [`augment`] (their distortions), [`pixels`] (the input encodings);
//! * training: [`straight_through`] (gradients of discrete functions), [`grid`] (the integers a weight may be),
//!   [`training`] (the loop), [`randomness`] (all of it from one seed);
//! * layers: [`dense`], [`latent_dense`] (the reals behind one), [`convolution`];
//! * the networks, each with its integers and the reals behind them: [`binarized_perceptron`], [`perceptron`],
//!   [`sign_cnn`] and [`cnn`], which is `binarized-cnn` and `hybrid-cnn`;
//! * a subcommand: [`run`] (its settings, and training with them), [`measurement`] (accuracy, with and without noise),
//!   [`export`] (what it writes: a [`folder`] with a [`model`] of [`tensor`]s and its [`card`]), and [`error`].

mod augment;
mod binarized_perceptron;
mod card;
mod cnn;
mod convolution;
mod dense;
mod error;
mod export;
mod folder;
mod grid;
mod latent_dense;
mod measurement;
mod mnist;
mod model;
mod perceptron;
mod pixels;
mod randomness;
mod run;
mod sign_cnn;
mod straight_through;
mod tensor;
mod training;

use std::process::ExitCode;

use clap::Parser;

/// Trains the networks that ship in models/.
#[derive(Parser)]
enum Command {
    BinarizedPerceptron(binarized_perceptron::Arguments),
    BinarizedCnn(cnn::binarized::Arguments),
    HybridCnn(cnn::hybrid::Arguments),
    Perceptron(perceptron::Arguments),
    SignCnn(sign_cnn::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::BinarizedPerceptron(arguments) => binarized_perceptron::run(&arguments),
        Command::BinarizedCnn(arguments) => cnn::binarized::run(&arguments),
        Command::HybridCnn(arguments) => cnn::hybrid::run(&arguments),
        Command::Perceptron(arguments) => perceptron::run(&arguments),
        Command::SignCnn(arguments) => sign_cnn::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
