//! The two engines. A key is made for one of them, and everything made with the key says so by its parameter set.

use std::fmt;

use tfhe_core::parameters::{
    FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_DEFAULT, Parameters, TFHE_LIB_V1_0_1, TFHE_LIB_V1_1,
};

use crate::error::{Error, Result};

/// How a network is evaluated on ciphertexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// A bootstrap a neuron: fast, and approximate.
    Functional,
    /// A circuit of gates: exact, and slow.
    Gates,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Engine {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Functional, Self::Gates];

    /// Its name, as it is shown.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Functional => "functional",
            Self::Gates => "gates",
        }
    }

    /// The parameter sets of the engine's keys: of the functional engine from the cheapest on, of the gate engine the
    /// default first (the others are the TFHE library's).
    pub fn parameter_sets(self) -> &'static [&'static Parameters] {
        match self {
            Self::Functional => &[&FUNCTIONAL_1024, &FUNCTIONAL_2048],
            Self::Gates => &[&GATES_DEFAULT, &TFHE_LIB_V1_0_1, &TFHE_LIB_V1_1],
        }
    }

    /// The engine for which something of this parameter set was made.
    ///
    /// # Errors
    /// [`Error::OtherParameters`] for a set of neither.
    pub fn of(parameters: &Parameters) -> Result<Self> {
        Self::with_set(parameters).map(|(engine, _)| engine)
    }

    /// The engine of a parameter set, with the constant that the set is equal to.
    pub(crate) fn with_set(parameters: &Parameters) -> Result<(Self, &'static Parameters)> {
        let mut all = Self::ALL
            .into_iter()
            .flat_map(|engine| engine.parameter_sets().iter().map(move |&set| (engine, set)));
        all.find(|&(_, set)| set == parameters)
            .ok_or(Error::OtherParameters { found: parameters.name(), expected: FUNCTIONAL_1024.name() })
    }
}

/// Refuses another parameter set than `expected`.
pub(crate) fn check_parameters(expected: &Parameters, found: &Parameters) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::OtherParameters { found: found.name(), expected: expected.name() })
}
