//! Client and server, from a model and a key.

use std::sync::Arc;

use bnn::{
    circuit::Style,
    client::{Client, ClientSpecification},
    engine::{Server, client_specification},
    model::Model,
};
use tfhe_core::{
    backend::Backend,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    parameters::Parameters,
    random::SecretSeed,
};

pub(crate) fn seed(number: u64) -> SecretSeed {
    SecretSeed::deterministic_for_tests(number)
}

/// A key by the number of its seed.
pub(crate) fn key(parameters: &Parameters, number: u64) -> Arc<SecretKey> {
    Arc::new(SecretKey::generate(parameters, seed(number)))
}

/// A cloud key by the number of its seed, ready for use.
pub(crate) fn evaluator(key: &SecretKey, number: u64) -> Arc<Evaluator> {
    evaluator_on(key, number, Backend::fastest())
}

pub(crate) fn evaluator_on(key: &SecretKey, number: u64, backend: Backend) -> Arc<Evaluator> {
    let cloud = CloudKey::generate(key, seed(number)).unwrap();
    Arc::new(Evaluator::new(&cloud, backend).unwrap())
}

/// A client that knows of the model what a specification's bytes say.
pub(crate) fn client(model: &Arc<Model>, key: &Arc<SecretKey>) -> Client {
    let bytes = client_specification(model).unwrap().to_bytes();
    let specification = ClientSpecification::from_bytes(&bytes).unwrap();
    Client::new(Arc::new(specification), Arc::clone(key)).unwrap()
}

pub(crate) fn server(model: &Arc<Model>, evaluator: &Arc<Evaluator>, style: Style) -> Server {
    Server::new(Arc::clone(model), Arc::clone(evaluator), style).unwrap()
}
