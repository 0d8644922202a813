//! The two engines. A key is made for one of them, and everything made with it says so.

use std::fmt;

use bnn::{
    circuit::netlist::Style,
    encoding::EncodedImage,
    encrypted::{EncryptedImage, EncryptedScores},
    engine::{Scores, functional, gates},
    model::Model,
};
use clap::ValueEnum;
use tfhe_core::{
    keys::SecretKey,
    parameters::{FUNCTIONAL_2048, GATES_DEFAULT, Parameters},
    random::SecretSeed,
};

/// How a network is evaluated on ciphertexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// A bootstrap a neuron: fast, and approximate
    Functional,
    /// A circuit of gates: exact, and slow
    Gates,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Functional => "functional",
            Self::Gates => "gates",
        })
    }
}

impl Engine {
    /// The parameter set of its keys.
    pub(crate) fn parameters(self) -> &'static Parameters {
        match self {
            Self::Functional => &FUNCTIONAL_2048,
            Self::Gates => &GATES_DEFAULT,
        }
    }

    /// The engine for which something of this parameter set was made.
    pub(crate) fn of(parameters: &Parameters) -> bnn::Result<Self> {
        let engines = [Self::Functional, Self::Gates];
        let found = engines.into_iter().find(|engine| engine.parameters().name == parameters.name);
        found.ok_or(bnn::Error::OtherParameters {
            found: parameters.name,
            expected: Self::Functional.parameters().name,
        })
    }

    /// The functional engine for a network that it runs, the gates' for others.
    pub(crate) fn fitting(model: &Model) -> Self {
        match functional::Plan::new(model, Self::Functional.parameters()) {
            Ok(_) => Self::Functional,
            Err(_) => Self::Gates,
        }
    }

    pub(crate) fn encrypt(
        self,
        model: &Model,
        key: &SecretKey,
        image: &EncodedImage,
    ) -> crate::error::Result<EncryptedImage> {
        let seed = SecretSeed::from_os()?;
        Ok(match self {
            Self::Functional => functional::Plan::new(model, self.parameters())?.encrypt(key, image, seed)?,
            Self::Gates => self.circuits(model).encrypt(key, image, seed)?,
        })
    }

    pub(crate) fn decrypt(
        self,
        model: &Model,
        key: &SecretKey,
        scores: &EncryptedScores,
    ) -> bnn::Result<Scores> {
        match self {
            Self::Functional => functional::Plan::new(model, self.parameters())?.decrypt(key, scores),
            Self::Gates => self.circuits(model).decrypt(key, scores),
        }
    }

    fn circuits(self, model: &Model) -> gates::Plan<'_> {
        gates::Plan::new(model, self.parameters(), Style::Optimized)
    }
}
