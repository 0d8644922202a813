//! The server: whoever holds the model and a client's cloud key.

use std::sync::Arc;

use tfhe_core::{control::Control, evaluator::Evaluator};

use super::{
    functional,
    gates::{self, inference::Inference},
};
use crate::{
    circuit::netlist::Style,
    client::{
        encrypted::{EncryptedImage, EncryptedScores},
        engine::Engine,
    },
    error::{Error, Result},
    model::network::Model,
};

/// A model that is ready to run under one client's cloud key, on the engine for which the key was made. It can be shared by
/// threads that serve requests side by side.
#[derive(Debug, Clone)]
pub struct Server {
    plan: Plan,
    evaluator: Arc<Evaluator>,
}

#[derive(Debug, Clone)]
enum Plan {
    Functional(Box<functional::plan::Plan>),
    Gates(gates::plan::Plan),
}

impl Server {
    /// A server of a model, with a cloud key. `style` is how circuits are built, if the key is for the gate engine.
    ///
    /// # Errors
    /// [`Error::OtherParameters`] for a key of neither engine; those of [`functional::Plan::new`], where the functional
    /// engine does not run the model.
    pub fn new(model: Arc<Model>, evaluator: Arc<Evaluator>, style: Style) -> Result<Self> {
        let plan = match Engine::with_set(evaluator.parameters())? {
            (Engine::Functional, set) => Plan::Functional(Box::new(functional::plan::Plan::new(model, set)?)),
            (Engine::Gates, set) => Plan::Gates(gates::plan::Plan::new(model, set, style)),
        };
        Ok(Self { plan, evaluator })
    }

    /// The engine for which the key was made.
    pub fn engine(&self) -> Engine {
        match self.plan {
            Plan::Functional(_) => Engine::Functional,
            Plan::Gates(_) => Engine::Gates,
        }
    }

    /// Bootstraps of one inference. For the gate engine every circuit is built for this, which takes some seconds for a large
    /// network.
    ///
    /// # Errors
    /// [`Error::GateTooNoisy`], where the parameter set is too noisy.
    pub fn bootstraps(&self) -> Result<usize> {
        match &self.plan {
            Plan::Functional(plan) => Ok(plan.bootstraps()),
            Plan::Gates(plan) => Ok(plan.estimate()?.bootstraps),
        }
    }

    /// Evaluates the model on an encrypted picture, on all threads of the current rayon pool. The control hears of bootstraps,
    /// and is asked whether to stop between batches of them.
    ///
    /// # Errors
    /// [`Error::OtherModel`] for a picture encrypted for another model, [`Error::OtherParameters`] for another
    /// parameter set, [`Error::Crypto`] for another key, [`Error::Cancelled`].
    pub fn infer(&self, image: &EncryptedImage, control: &Control) -> Result<EncryptedScores> {
        match &self.plan {
            Plan::Functional(plan) => plan.infer(&self.evaluator, image, control),
            Plan::Gates(plan) => {
                let mut inference = plan.start(Arc::clone(&self.evaluator), image)?;
                while inference.advance(control)? > 0 {}
                inference.scores()
            }
        }
    }

    /// An inference on the gate engine, not yet begun, which can be left and taken up.
    ///
    /// # Errors
    /// [`Error::OneGo`] on the functional engine, and those of [`infer`](Self::infer).
    pub fn start(&self, image: &EncryptedImage) -> Result<Inference> {
        self.gates()?.start(Arc::clone(&self.evaluator), image)
    }

    /// An inference on the gate engine, taken up where [`Inference::save`] left it.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`Error::State`] where the bytes are no state of this model, style, picture and key.
    pub fn resume(&self, image: &EncryptedImage, saved: &[u8]) -> Result<Inference> {
        self.gates()?.resume(Arc::clone(&self.evaluator), image, saved)
    }

    /// How the model runs as a circuit.
    ///
    /// # Errors
    /// [`Error::OneGo`] on the functional engine.
    pub fn gates(&self) -> Result<&gates::plan::Plan> {
        match &self.plan {
            Plan::Gates(plan) => Ok(plan),
            Plan::Functional(_) => Err(Error::OneGo),
        }
    }
}
