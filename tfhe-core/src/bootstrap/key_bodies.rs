//! The client's part of a bootstrapping key: the bodies of its TGSW samples.

use std::ops::Range;

use crate::parallel;
use crate::parameters::set::Parameters;
use crate::random::Rows;
use crate::sample::lwe::{LweSecretKey, Small};
use crate::sample::tgsw;
use crate::sample::tlwe::TlweSecretKey;
use crate::torus::Torus;

/// The bodies of some of a bootstrapping key's TGSW samples on the torus `T`: (k+1) l polynomials each. A step has several
/// samples, and a sample is of 1 if the step's key bits have the sample's [pattern](Parameters::pattern), else of 0.
pub(crate) fn encrypt_bodies<T: Torus>(
    large: &TlweSecretKey,
    small: &LweSecretKey<Small>,
    parameters: &Parameters,
    rows: Rows<'_>,
    samples: Range<usize>,
) -> Vec<T> {
    let deviation = parameters.tlwe_noise();
    let count = parameters.step_samples();
    parallel::flat_map(samples.len(), |number| {
        let index = samples.start + number;
        if rows.control.is_cancelled() {
            return Vec::new();
        }
        let (step, pattern) = (index / count, parameters.pattern(index % count));
        let bits = &small.bits()[step * parameters.bits_a_step..][..parameters.bits_a_step];
        // The product of s_i or 1 - s_i, as the pattern says.
        let factor = |(i, &bit): (usize, &u32)| 1 ^ bit ^ (pattern >> i & 1) as u32;
        let message = bits.iter().enumerate().map(factor).product();
        let bodies =
            tgsw::encrypt_bodies(large, message, parameters.gadget, deviation, index, rows.masks, rows.seed);
        rows.control.advance(1);
        bodies
    })
}
