//! Ciphertexts as they travel between gates: an LWE sample, the bound of its noise, and whose it is.
//!
//! ```
//! use tfhe_core::{ciphertext::Ciphertext, keys::SecretKey, parameters::GATES_DEFAULT, random::SecretSeed, torus::Torus32};
//! let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
//! let bits = key.encrypt(&[true, false, true], SecretSeed::from_os()?).expand();
//! // 1/8 + 1/8 + 1/8 without a bootstrap: only the noise grows.
//! let sum = Ciphertext::linear(Torus32::default(), [(1, &bits[0]), (-1, &bits[1]), (1, &bits[2])])?;
//! assert!(key.decrypt(&sum)?);
//! assert!(sum.variance() > bits[0].variance());
//! # Ok::<(), tfhe_core::Error>(())
//! ```

pub(crate) mod list;
pub(crate) mod packed;
pub(crate) mod seeded;
pub(crate) mod shared_noise;
pub(crate) mod wire;

pub use list::CiphertextList;
pub use packed::PackedCiphertext;
pub use seeded::SeededCiphertexts;
pub use wire::Ciphertext;
