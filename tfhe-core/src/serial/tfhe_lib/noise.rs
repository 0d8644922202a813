//! Noise in the library itself, by formula: what becomes of keys that are written for it, and of what it computed.
//!
//! The library cuts digits off where we round, so that they are not negative in the key switch and what is left of
//! the accumulator has a mean; it switches the modulus without centring. In the terms of [`crate::noise`], in
//! squared torus units:
//!
//! ```text
//! blind rotation   n [ (k+1) l N s_bk^2 (B^2+2)/12 + 1/2 (1+kN/2) B^(-2l)/12 + 1/2 (kN/2)^2/3 B^(-2l)/4 ]
//! key switch       kN t s_ks^2 M + (kN/2) B_k^(-2t)/12
//!                  M = (B_k-1)/B_k, or the mean of h^2, (B_k-1)(2B_k-1)/6, where the samples for h > 1 are multiples
//! modulus switch   (n/24 + 1/12) / (2N)^2
//! ```
//!
//! (Chillotti et al. 2020, theorems 4.2 and 4.8. The last term of the first line is of the mean B^-l/2 of what
//! cutting off leaves: an all-one polynomial times the key has coefficients that go evenly from -kN/2 to kN/2, and
//! which of them comes to the result is as good as random in each step; half of the key bits are set. The
//! transform's error is left out: below 2^-60.) A MUX adds two blind rotations before its one key switch. So the
//! library's gates of two inputs (a MUX is made of such) fail with a probability of at most
//!
//! | set | inputs of | fresh samples for h > 1 | multiples |
//! |---|---|---|---|
//! | `TFHE_LIB_V1_0_1` | gates of two inputs | 2^-281 | 2^-171 |
//! | | MUX | 2^-168 | 2^-121 |
//! | `TFHE_LIB_V1_1` | gates of two inputs | 2^-377 | 2^-160 |
//! | | MUX | 2^-268 | 2^-137 |
//!
//! ```
//! use tfhe_core::{parameters::TFHE_LIB_V1_1, serial::tfhe_lib::noise::{HigherDigits, LibraryGate, log2_failure}};
//! let failure = |digits| log2_failure(&TFHE_LIB_V1_1, LibraryGate::OfTwo, digits);
//! assert!(failure(HigherDigits::Fresh) < -376.0);
//! assert!(failure(HigherDigits::Multiples) > -161.0);
//! ```

use crate::noise::log2_failure as log2_tail;
use crate::parameters::set::Parameters;

/// What the samples of a key-switching key for the values h > 1 of a digit are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HigherDigits {
    /// Encryptions of their own, as the library makes them.
    Fresh,
    /// h times the sample for 1.
    Multiples,
}

/// A gate of the library, by the noise that it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibraryGate {
    /// One blind rotation: all that have two inputs.
    OfTwo,
    /// MUX: the sum of two.
    Mux,
}

/// Variance of what a gate of the library leaves.
pub fn bootstrapped(p: &Parameters, gate: LibraryGate, digits: HigherDigits) -> f64 {
    let rotations = match gate {
        LibraryGate::OfTwo => 1.0,
        LibraryGate::Mux => 2.0,
    };
    rotations * blind_rotation(p) + key_switch(p, digits)
}

fn blind_rotation(p: &Parameters) -> f64 {
    let (k, size, levels) = (p.tlwe_dimension as f64, p.polynomial_size as f64, f64::from(p.gadget.levels()));
    let base = libm::exp2(f64::from(p.gadget.base_log()));
    let key = libm::exp2(2.0 * p.tlwe_noise_log2);
    let half_norm = k * size / 2.0;
    let cut = libm::exp2(-2.0 * f64::from(p.gadget.base_log() * p.gadget.levels()));
    let products = (k + 1.0) * levels * size * key * (base * base + 2.0) / 12.0;
    let rounding = (1.0 + half_norm) * cut / 12.0 / 2.0;
    let mean = half_norm * half_norm / 3.0 * cut / 4.0 / 2.0;
    p.lwe_dimension as f64 * (products + rounding + mean)
}

fn key_switch(p: &Parameters, digits: HigherDigits) -> f64 {
    let base = libm::exp2(f64::from(p.key_switch_gadget.base_log()));
    let key = libm::exp2(2.0 * p.lwe_noise_log2);
    let weight = match digits {
        HigherDigits::Fresh => (base - 1.0) / base,
        HigherDigits::Multiples => (base - 1.0) * (2.0 * base - 1.0) / 6.0,
    };
    let large = p.large_dimension() as f64;
    large
        * (f64::from(p.key_switch_gadget.levels()) * key * weight
            + p.key_switch_gadget.rounding_variance() / 2.0)
}

/// log2 of the bound on the probability that a gate of two inputs, both of which `inputs` left, fails in the library.
pub fn log2_failure(p: &Parameters, inputs: LibraryGate, digits: HigherDigits) -> f64 {
    let modulus_switch =
        (p.lwe_dimension as f64 / 24.0 + 1.0 / 12.0) / (2.0 * p.polynomial_size as f64).powi(2);
    let input = bootstrapped(p, inputs, digits);
    // Sum of squared factors, and margin in eighths: most gates, XOR and XNOR.
    let worst = |(weight, margin)| log2_tail(margin / 8.0, weight * input + modulus_switch);
    [(2.0, 1.0), (8.0, 2.0)].map(worst).into_iter().fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{TFHE_LIB_V1_0_1, TFHE_LIB_V1_1};

    #[test]
    fn documented_figures_are_the_formulas() {
        for (set, gate, [fresh, multiples]) in [
            (&TFHE_LIB_V1_0_1, LibraryGate::OfTwo, [-281.0, -171.0]),
            (&TFHE_LIB_V1_0_1, LibraryGate::Mux, [-168.0, -121.0]),
            (&TFHE_LIB_V1_1, LibraryGate::OfTwo, [-377.0, -160.0]),
            (&TFHE_LIB_V1_1, LibraryGate::Mux, [-268.0, -137.0]),
        ] {
            for (digits, expected) in [(HigherDigits::Fresh, fresh), (HigherDigits::Multiples, multiples)] {
                let found = log2_failure(set, gate, digits);
                assert!((found - expected).abs() < 1.0, "{}, {gate:?}, {digits:?}: {found}", set.name);
            }
        }
    }
}
