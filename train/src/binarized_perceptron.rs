//! The binarized perceptron: one hidden layer of signs, then integer scores.

mod integer;
mod latent;
mod subcommand;

pub(crate) use subcommand::{Arguments, run};
