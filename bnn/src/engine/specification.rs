//! What a model's owner gives to clients.

use std::sync::Arc;

use super::functional::plan::Plan;
use crate::{
    client::{
        engine::Engine,
        gates::GateScheme,
        specification::content::{ClientSpecification, Scheme},
    },
    error::Result,
    model::network::Model,
};

/// The client specification of a model: for the functional engine with each parameter set with which it runs the model, if
/// any, and for the gates. Classes are named by their numbers.
///
/// It tells the shape and the encoding of the input, the number of classes, and for the functional engine the biases of the
/// last layer and the ranges of its sums. It tells none of the weights.
///
/// # Errors
/// [`SpecificationFault`](crate::client::SpecificationFault) for a model of so many classes, or of so long a name, that no client
/// would read it.
pub fn client_specification(model: &Arc<Model>) -> Result<ClientSpecification> {
    let functional = Engine::Functional.parameter_sets().iter().filter_map(|set| {
        let plan = Plan::new(Arc::clone(model), set).ok()?;
        Some(Scheme::Functional(plan.scheme().clone()))
    });
    let scores = model.classes();
    let gates = Engine::Gates.parameter_sets().iter();
    let gates = gates.map(|parameters| Scheme::Gates(GateScheme { parameters, scores }));
    let specification = ClientSpecification {
        model: model.interface().clone(),
        labels: (0..scores).map(|class| class.to_string()).collect(),
        schemes: functional.chain(gates).collect(),
    };
    // What no client would read is not given to any.
    ClientSpecification::from_bytes(&specification.to_bytes())?;
    Ok(specification)
}
