//! The convolutional network of signs: convolutions of small integers, a sign of every sum, then integer scores.

mod integer;
mod latent;
mod subcommand;
mod windows;

pub(crate) use subcommand::{Arguments, run};
