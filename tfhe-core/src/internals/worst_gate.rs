//! The failure bound of a set's worst gate, which benchmarks report and searches of sets compare.

use crate::gate::{BinaryGate, Combination, log2_failure};
use crate::noise;
use crate::parameters::set::Parameters;

/// log2 of the failure bound of the set's worst gate, where all inputs are bootstrapped.
pub fn worst_log2_failure(parameters: &Parameters) -> f64 {
    let input = noise::bootstrapped(parameters);
    let binary = BinaryGate::ALL.iter().map(|&gate| Combination::of(gate));
    // The guard of a MUX is as noisy as any bootstrapped bit.
    let others = [Combination::MAJ, Combination::XOR3, Combination::MUX_GUARD, Combination::MUX_SUM];
    let failure = |combination: Combination| {
        let weight: i32 = combination.factors().iter().map(|factor| factor * factor).sum();
        log2_failure(parameters, combination.margin(), f64::from(weight) * input)
    };
    binary.chain(others).map(failure).fold(f64::NEG_INFINITY, f64::max)
}
