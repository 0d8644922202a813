//! Noise: variances of every operation and probability of failure, by formula.
//!
//! Variances are in squared torus units. With B and l the base and levels of the accumulator's decomposition, B_k and
//! t those of the key switch, D and D_k the sums over the levels of a digit's variance
//! (`Gadget::digits_variance`; (B^2+2)/12 for one level), d the key bits of a
//! step, r its TGSW samples (2^d - 1, or d for a block-binary key), and a binary large key:
//!
//! ```text
//! blind rotation   n/d * 2 [ r ((k+1) N s_bk^2 D + fft) + r/(r+1) (1+kN/2) B^(-2l)/12 ]
//!                  fft = (1+kN/2) (k+1) N c^2 u^2 D/12,    u = 2^-53, c = 5.7
//! key switch       kN s_ks^2 D_k + (kN/2) B_k^(-2t)/12
//! modulus switch   (n/48 + 1/12) / (2N)^2       centred
//! ```
//!
//! (Chillotti et al. 2020, theorems 4.2 and 4.8 in the average case. A step adds r external products, each times X^e - 1,
//! which doubles a variance; what rounding the digits leaves counts in the one whose message is 1, and with one of r + 1
//! equally likely cases there is none. In the key switch half of the key bits are set, which halves the rounding term. A floating-point error in a mask polynomial
//! is multiplied by the key, hence the factor 1 + kN/2 of `fft`. The centred modulus switch subtracts the known mean of
//! the rounding errors.) `cargo run --release -p benches --bin noise` measures them all. A decision with margin m whose
//! phase has variance V fails with probability at most erfc(m / sqrt(2 V)).
//!
//! ```
//! use tfhe_core::{noise, parameters::GATES_DEFAULT};
//! // A majority of three bits that were bootstrapped, with a margin of 1/8.
//! let phase = noise::decision(&GATES_DEFAULT, 3.0 * noise::bootstrapped(&GATES_DEFAULT));
//! assert!(noise::log2_failure(1.0 / 8.0, phase) < -128.0);
//! ```

use crate::parameters::set::{Order, Parameters};

/// Relative error of one double-precision operation, 2^-53.
const UNIT_ROUNDOFF: f64 = 1.0 / 9_007_199_254_740_992.0;
/// Growth c of the rounding error through a transform, the multiplications and a transform back: 5.3 (AVX2) and 5.7
/// (AVX-512) are what `benches`' program `noise` finds for `FUNCTIONAL_2048`, where this term is the largest.
const TRANSFORM_GROWTH: f64 = 5.7;

/// Variance that an external product adds where the TGSW sample is of 0.
pub(crate) fn external_product(p: &Parameters) -> f64 {
    let key = p.tlwe_noise().to_real();
    let products = (p.tlwe_dimension as f64 + 1.0) * p.polynomial_size as f64;
    products * key * key * p.gadget.digits_variance() + fft(p)
}

/// The part of it that double precision makes, at most: some transforms round less.
pub(crate) fn fft(p: &Parameters) -> f64 {
    transform_error(p) * secret_norm(p)
}

/// What rounding the digits adds beside, where the TGSW sample is of 1.
pub(crate) fn decomposition(p: &Parameters) -> f64 {
    secret_norm(p) * p.gadget.rounding_variance()
}

/// 1 + kN/2, how a variance in all coefficients of a TLWE sample grows to that of its phase.
fn secret_norm(p: &Parameters) -> f64 {
    1.0 + p.large_dimension() as f64 / 2.0
}

/// Variance that a blind rotation leaves on its result, whatever its input's.
pub(crate) fn blind_rotation(p: &Parameters) -> f64 {
    let samples = p.step_samples() as f64;
    let rounding = samples / (samples + 1.0) * decomposition(p);
    p.steps() as f64 * 2.0 * (samples * external_product(p) + rounding)
}

/// Variance that double precision leaves on a word of an external product.
pub(crate) fn transform_error(p: &Parameters) -> f64 {
    let products = (p.tlwe_dimension as f64 + 1.0) * p.polynomial_size as f64;
    (TRANSFORM_GROWTH * UNIT_ROUNDOFF).powi(2) * products * p.gadget.digits_variance() / 12.0
}

/// Variance that a key switch adds.
pub(crate) fn key_switch(p: &Parameters) -> f64 {
    let key = p.lwe_noise().to_real();
    let gadget = p.key_switch_gadget;
    p.large_dimension() as f64 * (key * key * gadget.digits_variance() + gadget.rounding_variance() / 2.0)
}

/// Variance that the centred modulus switch to 2N adds.
pub(crate) fn modulus_switch(p: &Parameters) -> f64 {
    (p.lwe_dimension as f64 / 48.0 + 1.0 / 12.0) / (2.0 * p.polynomial_size as f64).powi(2)
}

/// Variance of a fresh ciphertext.
pub fn fresh(p: &Parameters) -> f64 {
    p.fresh_noise().to_real().powi(2)
}

/// Variance of a bootstrapped ciphertext, as the next gate meets it.
pub fn bootstrapped(p: &Parameters) -> f64 {
    // Rounding a 64-bit result to the 32-bit torus of ciphertexts, once a coefficient.
    let rounding = secret_norm(p) * libm::exp2(-64.0) / 12.0;
    match p.order {
        Order::KeySwitchFirst => blind_rotation(p) + rounding,
        Order::BootstrapFirst => blind_rotation(p) + rounding + key_switch(p),
    }
}

/// Variance of the phase that a blind rotation looks up, for an input of variance `input`.
pub fn decision(p: &Parameters, input: f64) -> f64 {
    match p.order {
        Order::KeySwitchFirst => input + key_switch(p) + modulus_switch(p),
        Order::BootstrapFirst => input + modulus_switch(p),
    }
}

/// log2 of the bound on the probability that a Gaussian of variance `variance` passes `margin` in magnitude.
pub fn log2_failure(margin: f64, variance: f64) -> f64 {
    let x = margin / libm::sqrt(2.0 * variance);
    if x < 20.0 {
        libm::log2(libm::erfc(x))
    } else {
        // erfc(x) < exp(-x^2) / (x sqrt(pi)), and the double underflows soon.
        -x * x * std::f64::consts::LOG2_E - libm::log2(x * libm::sqrt(std::f64::consts::PI))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_bound_is_continuous_and_right() {
        assert!((log2_failure(0.0, 1.0)).abs() < 1e-12);
        // P(|x| > 1.96 sigma) = 5 %.
        assert!((log2_failure(1.959_964, 1.0) - 0.05f64.log2()).abs() < 1e-4);
        let at = 20.0 * std::f64::consts::SQRT_2;
        assert!((log2_failure(at * 0.999_999, 1.0) - log2_failure(at, 1.0)).abs() < 0.01);
        assert!(log2_failure(1.0, 1e-6) < -1e5);
    }
}
