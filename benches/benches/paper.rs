//! The tables of the paper: published figures, its circuits, and ours.
//!
//! ```text
//! cargo bench -p benches --bench paper
//! ```
//!
//! Every row gives what was published, then for the circuit as published and for ours the bootstraps and the time on this
//! machine. Bootstraps are counted, not estimated. A time is *measured* where the whole circuit ran on ciphertexts, with
//! all outputs compared with plain logic, and else *extrapolated*: a slice of the real run is timed, and its rate taken for
//! all bootstraps. `BNN_PAPER` names the folder of the authors' parameters (default `../shared/paper`); without it the
//! Binarized CNN is ours of the same shape, and the table says so.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::{Keys, chosen_backend, model, seed, seven};
use bnn::circuit::arithmetic::Shape;
use bnn::circuit::{Bit, EncryptedRun, Netlist, Operation, Program, Style};
use bnn::client::Client;
use bnn::engine::{Server, client_specification};
use bnn::model::Model;
use bnn::paper::import_paper;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::control::Control;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::parameters::{GATES_DEFAULT, Parameters};

const PARAMETERS: &Parameters = &GATES_DEFAULT;
/// How long a slice of a network is timed.
const SLICE: Duration = Duration::from_secs(4);
/// Runs of a small circuit, of which the median is taken.
const REPEATS: usize = 5;
/// Seconds of a gate of the published system: its time for the whole Binarized CNN over the gates of its circuits, 13.7 million.
const PUBLISHED_GATE: f64 = 0.0109;
/// Windows of a convolution of 5 x 5 on 28 x 28.
const WINDOWS: usize = 24 * 24;
const STYLES: [Style; 2] = [Style::AsPublished, Style::Optimized];

/// What a circuit costs here.
#[derive(Clone, Copy)]
struct Figure {
    bootstraps: usize,
    seconds: f64,
    measured: bool,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.measured { "measured" } else { "extrapolated" };
        write!(f, "{:>10} {:>11} {how:<12}", self.bootstraps, time(self.seconds))
    }
}

/// Hours, minutes and seconds; milliseconds below a second.
fn time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0 => format!("{:.0} ms", seconds * 1e3),
        1..60 => format!("{seconds:.1} s"),
        60..3_600 => format!("{} m {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} m", whole / 3_600, whole / 60 % 60),
    }
}

/// A row: name, published seconds, and the two circuits.
fn row(name: &str, published: f64, circuits: [Option<Figure>; 2]) {
    let [as_published, optimized] = circuits;
    let text =
        |figure: Option<Figure>| figure.map_or_else(|| format!("{:<35}", "-"), |figure| figure.to_string());
    let implied = as_published.map_or_else(String::new, |figure| {
        let at_published_speed = figure.bootstraps as f64 * PUBLISHED_GATE;
        format!("{:>11} {:>5.2}", time(at_published_speed), published / at_published_speed)
    });
    println!(
        "{name:<34} {:>11} | {} {implied:<17} | {}",
        time(published),
        text(as_published),
        text(optimized)
    );
}

fn heading(title: &str) {
    println!("\n{title}\n");
    println!(
        "{:<34} {:>11} | {:<35} {:>11} {:>5} | {:<35}",
        "",
        "published",
        "circuit as published: bootstraps, time",
        "at 10.9 ms",
        "ratio",
        "optimized: bootstraps, time"
    );
}

/// Server and client in one.
struct Bench {
    keys: Keys,
    evaluator: Arc<Evaluator>,
}

impl Bench {
    fn new() -> Self {
        let keys = Keys::new(PARAMETERS);
        let evaluator = keys.evaluator(chosen_backend());
        Self { keys, evaluator }
    }

    /// Bootstraps of a circuit over so many input bits, and the time of a run on ciphertexts whose outputs are all right.
    fn circuit(&self, style: Style, operation: Operation) -> Figure {
        let inputs = operation.inputs();
        let mut netlist = Netlist::new(style, inputs);
        let bits: Vec<Bit> = (0..inputs).map(|index| netlist.input(index)).collect();
        let outputs = operation.build(&mut netlist, &bits);
        let program =
            Program::new(&netlist, &outputs, PARAMETERS).expect("invariant: the set has room for gates");
        let program = Arc::new(program);
        // Any fixed bits do: a gate's time does not depend on them.
        let plain: Vec<bool> = (0..inputs).map(|index| index * index % 7 < 3).collect();
        let encrypted = self.keys.secret.encrypt(&plain, seed(8)).expand();
        let repeats = if program.bootstraps() < 500 { REPEATS } else { 1 };
        let mut times: Vec<f64> = Vec::new();
        for _ in 0..repeats {
            let start = Instant::now();
            let results = self.run(&program, encrypted.clone()).finish(&Control::default());
            times.push(start.elapsed().as_secs_f64());
            let results = results.expect("invariant: ciphertexts of one key");
            let decrypt = |bit| self.keys.secret.decrypt(bit).expect("invariant: ciphertexts of one key");
            let results: Vec<bool> = results.iter().map(decrypt).collect();
            assert_eq!(results, netlist.simulate(&plain, &outputs), "encrypted and plain bits are equal");
        }
        times.sort_by(f64::total_cmp);
        Figure { bootstraps: program.bootstraps(), seconds: times[times.len() / 2], measured: true }
    }

    /// A run before its first step.
    fn run(&self, program: &Arc<Program>, inputs: Vec<Ciphertext>) -> EncryptedRun {
        let run = EncryptedRun::new(Arc::clone(program), Arc::clone(&self.evaluator), inputs);
        run.expect("invariant: a ciphertext an input")
    }

    /// A circuit that a layer has `times` times, side by side: the rate of the first seconds of a few.
    fn slice_of(&self, style: Style, times: usize, operation: Operation) -> Figure {
        let inputs = operation.inputs();
        let side_by_side = 2 * rayon::current_num_threads();
        let mut netlist = Netlist::new(style, side_by_side * inputs);
        let bits: Vec<Bit> = (0..side_by_side * inputs).map(|index| netlist.input(index)).collect();
        let outputs: Vec<Bit> =
            bits.chunks(inputs).flat_map(|bits| operation.build(&mut netlist, bits)).collect();
        let program =
            Program::new(&netlist, &outputs, PARAMETERS).expect("invariant: the set has room for gates");
        let bootstraps = program.bootstraps() / side_by_side * times;
        let mut run = self.run(&Arc::new(program), self.keys.bits(side_by_side * inputs));
        let (start, mut done) = (Instant::now(), 0);
        while start.elapsed() < SLICE {
            match run.advance(&Control::default()).expect("invariant: ciphertexts of one key") {
                0 => break,
                count => done += count,
            }
        }
        let rate = done as f64 / start.elapsed().as_secs_f64();
        Figure { bootstraps, seconds: bootstraps as f64 / rate, measured: false }
    }

    /// A network on one of the digits that ship: its bootstraps, and the rate of its first seconds. Bootstraps by layer.
    fn network(&self, model: &Arc<Model>, style: Style) -> (Figure, Vec<(String, usize)>) {
        let server = Server::new(Arc::clone(model), Arc::clone(&self.evaluator), style);
        let server = server.expect("invariant: a set of the gate engine");
        let plan = server.gates().expect("invariant: a set of the gate engine");
        let estimate = plan.estimate().expect("invariant: the set has room for gates");
        let specification = client_specification(model).expect("invariant: a model that ships");
        let client = Client::new(Arc::new(specification), Arc::clone(&self.keys.secret));
        let client = client.expect("invariant: a set of the gate engine");
        let encoded = model.input().encode(&seven()).expect("invariant: the digit fits the model");
        let image = client.encrypt(&encoded, seed(9)).expect("invariant: an encoding of the model");
        let mut inference = server.start(&image).expect("invariant: own image and key");
        let start = Instant::now();
        let mut finished = false;
        while start.elapsed() < SLICE && !finished {
            finished =
                inference.advance(&Control::default()).expect("invariant: ciphertexts of one key") == 0;
        }
        let rate = inference.bootstraps() as f64 / start.elapsed().as_secs_f64();
        let seconds = estimate.bootstraps as f64 / rate;
        (Figure { bootstraps: estimate.bootstraps, seconds, measured: finished }, estimate.layers)
    }
}

/// The paper's Binarized CNN with the authors' parameters where they are found, else ours of the same shape.
fn binarized_cnn() -> (Arc<Model>, &'static str) {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/paper");
    let folder = std::env::var_os("BNN_PAPER").map_or(default, PathBuf::from);
    let read = |name| std::fs::read(folder.join(name)).map_err(|error| error.to_string());
    let authors = || -> Result<Model, String> {
        let files = import_paper(&read("convolution_new.txt")?, &read("full_connection_new.txt")?);
        files.and_then(|files| files.model()).map_err(|error| error.to_string())
    };
    match authors() {
        Ok(model) => (Arc::new(model), "the authors' parameters"),
        Err(error) => {
            println!(
                "The authors' parameters are not here ({error}): the Binarized CNN is ours of the same shape."
            );
            (model("binarized-cnn"), "our parameters")
        }
    }
}

const HOUR: f64 = 3_600.0;
const MINUTE: f64 = 60.0;

fn main() {
    let bench = Bench::new();
    println!(
        "{}, backend {}, {} threads; a bootstrap of the published system took {:.1} ms on one thread",
        PARAMETERS.name(),
        bench.evaluator.backend(),
        rayon::current_num_threads(),
        PUBLISHED_GATE * 1e3
    );
    let (cnn, whose) = binarized_cnn();
    table_1(&bench, &cnn, whose);
    table_2(&bench);
}

fn table_1(bench: &Bench, cnn: &Arc<Model>, whose: &str) {
    heading(
        "Table 1: one inference (Perceptrons and Hybrid CNN: networks of our own, as nothing is published of theirs)",
    );
    let both = |model: &Arc<Model>| STYLES.map(|style| bench.network(model, style));
    for (name, published, model) in [
        ("Perceptron", 4.0 * MINUTE + 13.0, model("perceptron")),
        ("Binarized Perceptron", MINUTE + 11.0, model("binarized-perceptron")),
        ("Hybrid CNN", 58.0 * HOUR + 11.0 * MINUTE + 21.0, model("hybrid-cnn")),
    ] {
        row(name, published, both(&model).map(|(figure, _)| Some(figure)));
    }
    let [(as_published, layers), (optimized, our_layers)] = both(cnn);
    let total = 41.0 * HOUR + 36.0 * MINUTE + 29.0;
    row(&format!("Binarized CNN ({whose})"), total, [Some(as_published), Some(optimized)]);

    heading("Where the Binarized CNN's time goes (ours pools before it scales: one part)");
    // Layers count what is done with them: a part is the difference of two.
    let upto = |layers: &[(String, usize)], name: &str| {
        layers.iter().find(|(layer, _)| layer == name).map_or(0, |&(_, bootstraps)| bootstraps)
    };
    let part = |whole: Figure, bootstraps: usize| {
        let seconds = whole.seconds * bootstraps as f64 / whole.bootstraps as f64;
        Some(Figure { bootstraps, seconds, measured: whole.measured })
    };
    let (rectified, pooled) = (upto(&layers, "rectified"), upto(&layers, "pooled"));
    let ours = upto(&our_layers, "convolution");
    let convolution = 19.0 * HOUR + 12.0 * MINUTE + 42.0;
    row("convolution layers", convolution, [part(as_published, rectified), part(optimized, ours)]);
    row("max pooling", 39.0 * MINUTE + 42.0, [part(as_published, pooled - rectified), None]);
    let connected = 21.0 * HOUR + 16.0 * MINUTE + 12.0;
    let rest =
        [part(as_published, as_published.bootstraps - pooled), part(optimized, optimized.bootstraps - ours)];
    row("fully connected", connected, rest);
}

fn table_2(bench: &Bench) {
    heading("Table 2: single operations");
    let both = |operation: Operation| STYLES.map(|style| Some(bench.circuit(style, operation)));
    for (bits, published, earlier) in [(8, 0.27, 0.71), (16, 0.64, 1.44)] {
        row(&format!("comparison, {bits} bits"), published, both(Operation::Compare { bits }));
        // Earlier work subtracts and looks at the sign, then selects.
        let selection = both(Operation::SubtractAndSelect { bits });
        row(&format!("comparison, earlier work, {bits} bits"), earlier, selection);
    }
    // The convolutions of one filter on words of 20 bits.
    for (name, published, operation) in [
        ("binarized", 6.0 * HOUR + 24.0 * MINUTE + 14.0, Operation::BinarizedConvolution),
        ("hybrid", 40.0 * HOUR + 36.0 * MINUTE + 48.0, Operation::HybridConvolution),
        ("encrypted", 102.0 * HOUR + 9.0 * MINUTE + 58.0, Operation::EncryptedConvolution),
    ] {
        let windows = STYLES.map(|style| Some(bench.slice_of(style, WINDOWS, operation)));
        row(&format!("{name} convolution, 20 bits"), published, windows);
    }
    for (bits, published) in [(8, 0.09), (16, 0.21)] {
        row(&format!("ReLU, {bits} bits"), published, both(Operation::Relu { bits }));
    }
    println!("\nMaximum of two words (no row of the paper):");
    for (bits, shape) in [(8, Shape::Chain), (8, Shape::Tree), (16, Shape::Chain), (16, Shape::Tree)] {
        let figure = bench.circuit(Style::Optimized, Operation::Maximum { bits, shape });
        println!("max, {bits} bits, {shape:?}: {figure}");
    }
}
