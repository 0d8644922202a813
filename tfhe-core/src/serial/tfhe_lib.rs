//! Files of the TFHE library (version 1.1, and what 1.0 wrote), both ways: parameter sets, secret and cloud key
//! sets, and ciphertexts. docs/formats.md says how they are laid out and what a conversion loses.
//!
//! Such a file has no magic, length or checksum: sections of text give the parameters, from which the lengths of
//! the binary parts follow, each with a number for its type (the library's *uid*). So a reader takes nothing for
//! granted: declared parameters are bounded, lengths follow from them, memory grows with what the file really has,
//! key bits are 0 or 1, and nothing may follow the end. What damage it cannot see, since nothing is checked by a
//! sum, makes a wrong key or ciphertext.
//!
//! * **Parameters** are those of the named sets [`TFHE_LIB_V1_0_1`](crate::parameters::TFHE_LIB_V1_0_1) and
//!   [`TFHE_LIB_V1_1`](crate::parameters::TFHE_LIB_V1_1) where they agree, else a set of their own that is good
//!   for work in memory and has no native file. Noise is taken from the variances beside the keys; the text has 8
//!   decimals only.
//! * **Identity.** Nothing in a file says whose it is. The [`KeyId`](crate::keys::KeyId) of a key set is the first 16 bytes of the
//!   SHA-256 sum of the cloud key set, with which the secret key set begins, so that both agree. Ciphertexts take
//!   the identity of the key they are read with.
//! * **Masks** are stored, where ours are expanded from a seed; see [`CloudKeySet`].
//!
//! ```
//! use tfhe_core::ciphertext::CiphertextList;
//! use tfhe_core::keys::{CloudKey, SecretKey};
//! use tfhe_core::parameters::TFHE_LIB_V1_1;
//! use tfhe_core::random::SecretSeed;
//! use tfhe_core::serial::tfhe_lib::{self, CiphertextOrigin, SecretKeySet};
//! let key = SecretKey::generate(&TFHE_LIB_V1_1, SecretSeed::from_os()?);
//! let cloud = CloudKey::generate(&key, SecretSeed::from_os()?)?;
//! // The same key, under the identity of the library's files.
//! let key = SecretKeySet::new(&key, &cloud)?.into_secret_key();
//! let bits = key.encrypt(&[true, false], SecretSeed::from_os()?).expand();
//!
//! let bits = CiphertextList::new(key.parameters(), key.id(), bits)?;
//! let file = tfhe_lib::ciphertexts_to_bytes(&bits)?;
//! assert_eq!(file.len(), 2 * (16 + 4 * 630));
//! let read = tfhe_lib::read_ciphertexts(&file[..], key.parameters(), key.id(), CiphertextOrigin::Encryption)?;
//! assert!(key.decrypt(&read.ciphertexts()[0])? && !key.decrypt(&read.ciphertexts()[1])?);
//! # Ok::<(), tfhe_core::Error>(())
//! ```

mod ciphertexts;
mod cloud_key;
mod form;
mod key_set;
pub mod noise;
mod parameter_set;
mod secret_key;
mod source;
#[cfg(test)]
mod tests;
mod text;

pub use ciphertexts::{CiphertextOrigin, ciphertexts_to_bytes, read_ciphertexts};
pub use cloud_key::CloudKeySet;
pub use form::{Form, START_BYTES, recognise};
pub use key_set::KeySet;
pub use parameter_set::ParameterSet;
pub use secret_key::SecretKeySet;
