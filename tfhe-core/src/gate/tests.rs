//! What the formulas promise for the gates of every named set.

use crate::internals::worst_log2_failure;
use crate::noise::{blind_rotation, decision, key_switch, modulus_switch};
use crate::parameters::set::{Parameters, SmallKey};
use crate::parameters::{FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_DEFAULT};

/// What the lattice estimator says (docs/runs/lattice-estimator.txt): dimension, log2 of the modulus and of the noise in
/// torus units, and log2 of the cheapest attack's operations.
const ESTIMATES: [(usize, u32, f64, f64); 10] = [
    (640, 32, -13.778, 128.25),
    (1536, 48, -36.8, 128.66),
    (672, 32, -13.81, 134.00),
    (768, 32, -17.06, 128.31),
    (2048, 64, -49.9, 129.17),
    (832, 32, -18.71, 128.38),
    (630, 32, -15.0, 118.25),
    (1024, 32, -25.0, 122.19),
    (500, 32, -15.3227, 93.71),
    (1024, 32, -27.0534, 113.86),
];

#[test]
fn named_sets_keep_their_promises() {
    for p in Parameters::ALL {
        let worst = worst_log2_failure(p);
        assert!(worst <= p.log2_failure, "{}: 2^{worst} is above 2^{}", p.name, p.log2_failure);
        let bits = |dimension: usize, log2_q: u32, log2_sigma: f64| {
            let estimate = ESTIMATES.iter().find(|estimate| {
                (estimate.0, estimate.1) == (dimension, log2_q) && (estimate.2 - log2_sigma).abs() < 1e-3
            });
            estimate.expect("a key that was estimated").3
        };
        let small = bits(p.lwe_dimension, 32, p.lwe_noise_log2);
        let large = bits(p.large_dimension(), p.accumulator.bits(), p.tlwe_noise_log2);
        // The estimator knows no key of blocks: as a binary one it has 134 bits, and is said to have 128.
        let known = p.small_key == SmallKey::Binary;
        let least = if known { small.min(large) } else { 128.0_f64.min(small).min(large) };
        assert_eq!(f64::from(p.security_bits), least.round(), "{}", p.name);
        assert!(p.security_bits < 128 || least >= 128.0, "{}", p.name);
    }
}

#[test]
fn documented_figures_are_the_formulas() {
    let log2_sigma = |variance: f64| libm::log2(variance) / 2.0;
    let close = |variance, expected: f64| (log2_sigma(variance) - expected).abs() < 0.05;
    assert!(close(blind_rotation(&GATES_DEFAULT), -9.46));
    assert!(close(key_switch(&GATES_DEFAULT), -7.41));
    assert!(close(modulus_switch(&GATES_DEFAULT), -8.13));
    assert!(close(blind_rotation(&FUNCTIONAL_2048), -14.2));
    assert!(close(decision(&FUNCTIONAL_2048, 0.0), -9.85));
    assert!(close(blind_rotation(&FUNCTIONAL_1024), -14.4));
    assert!(close(decision(&FUNCTIONAL_1024, 0.0), -8.85));
    assert!((worst_log2_failure(&GATES_DEFAULT) + 211.6).abs() < 0.1);
}
