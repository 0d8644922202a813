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
use std::hint::black_box;
use std::time::Instant;

use benches::{Keys, pool};
use tfhe_core::backend::Backend;
use tfhe_core::bootstrap::{BootstrapKey, LookupTable};
use tfhe_core::gadget::Gadget;
use tfhe_core::gate::worst_log2_failure;
use tfhe_core::keyswitch::KeySwitchKey;
use tfhe_core::lwe::LweCiphertext;
use tfhe_core::parameters::{FUNCTIONAL_2048, GATES_DEFAULT, Parameters};
use tfhe_core::torus::Torus32;

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

fn shape(p: &Parameters) -> Shape {
    (p.tlwe_dimension, p.polynomial_size, p.gadget.levels, p.bits_a_step)
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
            [&GATES_DEFAULT, &FUNCTIONAL_2048].map(|p| (units(p), time_key_switch(p, backend)));
        let (((a, b), x), ((c, d), y)) = (first, second);
        let determinant = a * d - b * c;
        Self { steps, key_switch: ((x * d - b * y) / determinant, (a * y - c * x) / determinant) }
    }

    /// Milliseconds a gate in batches.
    fn gate(&self, p: &Parameters) -> f64 {
        let (transforms, products) = units(p);
        let key_switch = self.key_switch.0 * transforms + self.key_switch.1 * products;
        self.steps[&shape(p)] * p.steps() as f64 + key_switch
    }
}

/// How many of either cost a key switch has.
fn units(p: &Parameters) -> (f64, f64) {
    let coefficients = p.key_switch_bodies() as f64;
    let columns = (p.lwe_dimension / p.lwe_polynomial_size + 1) as f64;
    (coefficients * (p.lwe_polynomial_size as f64).log2(), coefficients * columns)
}

fn time_step((k, size, levels, bits): Shape, backend: Backend) -> f64 {
    let mut p = GATES_DEFAULT;
    (p.lwe_dimension, p.lwe_polynomial_size) = (TIMED_BITS, 1);
    (p.tlwe_dimension, p.polynomial_size, p.bits_a_step) = (k, size, bits);
    // Time does not depend on the base.
    p.gadget = Gadget { base_log: 24 / levels, levels };
    p.key_switch_gadget = Gadget { base_log: 1, levels: 1 };
    let bootstrap =
        BootstrapKey::expand(&Keys::new(&p).cloud, backend).expect("invariant: an available backend");
    let batch = bootstrap.batch_size();
    let table = LookupTable::sign(size, Torus32(1 << 29));
    let samples = vec![LweCiphertext::trivial(TIMED_BITS, Torus32(1 << 29)); batch];
    let run = || {
        black_box(bootstrap.bootstrap(&samples, &vec![&table; batch], 1));
    };
    median_time(run) / (p.steps() * batch) as f64
}

fn time_key_switch(p: &Parameters, backend: Backend) -> f64 {
    const BATCH: usize = 16;
    let key = KeySwitchKey::expand(&Keys::new(p).cloud, backend).expect("invariant: an available backend");
    let samples = vec![LweCiphertext::trivial(p.large_dimension(), Torus32(1 << 29)); BATCH];
    let run = || {
        black_box(key.switch(&samples));
    };
    median_time(run) / BATCH as f64
}

/// Every set that the engine can run and that is worth a look.
fn candidates() -> Vec<Parameters> {
    let mut found = Vec::new();
    for (k, size) in [(1, 1024), (2, 512), (3, 512), (3, 256), (2, 1024), (1, 2048)] {
        for (levels, bits) in (1..=4).flat_map(|levels| [1, 2, 3].map(|bits| (levels, bits))) {
            for (ring, n) in
                [64, 128].into_iter().flat_map(|ring| (512..=960).step_by(ring).map(move |n| (ring, n)))
            {
                if n % bits != 0 {
                    continue;
                }
                for base_log in 5..=24 {
                    for (key_base_log, key_levels) in
                        [(1, 10), (1, 11), (1, 12), (1, 13), (2, 5), (2, 6), (3, 4), (4, 3)]
                    {
                        let mut p = GATES_DEFAULT;
                        p.name = "candidate";
                        (p.lwe_dimension, p.lwe_polynomial_size) = (n, ring);
                        (p.tlwe_dimension, p.polynomial_size, p.bits_a_step) = (k, size, bits);
                        p.gadget = Gadget { base_log, levels };
                        p.key_switch_gadget = Gadget { base_log: key_base_log, levels: key_levels };
                        p.lwe_noise_log2 = smallest_noise(n, 32);
                        p.tlwe_noise_log2 = smallest_noise(p.large_dimension(), TORUS_BITS);
                        if base_log * levels <= 46 && worst_log2_failure(&p) <= BOUNDS[0] {
                            found.push(p);
                        }
                    }
                }
            }
        }
    }
    found
}

/// Megabytes of the bootstrapping key in memory: every coefficient of its rows is a double.
fn key_megabytes(p: &Parameters) -> f64 {
    (p.bootstrap_bodies() * (p.tlwe_dimension + 1) * size_of::<f64>()) as f64 / 1e6
}

fn print_header(first: &str) {
    println!("| {first} | ms a gate | fails with | key, MB | k | N | l | log2 B | d | n | N' | key switch |");
    println!("|{}", "---|".repeat(12));
}

fn print_row(first: &str, p: &Parameters, costs: &Costs) {
    println!(
        "| {first} | {:.2} | 2^{:.0} | {:.0} | {} | {} | {} | {} | {} | {} | {} | {} levels of 2^{} |",
        costs.gate(p),
        worst_log2_failure(p),
        key_megabytes(p),
        p.tlwe_dimension,
        p.polynomial_size,
        p.gadget.levels,
        p.gadget.base_log,
        p.bits_a_step,
        p.lwe_dimension,
        p.lwe_polynomial_size,
        p.key_switch_gadget.levels,
        p.key_switch_gadget.base_log
    );
}

fn search() {
    let backend = Backend::select().expect("TFHE_BACKEND names a backend that this CPU has");
    let mut candidates = candidates();
    let mut shapes: Vec<Shape> = candidates.iter().chain([&GATES_DEFAULT]).map(shape).collect();
    shapes.sort_unstable();
    shapes.dedup();
    eprintln!("{} candidates; timing {} shapes on {backend}", candidates.len(), shapes.len());
    let costs = Costs::measure(shapes.into_iter(), backend);
    // The fastest first; of equals the one that fails least.
    let order = |p: &Parameters| (costs.gate(p), worst_log2_failure(p));
    candidates.sort_by(|p, q| order(p).partial_cmp(&order(q)).expect("invariant: finite"));

    println!("Backend {backend}, one thread, batches. The fastest set for each failure bound:\n");
    print_header("bound");
    for bound in BOUNDS {
        if let Some(p) = candidates.iter().find(|p| worst_log2_failure(p) <= bound) {
            print_row(&format!("2^{bound}"), p, &costs);
        }
    }
    println!("\nThe frontier at 2^{BOUND}: no set is faster with a smaller key.\n");
    print_header("");
    let mut smallest = f64::INFINITY;
    for p in candidates.iter().filter(|p| worst_log2_failure(p) <= BOUND) {
        if key_megabytes(p) < smallest {
            smallest = key_megabytes(p);
            print_row("", p, &costs);
        }
    }
    println!("\nThe default:\n");
    print_header("");
    print_row("`GATES_DEFAULT`", &GATES_DEFAULT, &costs);
}

fn main() {
    pool(1).install(search);
}
