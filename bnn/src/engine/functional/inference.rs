//! An inference on the functional engine, stage by stage.

use std::sync::Arc;

use tfhe_core::{ciphertext::Ciphertext, control::Control, evaluator::Evaluator};

use super::{plan::Plan, state, walk::Walk};
use crate::{
    client::encrypted::{EncryptedImage, EncryptedScores},
    error::{Error, Result},
};

/// An inference on an encrypted picture, which can be left and taken up between any two stages.
#[derive(Debug)]
pub(crate) struct Inference {
    plan: Arc<Plan>,
    evaluator: Arc<Evaluator>,
    image: EncryptedImage,
    walk: Walk<Ciphertext>,
}

impl Inference {
    /// An inference that is not yet begun.
    ///
    /// # Errors
    /// As [`Plan::infer`].
    pub(crate) fn start(
        plan: &Arc<Plan>,
        evaluator: &Arc<Evaluator>,
        image: &EncryptedImage,
    ) -> Result<Self> {
        plan.check(evaluator, image)?;
        let (plan, evaluator) = (Arc::clone(plan), Arc::clone(evaluator));
        Ok(Self { plan, evaluator, image: image.clone(), walk: Walk::default() })
    }

    /// An inference where [`save`](Self::save) left it.
    pub(crate) fn resume(
        plan: &Arc<Plan>,
        evaluator: &Arc<Evaluator>,
        image: &EncryptedImage,
        saved: &[u8],
    ) -> Result<Self> {
        let start = Self::start(plan, evaluator, image)?;
        let walk = state::load(plan, evaluator, image.digest()?, saved)?;
        Ok(Self { walk, ..start })
    }

    /// Runs a stage, and gives its bootstraps; 0 at the end.
    pub(crate) fn advance(&mut self, control: &Control) -> Result<usize> {
        let before = self.bootstraps();
        self.plan.advance(&self.evaluator, &self.image, control, &mut self.walk)?;
        Ok(self.bootstraps() - before)
    }

    pub(crate) fn bootstraps(&self) -> usize {
        self.plan.bootstraps_of(self.walk.given.len())
    }

    pub(crate) fn layer(&self) -> Option<&str> {
        self.plan.stage_name(self.walk.given.len())
    }

    pub(crate) fn save(&self) -> Result<Vec<u8>> {
        state::save(&self.plan, &self.evaluator, self.image.digest()?, &self.walk)
    }

    pub(crate) fn scores(&self) -> Result<EncryptedScores> {
        if self.layer().is_some() {
            return Err(Error::Unfinished);
        }
        self.plan.scores_of(&self.evaluator, &self.image, &self.walk)
    }
}
