//! What a run on the gate engine costs, counted without running it.

use std::{iter::repeat, sync::Arc};

use super::{
    circuits::Circuits,
    execution::{Execution, held_inputs},
};
use crate::{circuit::evaluator::counting::Counting, error::Result};

/// What a run costs.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Bootstraps.
    pub bootstraps: usize,
    /// Bootstraps up to and with each layer; layers that run together share a number.
    pub layers: Vec<(String, usize)>,
    /// The most ciphertexts that are held at once.
    pub most_held: usize,
}

impl Estimate {
    pub(super) fn of(circuits: &Arc<Circuits>) -> Result<Self> {
        let inputs = held_inputs(circuits, repeat(()));
        let mut execution = Execution::new(Arc::clone(circuits), Counting, inputs);
        let mut layers: Vec<(String, usize)> = Vec::new();
        loop {
            let layer = execution.layer().map(str::to_owned);
            if execution.advance(usize::MAX)? == 0 {
                break;
            }
            match layers.last_mut() {
                Some((name, done)) if Some(&*name) == layer.as_ref() => *done = execution.bootstraps(),
                _ => layers.extend(layer.map(|name| (name, execution.bootstraps()))),
            }
        }
        Ok(Self { layers, bootstraps: execution.bootstraps(), most_held: execution.most_held() })
    }
}
