//! What an inference costs, before there is a key for it.

use std::sync::Arc;

use tfhe_core::parameters::Parameters;

use super::{functional, gates};
use crate::{circuit::netlist::Style, client::engine::Engine, error::Result, model::network::Model};

/// What one inference costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Bootstraps.
    pub bootstraps: usize,
    /// Bytes of ciphertexts in memory at most, beside the cloud key.
    pub ciphertext_bytes: usize,
}

impl Cost {
    /// The cost of a model under a parameter set, on the engine of that set. For the gate engine every circuit is built, which takes some
    /// seconds for a large network.
    ///
    /// # Errors
    /// [`Error::OtherParameters`](crate::Error::OtherParameters) for a set of neither engine; those of
    /// [`functional::Plan::new`] and [`gates::Plan::estimate`].
    pub fn of(model: &Arc<Model>, parameters: &Parameters) -> Result<Self> {
        let model = Arc::clone(model);
        match Engine::with_set(parameters)? {
            (Engine::Functional, set) => {
                let plan = functional::Plan::new(model, set)?;
                Ok(Self { bootstraps: plan.bootstraps(), ciphertext_bytes: plan.ciphertext_bytes() })
            }
            (Engine::Gates, set) => {
                let plan = gates::Plan::new(model, set, Style::Optimized);
                let estimate = plan.estimate()?;
                let held = plan.ciphertext_bytes(estimate.most_held);
                Ok(Self {
                    bootstraps: estimate.bootstraps,
                    ciphertext_bytes: gates::COPIES_WHILE_SAVED * held,
                })
            }
        }
    }
}
