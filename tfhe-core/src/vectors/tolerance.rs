//! How far a backend's result may be from the exact one.
//!
//! A word of an external product is a sum of (k+1) l N products of a digit with a uniform torus element (variance 1/12).
//! Double precision leaves on it an error of variance
//!
//! ```text
//! V = (k+1) N c^2 u^2 D/12      u = 2^-53, c = 5.7, D the sum over the levels of a digit's variance
//! ```
//!
//! the `fft` term of [`noise`](crate::noise) without the factor 1 + kN/2, with which a decrypted phase would see it. A step of
//! blind rotation has r products and multiplies each by X^e - 1, hence 2 r V. The tolerances are 8 standard deviations,
//! which a right backend exceeds once in 10^15 words.
//!
//! Over a whole rotation words cannot be compared. A word that lies within the error of the border of two digits is rounded
//! to the one or to the other, which adds a row of the key to the accumulator or does not, and from there on all words
//! differ; that happens in every other step of `GATES_DEFAULT`. Both results are right: their phases differ by two
//! independent draws of the noise that the scheme has anyway, so the tolerance is 8 sqrt(2 V) for the variance V of
//! [`noise::bootstrapped`]. That every step of it is right word by word, from the words that the backend itself had before it,
//! is the vector `blind-rotations`.

use crate::noise;
use crate::parameters::Parameters;

/// Standard deviations of a tolerance.
const DEVIATIONS: f64 = 8.0;

/// Of the words of an external product, in units of 2^-64.
pub(super) fn external_product(set: &Parameters) -> u64 {
    units(noise::transform_error(set))
}

/// Of an accumulator's words after one step.
pub(super) fn step(set: &Parameters) -> u64 {
    units(2.0 * set.step_samples() as f64 * noise::transform_error(set))
}

/// Of an accumulator's words after `steps` steps in which no digit was near a border.
pub(super) fn steps(set: &Parameters, steps: usize) -> u64 {
    units(2.0 * (steps * set.step_samples()) as f64 * noise::transform_error(set))
}

/// Of the phase of a ciphertext that was bootstrapped.
pub(super) fn bootstrap(set: &Parameters) -> u64 {
    units(2.0 * noise::bootstrapped(set))
}

/// [`DEVIATIONS`] of a variance in squared torus units, in units of 2^-64.
fn units(variance: f64) -> u64 {
    libm::ceil(libm::scalbn(DEVIATIONS * libm::sqrt(variance), 64)) as u64
}
