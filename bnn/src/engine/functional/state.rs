//! A run of the functional engine between two stages, saved and read: the values that later stages read.

use serde::{Deserialize, Serialize};
use tfhe_core::{
    ciphertext::{Ciphertext, CiphertextList},
    evaluator::Evaluator,
};

use super::{plan::Plan, walk::Walk};
use crate::{
    engine::state::{self, read, write},
    error::{Error, Result},
};

/// The version of the file.
const FORMAT: u32 = 1;

/// Stages are those of a version; whoever changes how networks are cut, or how values lie on the torus, raises the second number.
const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), ", stages 1");

/// What the line of such a run begins with, where that of a circuit has no engine.
const START: &[u8] = b"{\"format\":1,\"engine\":\"functional\",";

/// Whether bytes begin as a saved run of this engine does.
pub(in crate::engine) fn is_of_functional(bytes: &[u8]) -> bool {
    bytes.starts_with(START)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OfEngine {
    Functional,
}

/// The line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct Index {
    format: u32,
    engine: OfEngine,
    /// The program that wrote it: another may cut networks into other stages.
    program: String,
    pub(in crate::engine) model: [u8; 32],
    image: [u8; 32],
    /// Stages that are done, and their bootstraps.
    stages: usize,
    pub(in crate::engine) bootstraps: usize,
}

impl state::Index for Index {
    fn is_current(&self) -> bool {
        self.format == FORMAT && self.program == PROGRAM
    }
}

/// The state as bytes.
pub(super) fn save(
    plan: &Plan,
    evaluator: &Evaluator,
    image: [u8; 32],
    walk: &Walk<Ciphertext>,
) -> Result<Vec<u8>> {
    let stages = walk.given.len();
    let index = Index {
        format: FORMAT,
        engine: OfEngine::Functional,
        program: PROGRAM.into(),
        model: plan.model_digest(),
        image,
        stages,
        bootstraps: plan.bootstraps_of(stages),
    };
    let ciphertexts = walk.given.iter().flatten().cloned().collect();
    write(&index, CiphertextList::new(plan.parameters(), evaluator.key_id(), ciphertexts)?)
}

/// Reads a state that [`save`] wrote.
pub(super) fn load(
    plan: &Plan,
    evaluator: &Evaluator,
    image: [u8; 32],
    saved: &[u8],
) -> Result<Walk<Ciphertext>> {
    let refuse = |reason| Error::State { reason };
    if !is_of_functional(saved) {
        return Err(refuse("no saved run of the functional engine"));
    }
    let (index, stored) = read::<Index>(saved)?;
    if index.model != plan.model_digest() {
        return Err(refuse("a run of another model"));
    }
    if index.image != image {
        return Err(refuse("a run on another encrypted image"));
    }
    if stored.content.key_id() != evaluator.key_id() || stored.content.parameters() != plan.parameters() {
        return Err(refuse("a run with another key"));
    }
    let misfit = || refuse("damaged: it does not fit the network");
    let sizes = plan.values_after(index.stages).ok_or_else(misfit)?;
    let ciphertexts = stored.content.ciphertexts();
    if index.bootstraps != plan.bootstraps_of(index.stages)
        || ciphertexts.len() != sizes.iter().sum::<usize>()
    {
        return Err(misfit());
    }
    let mut rest = ciphertexts;
    let given = sizes.into_iter().map(|size| {
        let (values, others) = rest.split_at(size);
        rest = others;
        values.to_vec()
    });
    Ok(Walk { given: given.collect() })
}
