//! The named parameter sets.
//!
//! A set fixes the two keys (small LWE key of n bits; large TLWE key of k polynomials of N bits), their noise, both
//! decompositions, the width of the accumulator's torus and the order of key switch and bootstrap. Ciphertexts between
//! gates and the key-switching key are on [`Torus32`](crate::torus::Torus32).
//!
//! Security figures are those of the public lattice estimator (default cost model, binary secrets, the cheapest attack;
//! docs/runs/lattice-estimator.txt); near 128.4 bits and for q = 2^32 they are on the line log2(sigma) = 2.67 - 0.0257 n.
//! The noise is never below 4/q. Failure probabilities are
//! those of [`noise`](crate::noise), for one bootstrap of the worst gate; a test checks that they keep the sets' bounds.
//! docs/parameters.md and docs/security.md have the derivation.
//!
//! ```
//! use tfhe_core::parameters::Parameters;
//! let set = Parameters::named("GATES_DEFAULT").unwrap();
//! assert_eq!((set.security_bits(), set.lwe_dimension(), set.large_dimension()), (128, 640, 1536));
//! assert!(Parameters::ALL.iter().all(|set| set.log2_failure() <= -128.0));
//! ```

pub(crate) mod named;
pub(crate) mod set;

pub use named::{
    FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_BLOCK_BINARY, GATES_DEFAULT, TFHE_LIB_V1_0_1, TFHE_LIB_V1_1,
};
pub use set::Parameters;
