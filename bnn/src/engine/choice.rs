//! Which engine, and which parameter set, for a model.

use std::sync::Arc;

use tfhe_core::parameters::Parameters;

use super::functional::plan::Plan;
use crate::{client::engine::Engine, error::Result, model::network::Model};

impl Engine {
    /// The parameter set of keys for a model, or for any where none is named.
    ///
    /// # Errors
    /// Those of [`Plan::cheapest`], where the engine does not run the model.
    pub fn parameters(self, model: Option<&Arc<Model>>) -> Result<&'static Parameters> {
        match (self, model) {
            (Self::Functional, Some(model)) => Ok(Plan::cheapest(Arc::clone(model))?.parameters()),
            _ => Ok(self.parameter_sets()[0]),
        }
    }

    /// The functional engine for a network that it runs, the gates' for others.
    pub fn fitting(model: &Arc<Model>) -> Self {
        match Plan::cheapest(Arc::clone(model)) {
            Ok(_) => Self::Functional,
            Err(_) => Self::Gates,
        }
    }
}
