//! The two engines. A key is made for one of them, and everything made with it says so.

use std::fmt;

use bnn::{
    circuit::netlist::Style,
    encoding::EncodedImage,
    encrypted::{EncryptedImage, EncryptedScores},
    engine::{Scores, functional, gates},
    model::Model,
};
use tfhe_core::{
    keys::SecretKey,
    parameters::{GATES_DEFAULT, Parameters, TFHE_LIB_V1_0_1, TFHE_LIB_V1_1},
    random::SecretSeed,
};

/// How a network is evaluated on ciphertexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// One bootstrap for each neuron: fast, and approximate
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
    /// The parameter set of keys for a model, or for any where none is named.
    pub(crate) fn parameters(self, model: Option<&Model>) -> bnn::Result<&'static Parameters> {
        Ok(match (self, model) {
            (Self::Functional, Some(model)) => functional::Plan::cheapest(model)?.parameters(),
            (Self::Functional, None) => functional::PARAMETER_SETS[0],
            (Self::Gates, _) => &GATES_DEFAULT,
        })
    }

    /// The engine for which something of this parameter set was made, with the set.
    pub(crate) fn of(parameters: &Parameters) -> bnn::Result<(Self, &'static Parameters)> {
        let functional = functional::PARAMETER_SETS.map(|set| (Self::Functional, set));
        // Keys of the library's sets are read from its files, and made for the paper's protocol only.
        let gates = [&GATES_DEFAULT, &TFHE_LIB_V1_0_1, &TFHE_LIB_V1_1].map(|set| (Self::Gates, set));
        let mut sets = functional.into_iter().chain(gates);
        sets.find(|(_, set)| set.name == parameters.name).ok_or(bnn::Error::OtherParameters {
            found: parameters.name,
            expected: functional::PARAMETER_SETS[0].name,
        })
    }

    /// Refuses a network that the engine does not run with a parameter set.
    pub(crate) fn check(self, model: &Model, set: &'static Parameters) -> bnn::Result<()> {
        match self {
            Self::Functional => functional::Plan::new(model, set).map(drop),
            Self::Gates => Ok(()),
        }
    }

    /// The functional engine for a network that it runs, the gates' for others.
    pub(crate) fn fitting(model: &Model) -> Self {
        match functional::Plan::cheapest(model) {
            Ok(_) => Self::Functional,
            Err(_) => Self::Gates,
        }
    }
}

/// Encrypts a picture with a key for either engine.
pub(crate) fn encrypt(
    model: &Model,
    key: &SecretKey,
    image: &EncodedImage,
) -> crate::error::Result<EncryptedImage> {
    let seed = SecretSeed::from_os()?;
    Ok(match Engine::of(key.parameters())? {
        (Engine::Functional, set) => functional::Plan::new(model, set)?.encrypt(key, image, seed)?,
        (Engine::Gates, set) => gates::Plan::new(model, set, Style::Optimized).encrypt(key, image, seed)?,
    })
}

/// Decrypts the scores of either engine.
pub(crate) fn decrypt(model: &Model, key: &SecretKey, scores: &EncryptedScores) -> bnn::Result<Scores> {
    match Engine::of(key.parameters())? {
        (Engine::Functional, set) => functional::Plan::new(model, set)?.decrypt(key, scores),
        (Engine::Gates, set) => gates::Plan::new(model, set, Style::Optimized).decrypt(key, scores),
    }
}
