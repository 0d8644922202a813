//! A deep binarized network, encrypted: seven layers with weights, signs feeding signs, padding, norms, and ways around layers
//! (train/residual-signs).

use std::sync::Arc;

use bnn::{circuit::Style, engine, engine::functional::Plan, model::Model};
use tfhe_core::{control::Control, parameters::FUNCTIONAL_1024};

use crate::{
    parties::{client, evaluator, key, seed, server},
    shipped,
};

/// How often noise is simulated on a digit.
const TRIALS: u32 = 100;

fn model() -> Arc<Model> {
    shipped::model_in("train/residual-signs")
}

#[test]
fn a_deep_binarized_network_runs_encrypted() {
    let model = model();
    assert!(model.layers().filter(|layer| layer.kind() == "add").count() >= 4);
    let plan = Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).unwrap();
    assert_eq!(plan.bootstraps(), 3 * 972 + 3 * 600);
    // Digits that the network knows, and whose label noise leaves as it is.
    let known: Vec<_> = (0..10)
        .filter_map(|digit| {
            let encoded = model.input().encode(&shipped::digit(digit)).unwrap();
            let label = engine::evaluate(&model, &encoded).unwrap().label();
            let agreement = plan.predict(&encoded, TRIALS, digit).unwrap();
            println!("{digit}: label {label}, {agreement} of simulated runs agree");
            (label as u64 == digit && agreement == 1.0).then_some((label, encoded))
        })
        .collect();
    assert!(known.len() >= 7, "{} of 10 digits", known.len());

    let key = key(&FUNCTIONAL_1024, 1);
    let (client, server) = (client(&model, &key), server(&model, &evaluator(&key, 2), Style::Optimized));
    for (label, encoded) in &known[..3] {
        let encrypted = client.encrypt(encoded, seed(3)).unwrap();
        let scores = client.decrypt(&server.infer(&encrypted, &Control::default()).unwrap()).unwrap();
        assert_eq!(scores.label(), *label);
    }
}

/// The same network as circuits of gates gives the oracle's scores exactly.
#[test]
fn its_circuits_give_the_oracles_scores() {
    let model = model();
    let encoded = model.input().encode(&shipped::digit(3)).unwrap();
    let plan =
        engine::gates::Plan::new(Arc::clone(&model), &tfhe_core::parameters::GATES_DEFAULT, Style::Optimized);
    let scores = plan.simulate(&encoded, |_, _| ()).unwrap();
    assert_eq!(scores, engine::evaluate(&model, &encoded).unwrap());
}
