//! Boolean circuits in files: what one costs, and running it, in the clear and on ciphertexts.

use std::{path::Path, sync::Arc};

use bnn::circuit::{BristolCircuit, Cost, EncryptedRun, Program, Style};
use serde_json::{Value as Json, json};
use tfhe_core::{
    backend::Backend,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    parameters::{GATES_DEFAULT, Parameters},
    random::SecretSeed,
};

use crate::{
    arguments::trials::{CircuitInfo, CircuitRun},
    error::{About, Error, Result},
    files::{self, named::Named},
    session::Session,
    terminal::{circuit_value::CircuitValue, description, progress, units},
};

/// The parameter set of circuits.
const PARAMETERS: &Parameters = &GATES_DEFAULT;
/// Sizes that an error lists.
const MOST_LISTED: usize = 8;

pub(crate) fn info(arguments: &CircuitInfo, session: &Session) -> Result<()> {
    let output = session.output;
    let Named { name: path, content: circuit } = load(&arguments.file, arguments.style.into())?;
    let outputs = circuit.output_bits();
    let program = program(&circuit).about(&path)?;
    let cost = Cost::new(circuit.netlist(), &outputs, &program);
    let ciphertext_bytes = 4 * (PARAMETERS.wire_dimension() + 1);
    let bytes = ciphertext_bytes as u64 * cost.most_held as u64;
    let sizes: Vec<usize> = circuit.outputs().iter().map(Vec::len).collect();

    let gates = cost.gates.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>();
    output.say(format_args!("file        {}", path.display()))?;
    output.say(format_args!("kind        {}", circuit.format()))?;
    output.say(format_args!("inputs      {}", list(circuit.inputs(), usize::MAX)))?;
    output.say(format_args!("outputs     {}", list(&sizes, usize::MAX)))?;
    output.say(format_args!("style       {}", arguments.style))?;
    output.say(format_args!(
        "gates       {}",
        if gates.is_empty() { "none".into() } else { gates.join(", ") }
    ))?;
    output.say(format_args!(
        "cost        {} bootstraps, {} one after the other",
        cost.bootstraps, cost.depth
    ))?;
    output.say(format_args!(
        "memory      {} for {} ciphertexts, the most that are held at once",
        units::size(bytes),
        cost.most_held
    ))?;
    output.say(format_args!("parameters  {}", description::set(PARAMETERS)))?;
    output.give(&json!({
        "file": path.display().to_string(),
        "kind": circuit.format(),
        "inputs": circuit.inputs(),
        "outputs": sizes,
        "style": arguments.style.to_string(),
        "gates": cost.gates,
        "bootstraps": cost.bootstraps,
        "depth": cost.depth,
        "most_held": cost.most_held,
        "ciphertext_bytes": ciphertext_bytes,
        "parameters": description::set_json(PARAMETERS),
    }))
}

pub(crate) fn run(arguments: &CircuitRun, session: &Session) -> Result<()> {
    let output = session.output;
    let Named { name: path, content: circuit } = load(&arguments.file, Style::Optimized)?;
    let inputs = inputs(&circuit, &arguments.inputs, &path)?;
    let bits: Vec<bool> = inputs.iter().flat_map(CircuitValue::bits).copied().collect();
    let plain = circuit.netlist().simulate(&bits, &circuit.output_bits());
    let outputs = values(&circuit, &plain);
    let encrypt = || Encryption::run(&circuit, &bits, session.backend()?).about(&path);
    let encrypted = arguments.encrypted.then(encrypt).transpose()?;
    if let Some(Encryption { results, .. }) = &encrypted {
        let wrong = results.iter().zip(&plain).filter(|(encrypted, plain)| encrypted != plain).count();
        if wrong > 0 {
            let path = path.clone();
            return Err(Error::CircuitMismatch { path, wrong, bits: plain.len() });
        }
    }

    for (index, value) in outputs.iter().enumerate() {
        let size = bits_of(value.bits().len());
        let number = value.number().map_or_else(String::new, |number| format!("{number} = "));
        output.say(format_args!("output {}: {number}{} ({size})", index + 1, value.hex()))?;
    }
    if let Some(encryption) = &encrypted {
        output.say(encryption.facts())?;
    }
    output.give(&json!({
        "file": path.display().to_string(),
        "inputs": inputs.iter().map(value_json).collect::<Vec<_>>(),
        "outputs": outputs.iter().map(value_json).collect::<Vec<_>>(),
        "encrypted": encrypted.map(|encryption| encryption.json()),
    }))
}

fn load(path: &Path, style: Style) -> Result<Named<BristolCircuit>> {
    progress::spinner("reading the circuit", || files::circuit::circuit(path, style))
}

fn program(circuit: &BristolCircuit) -> bnn::Result<Arc<Program>> {
    Ok(Arc::new(Program::new(circuit.netlist(), &circuit.output_bits(), PARAMETERS)?))
}

/// The input values, one a text.
fn inputs(circuit: &BristolCircuit, texts: &[String], path: &Path) -> Result<Vec<CircuitValue>> {
    let sizes = circuit.inputs();
    if texts.len() != sizes.len() {
        let (found, expected) = (texts.len(), list(sizes, MOST_LISTED));
        return Err(Error::CircuitInputCount { path: path.into(), found, expected });
    }
    let parse = |(text, &bits): (&String, &usize)| CircuitValue::parse(text, bits);
    texts.iter().zip(sizes).map(parse).collect()
}

/// The output values of a circuit whose output bits these are.
fn values(circuit: &BristolCircuit, bits: &[bool]) -> Vec<CircuitValue> {
    let mut bits = bits.iter().copied();
    let value = |value: &Vec<_>| CircuitValue::from(bits.by_ref().take(value.len()).collect::<Vec<_>>());
    circuit.outputs().iter().map(value).collect()
}

/// A number of values and their sizes, such as `2, of 8, 16 bits`.
fn list(sizes: &[usize], most: usize) -> String {
    let mut listed: Vec<String> = sizes.iter().take(most).map(ToString::to_string).collect();
    if sizes.len() > most {
        listed.push("..".into());
    }
    match sizes {
        [] => "none".into(),
        [size] => format!("1, of {}", bits_of(*size)),
        _ => format!("{}, of {} bits", sizes.len(), listed.join(", ")),
    }
}

fn bits_of(size: usize) -> String {
    format!("{size} bit{}", if size == 1 { "" } else { "s" })
}

/// Numbers as texts: few programs read more than 53 bits.
fn value_json(value: &CircuitValue) -> Json {
    let decimal = value.number().map(|number| number.to_string());
    json!({ "bits": value.bits().len(), "decimal": decimal, "hex": value.hex() })
}

/// A run on ciphertexts, client's and server's side.
struct Encryption {
    /// What the output bits decrypt to.
    results: Vec<bool>,
    backend: Backend,
    bootstraps: usize,
    /// What the bootstraps took, and what making the key did.
    seconds: f64,
    key_seconds: f64,
}

impl Encryption {
    /// Makes a key, encrypts, runs and decrypts.
    fn run(circuit: &BristolCircuit, inputs: &[bool], backend: Backend) -> Result<Self> {
        let program = program(circuit)?;
        let secret = SecretKey::generate(PARAMETERS, SecretSeed::from_os()?);
        let seed = SecretSeed::from_os()?;
        let make = || {
            let cloud = CloudKey::generate(&secret, seed)?;
            Evaluator::new(&cloud, backend)
        };
        let (evaluator, key_duration) = units::timed(|| progress::spinner("making keys", make));

        let seed = SecretSeed::from_os()?;
        let inputs = progress::spinner("encrypting", || secret.encrypt(inputs, seed).expand());
        let run = EncryptedRun::new(Arc::clone(&program), Arc::new(evaluator?), inputs)?;
        let bar = Arc::new(progress::Count::bootstraps(program.bootstraps()));
        let control = progress::Count::control(&bar);
        let (outputs, duration) = units::timed(|| run.finish(&control));
        bar.finish();
        let results = outputs?.iter().map(|bit| secret.decrypt(bit)).collect::<tfhe_core::Result<_>>()?;
        Ok(Self {
            results,
            backend,
            bootstraps: program.bootstraps(),
            seconds: duration.as_secs_f64(),
            key_seconds: key_duration.as_secs_f64(),
        })
    }

    /// Of wall-clock time on all threads, if there is a bootstrap.
    fn milliseconds_a_bootstrap(&self) -> Option<f64> {
        (self.bootstraps > 0).then(|| 1e3 * self.seconds / self.bootstraps as f64)
    }

    fn facts(&self) -> String {
        let each = self.milliseconds_a_bootstrap();
        format!(
            "encrypted: equal; {} bootstraps in {:.2} s{}, backend {}, {} threads",
            self.bootstraps,
            self.seconds,
            each.map_or_else(String::new, |each| format!(", {each:.3} ms each")),
            self.backend,
            rayon::current_num_threads(),
        )
    }

    fn json(&self) -> Json {
        json!({
            "parameters": description::set_json(PARAMETERS),
            "backend": self.backend.to_string(),
            "threads": rayon::current_num_threads(),
            "bootstraps": self.bootstraps,
            "seconds": self.seconds,
            "milliseconds_a_bootstrap": self.milliseconds_a_bootstrap(),
            "key_seconds": self.key_seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_sizes() {
        assert_eq!(list(&[], 3), "none");
        assert_eq!(list(&[1], 3), "1, of 1 bit");
        assert_eq!(list(&[8, 8, 9], 3), "3, of 8, 8, 9 bits");
        assert_eq!(list(&[1, 2, 3, 4], 3), "4, of 1, 2, 3, .. bits");
    }
}
