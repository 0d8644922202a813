//! Measures the noise of bootstraps under every named set, and compares it with the formulas of
//! [`tfhe_core::noise`].
//!
//! ```text
//! cargo run --release -p benches --bin noise
//! cargo run --release -p benches --bin noise -- FUNCTIONAL_1024
//! ```
//!
//! A bootstrap has two noises: that of the phase which it looks up (key switch and modulus switch, with half a slot
//! either way), and that of what comes out. A staircase as the table tells them apart: slot j holds j steps mod 1, so
//! that the nearest step of a result tells the slot that was read, and its distance from the step is the result's
//! noise. Where a turn of the staircase is too short for the first noise, stairs are several slots wide. `TFHE_BACKEND`
//! chooses the backend. Keys are seeded: a run repeats.

use benches::{Keys, chosen_backend, seed};
use testkit::errors::Errors;
use tfhe_core::backend::Backend;
use tfhe_core::bootstrap::LookupTable;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::internals::worst_log2_failure;
use tfhe_core::noise;
use tfhe_core::parameters::Parameters;
use tfhe_core::torus::Torus32;

/// Keys of a set, each with its own noise.
const KEYS: u64 = 5;
/// Bootstraps a key.
const BOOTSTRAPS: usize = 4200;

/// A table row: deviation measured and by formula, ratio of the variances, mean in standard errors.
fn print(errors: &Errors, set: &str, what: &str, predicted: f64) {
    let (count, variance) = (errors.count(), errors.variance());
    println!(
        "| `{set}` | {what} | 2^{:.3} | 2^{:.3} | {:.3} ± {:.3} | {:+.1} | {count} |",
        variance.log2() / 2.0,
        predicted.log2() / 2.0,
        variance / predicted,
        2.0 * (2.0 / count).sqrt(),
        errors.standard_errors(count),
    );
}

fn measure(parameters: &Parameters, backend: Backend) {
    let slots = 2.0 * parameters.polynomial_size() as f64;
    // Steps in a turn, as many as leave 7.5 standard deviations between them. A result passes the middle between two
    // steps about once in 6000, which costs its variance less than a thousandth.
    let steps = (1.0 / (7.5 * noise::bootstrapped(parameters).sqrt())).log2().floor().exp2();
    // Slots in a stair, so that half a turn is six deviations of the phase; a stair is uniform noise as a slot is.
    let deviation = noise::decision(parameters, 0.0).sqrt() * slots;
    let width = (12.0 * deviation / steps).log2().ceil().max(0.0).exp2();
    let wide = (width * width - 1.0) / 12.0 / (slots * slots);
    let stair = |x: f64| (x * slots / width).floor();
    let staircase = LookupTable::from_function(parameters.polynomial_size(), |x| stair(x) / steps);
    let (mut decision, mut result) = (Errors::default(), Errors::default());
    for number in 0..KEYS {
        let keys = Keys::numbered(parameters, number);
        let evaluator = keys.evaluator(backend);
        let phase = |c: &Ciphertext| keys.secret.phase(c).expect("invariant: of this key").to_real();
        let bits = keys.secret.encrypt(&vec![true; BOOTSTRAPS], seed(100 + number)).expand();
        // Every bit is 1/8; the constants spread them over [-0.2, 0.2).
        let spread = bits.iter().enumerate().map(|(i, bit)| {
            let shift = 0.4 * i as f64 / BOOTSTRAPS as f64 - 0.325;
            Ciphertext::linear(Torus32::from_real(shift), [(1, bit)]).expect("invariant: one ciphertext")
        });
        let inputs: Vec<_> = spread.collect();
        let outputs = evaluator
            .bootstrap(&inputs, &vec![&staircase; BOOTSTRAPS])
            .expect("invariant: ciphertexts of the key, a table for each");
        for (input, output) in inputs.iter().zip(&outputs) {
            let step = (phase(output) * steps).round();
            result.extend([phase(output) - step / steps]);
            // From the phase to the middle of the stair that was read, in stairs, known up to a turn of the staircase.
            let distance = step + 0.5 - phase(input) * slots / width;
            decision.extend([(distance - (distance / steps).round() * steps) * width / slots]);
        }
    }
    print(&decision, parameters.name(), "looked-up phase", noise::decision(parameters, 0.0) + wide);
    print(&result, parameters.name(), "result of the blind rotation", noise::bootstrapped(parameters));
}

/// The named sets that the arguments name, or all of them.
fn sets() -> impl Iterator<Item = &'static Parameters> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let asked = move |p: &&Parameters| names.is_empty() || names.iter().any(|name| name == p.name());
    Parameters::ALL.iter().copied().filter(asked)
}

fn main() {
    let backend = chosen_backend();
    println!("backend {backend}, {KEYS} keys, {BOOTSTRAPS} bootstraps a key; deviations in torus units\n");
    println!(
        "| set | noise | measured | formula | variance, measured / formula | mean, standard errors | samples |"
    );
    println!("|---|---|---|---|---|---|---|");
    for parameters in sets() {
        measure(parameters, backend);
    }
    println!("\n| set | security, bits | worst gate fails with |\n|---|---|---|");
    for p in sets() {
        println!("| `{}` | {} | 2^{:.0} |", p.name(), p.security_bits(), worst_log2_failure(p));
    }
}
