//! The client's part of a key-switching key: the bodies of its samples.

use super::{lwe, ring};
use crate::parameters::set::Parameters;
use crate::random::Rows;
use crate::sample::lwe::{Large, LweSecretKey, Small};
use crate::torus::Torus32;

/// The bodies of the key's rows; the masks and noise come from `rows`.
pub(crate) fn encrypt_bodies(
    large: &LweSecretKey<Large>,
    small: &LweSecretKey<Small>,
    parameters: &Parameters,
    rows: Rows<'_>,
) -> Vec<Torus32> {
    match parameters.lwe_polynomial_size {
        1 => lwe::encrypt_bodies(large, small, parameters, rows),
        _ => ring::encrypt_bodies(large, small, parameters, rows),
    }
}

/// Rows of the key, polynomials or bits of the large key by levels.
pub(crate) fn rows(parameters: &Parameters) -> usize {
    parameters.large_dimension() / parameters.lwe_polynomial_size
}
