//! The circuits of a network: its units, and how they are built.

use std::sync::Arc;

use tfhe_core::parameters::Parameters;

use super::{optimized, published, unit::Units};
use crate::{
    circuit::{netlist::Style, program::NoiseBudget},
    model::network::Model,
};

/// The circuits of a network for one parameter set.
#[derive(Debug)]
pub(super) struct Circuits {
    pub(super) model: Arc<Model>,
    pub(super) parameters: &'static Parameters,
    pub(super) style: Style,
    pub(super) budget: NoiseBudget,
    pub(super) units: Units,
}

impl Circuits {
    pub(super) fn new(model: Arc<Model>, parameters: &'static Parameters, style: Style) -> Self {
        let units = match style {
            Style::Optimized => optimized::units(&model),
            Style::AsPublished => published::units(&model),
        };
        Self { model, parameters, style, budget: NoiseBudget::new(parameters), units }
    }
}
