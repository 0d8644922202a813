//! What a client specification says.

use tfhe_core::parameters::Parameters;

use crate::client::{
    encoding::input::InputEncoding, engine::Engine, functional::FunctionalScheme, gates::GateScheme,
    interface::Interface,
};

/// All that a client needs of a model besides its key: how pictures are encoded and encrypted, and how scores are decrypted
/// and named. It has none of the weights.
///
/// The model's owner writes it with [`engine::client_specification`](crate::engine::client_specification).
#[derive(Debug, Clone, PartialEq)]
pub struct ClientSpecification {
    pub(crate) model: Interface,
    /// One a class, each one line; at least one.
    pub(crate) labels: Vec<String>,
    /// One a parameter set, at least one.
    pub(crate) schemes: Vec<Scheme>,
}

/// How one engine is spoken to, with one parameter set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scheme {
    Functional(FunctionalScheme),
    Gates(GateScheme),
}

impl Scheme {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Functional(_) => Engine::Functional,
            Self::Gates(_) => Engine::Gates,
        }
    }

    pub(crate) fn parameters(&self) -> &'static Parameters {
        match self {
            Self::Functional(scheme) => scheme.parameters,
            Self::Gates(scheme) => scheme.parameters,
        }
    }
}

impl ClientSpecification {
    /// The model's name, one line.
    pub fn model_name(&self) -> &str {
        &self.model.name
    }

    /// The digest of the model, by which images and scores name it.
    pub fn model_digest(&self) -> [u8; 32] {
        self.model.digest
    }

    /// How the model reads pictures.
    pub fn input(&self) -> &InputEncoding {
        &self.model.input
    }

    /// The names of the classes, in the order of the scores.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The parameter sets with which an engine runs the model, the cheapest first; none where it does not.
    pub fn parameter_sets(&self, engine: Engine) -> Vec<&'static Parameters> {
        let schemes = self.schemes.iter().filter(|scheme| scheme.engine() == engine);
        schemes.map(Scheme::parameters).collect()
    }
}
