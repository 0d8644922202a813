//! Searches parameter sets for gates: the fastest ones on this machine that are secure and fail rarely enough.
//!
//! ```text
//! cargo run --release -p benches --bin parameters
//! ```
//!
//! A candidate takes the smallest noise that the security line allows (docs/parameters.md), and its failure probability
//! is the noise formulas' for the worst gate. Its time is n/d steps of blind rotation and a key switch. Both are
//! calibrated here with the engine itself, on one thread: a step for every shape (k, N, l, d), with a short key that
//! does not fit the second-level cache; a key switch by its transforms and its products, whose costs come from two
//! sets. What is printed is the fastest set for each failure bound, the frontier of time against key size at 2^-128,
//! and where the default stands.

use std::collections::HashMap;
use std::time::Instant;

use benches::{Keys, chosen_backend, pool};
use tfhe_core::backend::Backend;
use tfhe_core::internals::worst_log2_failure;
use tfhe_core::internals::{Part, Trial};
use tfhe_core::parameters::{FUNCTIONAL_2048, GATES_DEFAULT, Parameters};

/// log2 of the failure bounds that the fastest sets are listed for.
const BOUNDS: [f64; 5] = [-40.0, -64.0, -100.0, -128.0, -200.0];
/// The bound of the frontier: the project's own.
const BOUND: f64 = -128.0;
/// Length of the keys that steps are timed with, in bits: divisible by every d.
const TIMED_BITS: usize = 96;
/// Bits of the bootstrapping key's torus.
const TORUS_BITS: i32 = 48;

/// log2 of the smallest noise with some 128.4 bits of security in this dimension, on a torus of `width` bits.
fn smallest_noise(dimension: usize, width: i32) -> f64 {
    (2.67 - 0.0257 * dimension as f64).max(f64::from(2 - width))
}

/// (k, N, l, d).
type Shape = (usize, usize, u32, usize);

fn shape(p: &Trial) -> Shape {
    (p.tlwe.0, p.tlwe.1, p.gadget.1, p.bits_a_step)
}

/// A set with its numbers, and the failure bound of its worst gate.
struct Candidate {
    numbers: Trial,
    log2_failure: f64,
}

impl Candidate {
    fn new(p: &Parameters) -> Self {
        Self { numbers: Trial::of(p), log2_failure: worst_log2_failure(p) }
    }
}

/// The median time of `run` after one run to warm up, in milliseconds.
fn median_time(mut run: impl FnMut()) -> f64 {
    run();
    let mut times = [0.0; 9];
    for time in &mut times {
        let start = Instant::now();
        run();
        *time = start.elapsed().as_secs_f64() * 1e3;
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Measured costs on one thread of one backend, in milliseconds.
struct Costs {
    /// A step for one ciphertext in a batch.
    steps: HashMap<Shape, f64>,
    /// A key switch: for each row, coefficient and doubling of a transform; for each row, coefficient and column.
    key_switch: (f64, f64),
}

impl Costs {
    fn measure(shapes: impl Iterator<Item = Shape>, backend: Backend) -> Self {
        let steps = shapes.map(|shape| (shape, time_step(shape, backend))).collect();
        let [first, second] =
            [&GATES_DEFAULT, &FUNCTIONAL_2048].map(|p| (units(&Trial::of(p)), time_key_switch(p, backend)));
        let (((a, b), x), ((c, d), y)) = (first, second);
        let determinant = a * d - b * c;
        Self { steps, key_switch: ((x * d - b * y) / determinant, (a * y - c * x) / determinant) }
    }

    /// Milliseconds a gate in batches.
    fn gate(&self, p: &Trial) -> f64 {
        let (transforms, products) = units(p);
        let key_switch = self.key_switch.0 * transforms + self.key_switch.1 * products;
        self.steps[&shape(p)] * p.steps() as f64 + key_switch
    }
}

/// How many of either cost a key switch has.
fn units(p: &Trial) -> (f64, f64) {
    let coefficients = (p.tlwe.0 * p.tlwe.1) as f64 * f64::from(p.key_switch.1);
    let columns = (p.lwe.0 / p.lwe.1 + 1) as f64;
    (coefficients * (p.lwe.1 as f64).log2(), coefficients * columns)
}

fn time_step((k, size, levels, bits): Shape, backend: Backend) -> f64 {
    let numbers = Trial {
        lwe: (TIMED_BITS, 1),
        tlwe: (k, size),
        // Time does not depend on the base.
        gadget: (24 / levels, levels),
        key_switch: (1, 1),
        bits_a_step: bits,
        ..Trial::of(&GATES_DEFAULT)
    };
    let set = numbers.parameters().expect("invariant: the numbers go together");
    let part = Part::blind_rotation(&Keys::new(&set).cloud, backend, None);
    let mut part = part.expect("invariant: an available backend");
    median_time(|| part.run()) / (numbers.steps() * part.batch()) as f64
}

fn time_key_switch(p: &Parameters, backend: Backend) -> f64 {
    const BATCH: usize = 16;
    let part = Part::key_switch(&Keys::new(p).cloud, backend, BATCH);
    let mut part = part.expect("invariant: an available backend");
    median_time(|| part.run()) / BATCH as f64
}

/// Every set that the engine can run and that is worth a look.
fn candidates() -> Vec<Candidate> {
    let default = Trial::of(&GATES_DEFAULT);
    let mut found = Vec::new();
    for tlwe in [(1, 1024), (2, 512), (3, 512), (3, 256), (2, 1024), (1, 2048)] {
        for (levels, bits_a_step) in (1..=4).flat_map(|levels| [1, 2, 3].map(|bits| (levels, bits))) {
            for (ring, n) in
                [64, 128].into_iter().flat_map(|ring| (512..=960).step_by(ring).map(move |n| (ring, n)))
            {
                for base_log in 5..=24 {
                    for key_switch in [(1, 10), (1, 11), (1, 12), (1, 13), (2, 5), (2, 6), (3, 4), (4, 3)] {
                        let noise_log2 = (smallest_noise(n, 32), smallest_noise(tlwe.0 * tlwe.1, TORUS_BITS));
                        let gadget = (base_log, levels);
                        let numbers = Trial {
                            lwe: (n, ring),
                            tlwe,
                            gadget,
                            key_switch,
                            bits_a_step,
                            noise_log2,
                            ..default
                        };
                        // Numbers that do not go together are no candidate.
                        let Ok(set) = numbers.parameters() else { continue };
                        let candidate = Candidate::new(&set);
                        if base_log * levels <= 46 && candidate.log2_failure <= BOUNDS[0] {
                            found.push(candidate);
                        }
                    }
                }
            }
        }
    }
    found
}

/// Megabytes of the bootstrapping key in memory: every coefficient of its rows is a double.
fn key_megabytes(p: &Trial) -> f64 {
    let rows = p.steps() * ((1 << p.bits_a_step) - 1) * (p.tlwe.0 + 1) * p.gadget.1 as usize;
    (rows * (p.tlwe.0 + 1) * p.tlwe.1 * size_of::<f64>()) as f64 / 1e6
}

fn print_header(first: &str) {
    println!("| {first} | ms a gate | fails with | key, MB | k | N | l | log2 B | d | n | N' | key switch |");
    println!("|{}", "---|".repeat(12));
}

fn print_row(first: &str, candidate: &Candidate, costs: &Costs) {
    let p = &candidate.numbers;
    println!(
        "| {first} | {:.2} | 2^{:.0} | {:.0} | {} | {} | {} | {} | {} | {} | {} | {} levels of 2^{} |",
        costs.gate(p),
        candidate.log2_failure,
        key_megabytes(p),
        p.tlwe.0,
        p.tlwe.1,
        p.gadget.1,
        p.gadget.0,
        p.bits_a_step,
        p.lwe.0,
        p.lwe.1,
        p.key_switch.1,
        p.key_switch.0
    );
}

fn search() {
    let backend = chosen_backend();
    let mut candidates = candidates();
    let default = Candidate::new(&GATES_DEFAULT);
    let mut shapes: Vec<Shape> =
        candidates.iter().chain([&default]).map(|candidate| shape(&candidate.numbers)).collect();
    shapes.sort_unstable();
    shapes.dedup();
    eprintln!("{} candidates; timing {} shapes on {backend}", candidates.len(), shapes.len());
    let costs = Costs::measure(shapes.into_iter(), backend);
    // The fastest first; of equals the one that fails least.
    let order = |candidate: &Candidate| (costs.gate(&candidate.numbers), candidate.log2_failure);
    candidates.sort_by(|p, q| order(p).partial_cmp(&order(q)).expect("invariant: finite"));

    println!("Backend {backend}, one thread, batches. The fastest set for each failure bound:\n");
    print_header("bound");
    for bound in BOUNDS {
        if let Some(candidate) = candidates.iter().find(|candidate| candidate.log2_failure <= bound) {
            print_row(&format!("2^{bound}"), candidate, &costs);
        }
    }
    println!("\nThe frontier at 2^{BOUND}: no set is faster with a smaller key.\n");
    print_header("");
    let mut smallest = f64::INFINITY;
    for candidate in candidates.iter().filter(|candidate| candidate.log2_failure <= BOUND) {
        if key_megabytes(&candidate.numbers) < smallest {
            smallest = key_megabytes(&candidate.numbers);
            print_row("", candidate, &costs);
        }
    }
    println!("\nThe default:\n");
    print_header("");
    print_row("`GATES_DEFAULT`", &default, &costs);
}

fn main() {
    pool(1).install(search);
}
