//! The server: whoever holds the model and a client's cloud key.

use std::sync::Arc;

use tfhe_core::{control::Control, evaluator::Evaluator};

use super::{
    functional, gates,
    inference::{Inference, OfEngine},
};
use crate::{
    circuit::netlist::Style,
    client::{
        encrypted::{EncryptedImage, EncryptedScores},
        engine::Engine,
    },
    error::Result,
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
    Functional(Arc<functional::plan::Plan>),
    Gates(gates::plan::Plan),
}

impl Server {
    /// A server of a model, with a cloud key. `style` is how circuits are built, if the key is for the gate engine.
    ///
    /// # Errors
    /// [`Error::OtherParameters`](crate::Error::OtherParameters) for a key of neither engine; those of [`functional::Plan::new`], where the functional
    /// engine does not run the model.
    pub fn new(model: Arc<Model>, evaluator: Arc<Evaluator>, style: Style) -> Result<Self> {
        let plan = match Engine::with_set(evaluator.parameters())? {
            (Engine::Functional, set) => Plan::Functional(Arc::new(functional::plan::Plan::new(model, set)?)),
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
    /// [`Error::GateTooNoisy`](crate::Error::GateTooNoisy), where the parameter set is too noisy.
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
    /// [`Error::OtherModel`](crate::Error::OtherModel) for a picture encrypted for another model, [`Error::OtherParameters`](crate::Error::OtherParameters) for another
    /// parameter set, [`Error::Crypto`](crate::Error::Crypto) for another key, [`Error::Cancelled`](crate::Error::Cancelled).
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

    /// An inference that is not yet begun, and can be left and taken up.
    ///
    /// # Errors
    /// Those of [`infer`](Self::infer).
    pub fn start(&self, image: &EncryptedImage) -> Result<Inference> {
        let of_engine = match &self.plan {
            Plan::Functional(plan) => {
                OfEngine::Functional(functional::inference::Inference::start(plan, &self.evaluator, image)?)
            }
            Plan::Gates(plan) => OfEngine::Gates(plan.start(Arc::clone(&self.evaluator), image)?),
        };
        Ok(Inference(of_engine))
    }

    /// An inference, taken up where [`Inference::save`] left it.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`Error::State`](crate::Error::State) where the bytes are no state of this model, style, picture and key.
    pub fn resume(&self, image: &EncryptedImage, saved: &[u8]) -> Result<Inference> {
        let of_engine = match &self.plan {
            Plan::Functional(plan) => OfEngine::Functional(functional::inference::Inference::resume(
                plan,
                &self.evaluator,
                image,
                saved,
            )?),
            Plan::Gates(plan) => OfEngine::Gates(plan.resume(Arc::clone(&self.evaluator), image, saved)?),
        };
        Ok(Inference(of_engine))
    }

    /// How the model runs as a circuit; none on the functional engine.
    pub fn gates(&self) -> Option<&gates::plan::Plan> {
        match &self.plan {
            Plan::Gates(plan) => Some(plan),
            Plan::Functional(_) => None,
        }
    }
}
