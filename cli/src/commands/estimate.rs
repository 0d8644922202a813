//! Says what an inference would cost, with the speed of this machine measured on the spot.

use std::time::{Duration, Instant};

use bnn::{
    engine::{functional, gates},
    model::Model,
};
use serde_json::{Value, json};
use tfhe_core::{
    backend::Backend,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    random::SecretSeed,
};

use super::Session;
use crate::{
    arguments::Estimate,
    engine::Engine,
    error::Result,
    lookup, progress,
    report::{self, Output},
};

/// How often the ciphertexts of a run are in memory while it is saved.
const COPIES_WHILE_SAVED: usize = 3;
/// How long bootstraps are timed.
const TIMED: Duration = Duration::from_secs(2);

pub(super) fn run(arguments: &Estimate, session: &Session) -> Result<()> {
    let output = session.output;
    let model = lookup::model(&arguments.model)?;
    let engine = arguments.engine.unwrap_or_else(|| Engine::fitting(&model));
    output.say(format_args!("model       {}: {}", model.name(), report::architecture(&model)))?;
    output.say(format_args!("engine      {engine}, {}", super::describe(engine.parameters())))?;
    let (bootstraps, held, facts) = match engine {
        Engine::Functional => functional_cost(&model, output)?,
        Engine::Gates => gates_cost(&model, arguments, output)?,
    };
    let backend = session.backend()?;
    let (speed, key_bytes) = progress::spinner("timing bootstraps", || measure(engine, backend))?;
    let copies = if engine == Engine::Gates { COPIES_WHILE_SAVED } else { 1 };
    let (seconds, memory) = (bootstraps as f64 / speed, key_bytes + copies * held);
    output.say(format_args!("bootstraps  {bootstraps}"))?;
    output.say(format_args!(
        "speed       {speed:.0} a second here (measured; backend {backend}, {} threads)",
        rayon::current_num_threads()
    ))?;
    output.say(format_args!("time        {}", report::long_duration(Duration::from_secs_f64(seconds))))?;
    output.say(format_args!(
        "memory      {}: {} of cloud key, {} of ciphertexts at most{}",
        report::size(memory as u64),
        report::size(key_bytes as u64),
        report::size(held as u64),
        if engine == Engine::Gates { ", three times that while they are saved" } else { "" },
    ))?;
    output.give(&json!({
        "model": super::model_json(&model),
        "engine": engine.to_string(),
        "parameters": super::parameters_json(engine.parameters()),
        "bootstraps": bootstraps,
        "bootstraps_per_second": speed,
        "seconds": seconds,
        "memory_bytes": memory,
        "details": facts,
    }))
}

fn functional_cost(model: &Model, output: Output) -> Result<(usize, usize, Value)> {
    let plan = functional::Plan::new(model, Engine::Functional.parameters())?;
    let mut layers = Vec::new();
    for (name, largest, noise) in plan.margins() {
        output.say(format_args!(
            "layer       {name}: sums of up to {largest}, noise of {noise:.2} (standard deviation)"
        ))?;
        layers.push(json!({ "name": name, "largest_sum": largest, "noise_deviation": noise }));
    }
    // A layer's inputs and outputs are there together.
    let held = model.input().value_count() + plan.bootstraps();
    let bytes = held * 4 * (plan.parameters().wire_dimension() + 1);
    Ok((plan.bootstraps(), bytes, json!({ "layers": layers })))
}

fn gates_cost(model: &Model, arguments: &Estimate, output: Output) -> Result<(usize, usize, Value)> {
    let plan = gates::Plan::new(model, Engine::Gates.parameters(), arguments.style.into());
    let estimate = progress::spinner("building the circuits", || plan.estimate())?;
    let mut before = 0;
    let mut layers = Vec::new();
    for (name, upto) in &estimate.layers {
        output.say(format_args!("layer       {name}: {} bootstraps", upto - before))?;
        layers.push(json!({ "name": name, "bootstraps": upto - before }));
        before = *upto;
    }
    output.say(format_args!(
        "exactness   any wrong bit with probability 2^{:.0} at most",
        plan.log2_failure(estimate.bootstraps)
    ))?;
    let facts = json!({
        "style": arguments.style.to_string(),
        "layers": layers,
        "log2_failure": plan.log2_failure(estimate.bootstraps),
        "most_ciphertexts": estimate.most_held,
    });
    Ok((estimate.bootstraps, plan.ciphertext_bytes(estimate.most_held), facts))
}

/// Bootstraps a second, in full batches on all threads, with a key made for it; and the key's bytes in memory.
fn measure(engine: Engine, backend: Backend) -> Result<(f64, usize)> {
    let key = SecretKey::generate(engine.parameters(), SecretSeed::from_os()?);
    let evaluator = Evaluator::new(&CloudKey::generate(&key, SecretSeed::from_os()?), backend)?;
    let count = 2 * evaluator.batch_size() * rayon::current_num_threads();
    let bits = key.encrypt(&vec![true; count], SecretSeed::from_os()?).expand();
    let table = tfhe_core::bootstrap::LookupTable::sign(
        engine.parameters().polynomial_size,
        tfhe_core::torus::Torus32(1 << 29),
    );
    let tables = vec![&table; count];
    // The first batch also warms the caches up.
    evaluator.bootstrap(&bits, &tables)?;
    let (start, mut done) = (Instant::now(), 0);
    while start.elapsed() < TIMED {
        evaluator.bootstrap(&bits, &tables)?;
        done += count;
    }
    Ok((done as f64 / start.elapsed().as_secs_f64(), evaluator.key_bytes()))
}
