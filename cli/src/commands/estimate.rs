//! Says what an inference would cost, with the speed of this machine measured on the spot.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bnn::{
    client::EncodedImage,
    data::IdxFault,
    engine::{Engine, functional, gates},
    model::Model,
};
use serde_json::{Value, json};
use tfhe_core::{
    backend::Backend,
    bootstrap::LookupTable,
    control::Control,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    parameters::Parameters,
    random::SecretSeed,
    torus::Torus32,
};

use crate::{
    arguments::server::Estimate,
    commands::{agreement::sample_digits, evaluate::selection::encode},
    error::{About, Error, Result},
    files::{data_set, input, lookup},
    session::Session,
    terminal::{description, output::Output, progress, units},
};

/// Images whose labels are simulated, at most, and how often each: less often where a network has many bootstraps, so that it takes a minute or
/// two.
const MOST_SIMULATED: usize = 200;
const TRIALS: u32 = 100;
const LEAST_TRIALS: u32 = 10;
const BOOTSTRAPS_OF_TRIALS: usize = 1_000_000;
/// How long bootstraps are timed.
const TIMED: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &Estimate, session: &Session) -> Result<()> {
    let output = session.output;
    let model = lookup::model(&arguments.model)?;
    let engine = arguments.engine.map_or_else(|| Engine::fitting(&model), Engine::from);
    check_effects(arguments, engine)?;
    let parameters = engine.parameters(Some(&model))?;
    output.say(format_args!("model       {}: {}", model.name(), description::architecture(&model)))?;
    output.say(format_args!("engine      {engine}, {}", description::set(parameters)))?;
    let (bootstraps, held, facts) = match engine {
        Engine::Functional => functional_cost(&model, arguments, output)?,
        Engine::Gates => gates_cost(&model, arguments, output)?,
    };
    let backend = session.backend()?;
    let (speed, key_bytes) = progress::spinner("timing bootstraps", || measure(parameters, backend))?;
    let copies = if engine == Engine::Gates { gates::COPIES_WHILE_SAVED } else { 1 };
    let (seconds, memory) = (bootstraps as f64 / speed, key_bytes + copies * held);
    output.say(format_args!("bootstraps  {bootstraps}"))?;
    output.say(format_args!(
        "speed       {speed:.0} a second here (measured; backend {backend}, {} threads)",
        rayon::current_num_threads()
    ))?;
    output.say(format_args!("time        {}", units::long_duration(Duration::from_secs_f64(seconds))))?;
    output.say(format_args!(
        "memory      {}: {} of cloud key, {} of ciphertexts at most{}",
        units::size(memory as u64),
        units::size(key_bytes as u64),
        units::size(held as u64),
        if engine == Engine::Gates { ", three times that while they are saved" } else { "" },
    ))?;
    output.give(&json!({
        "model": description::model_json(&model),
        "engine": engine.to_string(),
        "parameters": description::set_json(parameters),
        "bootstraps": bootstraps,
        "bootstraps_per_second": speed,
        "seconds": seconds,
        "memory_bytes": memory,
        "details": facts,
    }))
}

/// Refuses options that have no effect on an engine.
fn check_effects(arguments: &Estimate, engine: Engine) -> Result<()> {
    let (option, given, place) = match engine {
        Engine::Functional => ("--style", arguments.style.is_some(), "on the functional engine"),
        Engine::Gates => ("--images", arguments.images.is_some(), "on the gate engine, which is exact"),
    };
    if given { Err(Error::NoEffect { option, place }) } else { Ok(()) }
}

fn functional_cost(
    model: &Arc<Model>,
    arguments: &Estimate,
    output: Output,
) -> Result<(usize, usize, Value)> {
    let plan = functional::Plan::cheapest(Arc::clone(model))?;
    let mut layers = Vec::new();
    for margin in plan.margins() {
        let (layer, noise, (least, most)) = (&*margin.layer, margin.noise, margin.range);
        let bootstraps = margin.bootstraps;
        let half_range = (most - least) as f64 / 2.0;
        // A layer of zeros has neither sums nor noise.
        let share = if noise > 0.0 && half_range > 0.0 {
            format!(", 1/{:.0} of half the range", half_range / noise)
        } else {
            String::new()
        };
        let (low, high) = margin.worst_case;
        let calibrated = if margin.range == margin.worst_case {
            String::new()
        } else {
            format!(" ({low} to {high} could be)")
        };
        output.say(format_args!(
            "layer       {layer}: {bootstraps} bootstraps; sums from {least} to {most}{calibrated}, noise of {noise:.2} \
             (standard deviation{share})"
        ))?;
        layers.push(json!({
            "name": layer,
            "bootstraps": bootstraps,
            "sums": [least, most],
            "worst_case": [low, high],
            "noise_deviation": noise,
        }));
    }
    let (upload, answer) = (plan.image_bytes(), plan.scores_bytes());
    output.say(format_args!(
        "sent        {} to the server, {} back",
        units::size(upload as u64),
        units::size(answer as u64)
    ))?;
    let sample = Sample::open(model, arguments)?;
    let changes = sample.changes(&plan)?;
    sample.tell(changes, trials(&plan), output)?;
    let is_calibrated = plan.margins().iter().any(|margin| margin.range != margin.worst_case);
    let worst_case = if is_calibrated { Some(worst_case(model, &sample, output)?) } else { None };
    let facts = json!({
        "layers": layers,
        "upload_bytes": upload,
        "answer_bytes": answer,
        "images_simulated": sample.accepted.len(),
        "images_refused": sample.refused.len(),
        "label_changes": changes,
        "without_calibration": worst_case,
    });
    Ok((plan.bootstraps(), plan.ciphertext_bytes(), facts))
}

/// What noise would do without calibrated ranges, with the set that would then be needed.
fn worst_case(model: &Arc<Model>, sample: &Sample, output: Output) -> Result<Value> {
    let mut refusal = None;
    for &set in Engine::Functional.parameter_sets() {
        match functional::Plan::worst_case(Arc::clone(model), set) {
            Ok(plan) => {
                let changes = sample.changes(&plan)?;
                output.say(format_args!(
                    "            without calibrated ranges it would be {}, under {}",
                    changes.map_or_else(|| "unknown".into(), |changes| format!("{:.2} %", 100.0 * changes)),
                    set.name()
                ))?;
                return Ok(json!({ "parameters": set.name(), "label_changes": changes }));
            }
            Err(error) => refusal = Some(Error::from(error)),
        }
    }
    let refusal = refusal.map_or_else(String::new, |refusal| refusal.to_string());
    output.say(format_args!("            without calibrated ranges it would not run: {refusal}"))?;
    Ok(json!({ "parameters": null, "label_changes": null }))
}

/// Pictures on which noise is simulated: those asked for, or the sample digits.
struct Sample {
    accepted: Vec<EncodedImage>,
    /// Those that a client would not send, by their indices.
    refused: Vec<(usize, Error)>,
    origin: String,
}

impl Sample {
    fn open(model: &Model, arguments: &Estimate) -> Result<Self> {
        let Some(path) = &arguments.images else {
            let (accepted, refused) = split(sample_digits(model)?);
            return Ok(Self { accepted, refused, origin: "the sample digits".into() });
        };
        let (images, name) = (data_set::images(path)?, input::name(path));
        let count = images.len().min(MOST_SIMULATED);
        if count == 0 {
            return Err(bnn::Error::from(IdxFault::Index { index: 0, count })).about(&name);
        }
        let preparation = arguments.preparing.preparation();
        let encode = |index| encode(images.image(index)?, &preparation, model.input());
        let encoded = (0..count).map(encode).collect::<bnn::Result<Vec<_>>>().about(&name)?;
        let (accepted, refused) = split(encoded);
        Ok(Self { accepted, refused, origin: format!("the first {count} images of {}", name.display()) })
    }

    /// The share of labels that noise is expected to change; none where no picture is left.
    fn changes(&self, plan: &functional::Plan) -> Result<Option<f64>> {
        let predict = || plan.label_changes(&self.accepted, trials(plan), &Control::default());
        Ok(progress::spinner("simulating noise", predict)?)
    }

    fn tell(&self, changes: Option<f64>, trials: u32, output: Output) -> Result<()> {
        let Self { refused, origin, .. } = self;
        let refusals = match &refused[..] {
            [] => String::new(),
            [(index, why), ..] => {
                let count = refused.len();
                format!(", of which a client refuses {count} (the first, image {index}: {})", why.line())
            }
        };
        match changes {
            None => output.say(format_args!("labels      not simulated on {origin}{refusals}")),
            Some(changes) => output.say(format_args!(
                "labels      noise changes {:.2} % of them, simulated on {origin}{refusals}, {trials} times each",
                100.0 * changes
            )),
        }
    }
}

/// How often noise is simulated on a picture.
fn trials(plan: &functional::Plan) -> u32 {
    let trials = BOOTSTRAPS_OF_TRIALS / plan.bootstraps().max(1);
    (trials as u32).clamp(LEAST_TRIALS, TRIALS)
}

/// The pictures that a client would send, and the others by their indices.
fn split(encoded: Vec<Result<EncodedImage>>) -> (Vec<EncodedImage>, Vec<(usize, Error)>) {
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for (index, picture) in encoded.into_iter().enumerate() {
        match picture {
            Ok(picture) => accepted.push(picture),
            Err(why) => refused.push((index, why)),
        }
    }
    (accepted, refused)
}

fn gates_cost(model: &Arc<Model>, arguments: &Estimate, output: Output) -> Result<(usize, usize, Value)> {
    let style = arguments.style.unwrap_or_default();
    let plan = gates::Plan::new(Arc::clone(model), Engine::Gates.parameters(None)?, style.into());
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
        "style": style.to_string(),
        "layers": layers,
        "log2_failure": plan.log2_failure(estimate.bootstraps),
        "most_ciphertexts": estimate.most_held,
    });
    Ok((estimate.bootstraps, plan.ciphertext_bytes(estimate.most_held), facts))
}

/// Bootstraps a second, in full batches on all threads, with a key made for it; and the key's bytes in memory.
fn measure(parameters: &Parameters, backend: Backend) -> Result<(f64, usize)> {
    let key = SecretKey::generate(parameters, SecretSeed::from_os()?);
    let cloud = CloudKey::generate(&key, SecretSeed::from_os()?)?;
    let evaluator = Evaluator::new(&cloud, backend)?;
    let count = evaluator.portion();
    let bits = key.encrypt(&vec![true; count], SecretSeed::from_os()?).expand();
    let table = LookupTable::sign(parameters.polynomial_size(), Torus32(1 << 29));
    let tables = vec![&table; count];
    // The first batch also warms the caches up.
    evaluator.bootstrap(&bits, &tables)?;
    let (start, mut done) = (Instant::now(), 0);
    // One batch at least, however slow the machine is.
    while done == 0 || start.elapsed() < TIMED {
        evaluator.bootstrap(&bits, &tables)?;
        done += count;
    }
    Ok((done as f64 / start.elapsed().as_secs_f64(), evaluator.key_bytes()))
}
