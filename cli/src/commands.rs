//! The commands, one a file. Those of client and server each have a function that works on files and returns what it
//! made; `run` prints it, and the demo calls the same functions.

mod circuit;
mod convert;
mod decrypt;
mod demo;
mod encrypt;
mod estimate;
mod evaluate;
mod import;
mod infer;
mod infer_gates;
mod inspect;
mod keygen;
mod models;
mod paper;
mod soak;
mod vectors;

use bnn::model::Model;
use serde_json::{Value, json};
use tfhe_core::{backend::Backend, parameters::Parameters};

use crate::{
    arguments::Command,
    error::Result,
    report::{self, Output},
};

/// What all commands share.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) output: Output,
    pub(crate) backend: Option<Backend>,
}

impl Session {
    /// The backend asked for, else that of the environment, else the fastest.
    fn backend(&self) -> Result<Backend> {
        match self.backend {
            Some(backend) => Ok(backend.checked()?),
            None => Ok(Backend::select()?),
        }
    }
}

/// Runs a command.
pub(crate) fn run(command: &Command, session: &Session) -> Result<()> {
    match command {
        Command::Demo(arguments) => demo::run(arguments, session),
        Command::Keygen(arguments) => keygen::run(arguments, session),
        Command::Encrypt(arguments) => encrypt::run(arguments, session),
        Command::Infer(arguments) => infer::run(arguments, session),
        Command::Decrypt(arguments) => decrypt::run(arguments, session),
        Command::Convert(arguments) => convert::run(arguments, session),
        Command::Inspect(arguments) => inspect::run(arguments, session),
        Command::Models => models::run(session),
        Command::Estimate(arguments) => estimate::run(arguments, session),
        Command::Import(command) => import::run(command, session),
        Command::Evaluate(arguments) => evaluate::run(arguments, session),
        Command::Circuit(command) => circuit::run(command, session),
        Command::Soak(arguments) => soak::run(arguments, session),
        Command::Vectors(command) => vectors::run(command, session),
    }
}

/// A parameter set and its security.
fn describe(parameters: &Parameters) -> String {
    match parameters.security_bits {
        // A set from a file of the TFHE library.
        0 => format!("{}, whose security nobody has estimated", parameters.name),
        bits => format!("{}, {bits} bits of security", parameters.name),
    }
}

fn parameters_json(parameters: &Parameters) -> Value {
    json!({
        "name": parameters.name,
        "security_bits": (parameters.security_bits > 0).then_some(parameters.security_bits),
        "log2_failure": parameters.log2_failure,
    })
}

fn model_json(model: &Model) -> Value {
    json!({ "name": model.name(), "digest": report::hex(&model.digest()) })
}
