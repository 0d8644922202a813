//! Samples, the ciphertexts of the scheme: LWE over numbers, TLWE over polynomials, and TGSW, matrices of TLWE samples.

#[cfg(any(test, feature = "internals"))]
pub(crate) mod external_product;
pub(crate) mod lwe;
#[cfg(any(test, feature = "internals"))]
mod textbook;
pub(crate) mod tgsw;
pub(crate) mod tlwe;
