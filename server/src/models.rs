//! The models that are served.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bnn::{
    engine::{Cost, Engine, client_specification},
    model::Model,
};
use sha2::{Digest, Sha256};
use tfhe_core::parameters::Parameters;

use crate::access::tokens::hex;

/// The least security of a key that is taken, in bits.
const LEAST_SECURITY: u32 = 128;

/// A model, with what clients are told of it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) model: Arc<Model>,
    /// The client specification, as its file.
    pub(crate) specification: Vec<u8>,
    /// SHA-256 of that, in hexadecimal digits.
    pub(crate) specification_digest: String,
    /// The parameter sets with which clients may have keys, for each engine that runs the model, the first being what is advised.
    pub(crate) sets: Vec<(Engine, Vec<&'static Parameters>)>,
    /// Held by whoever counts the costs for a request, so that many at once do not all build a circuit.
    pub(crate) counting: Arc<tokio::sync::Mutex<()>>,
    /// What an inference costs, by the name of its parameter set, as far as that was asked for.
    costs: Mutex<BTreeMap<&'static str, Cost>>,
}

impl Served {
    /// # Errors
    /// Where no client specification can be made for the model.
    pub(crate) fn new(name: String, model: Arc<Model>) -> bnn::Result<Self> {
        let specification = client_specification(&model)?;
        let sets = [Engine::Functional, Engine::Gates].map(|engine| {
            let sets = specification.parameter_sets(engine);
            (engine, sets.into_iter().filter(|set| is_served(set)).collect::<Vec<_>>())
        });
        let specification = specification.to_bytes();
        let served = Self {
            name,
            model,
            specification_digest: hex(&Sha256::digest(&specification)),
            specification,
            sets: sets.into_iter().filter(|(_, sets)| !sets.is_empty()).collect(),
            counting: Arc::default(),
            costs: Mutex::default(),
        };
        // On the functional engine this takes milliseconds; circuits are built when the first image for them comes.
        for (engine, sets) in &served.sets {
            if *engine == Engine::Functional {
                for set in sets {
                    served.cost(set)?;
                }
            }
        }
        Ok(served)
    }

    /// What an inference costs under a parameter set. For the gate engine this takes some seconds the first time.
    ///
    /// # Errors
    /// As [`Cost::of`].
    pub(crate) fn cost(&self, set: &'static Parameters) -> bnn::Result<Cost> {
        if let Some(cost) = self.known_cost(set) {
            return Ok(cost);
        }
        let cost = Cost::of(&self.model, set)?;
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).insert(set.name(), cost);
        Ok(cost)
    }

    /// The same, if it was asked for before.
    pub(crate) fn known_cost(&self, set: &Parameters) -> Option<Cost> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).get(set.name()).copied()
    }

    /// The parameter set of this name, if clients may have keys of it.
    pub(crate) fn set(&self, name: &str) -> Option<&'static Parameters> {
        self.sets.iter().flat_map(|(_, sets)| sets).copied().find(|set| set.name() == name)
    }
}

/// Whether keys of a parameter set are taken: those of an engine, of 128 bits of security and more.
pub(crate) fn is_served(set: &Parameters) -> bool {
    Engine::of(set).is_ok() && set.security_bits() >= LEAST_SECURITY
}

/// All models, by name.
pub(crate) type Models = BTreeMap<String, Arc<Served>>;
