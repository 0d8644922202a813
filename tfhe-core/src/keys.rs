//! The two keys of a user: the *secret key* of the client and the *cloud key* of the server.
//!
//! A secret key is the small LWE key and the large TLWE key. A cloud key is what a server needs to bootstrap without
//! learning anything: the bootstrapping key (TGSW samples of the small key's bits under the large key) and the
//! key-switching key (samples of the large key's bits under the small key), with masks expanded from a seed.
//!
//! Every secret key has a random 128-bit identity, which its cloud key and all its ciphertexts carry: what belongs to
//! another key is refused, even where the parameters agree.
//!
//! ```
//! use tfhe_core::{keys::{CloudKey, SecretKey}, parameters::GATES_DEFAULT, random::SecretSeed};
//! let secret = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?); // stays with the client
//! let cloud = CloudKey::generate(&secret, SecretSeed::from_os()?)?; // goes to the server
//! assert_eq!(cloud.id(), secret.id());
//! # Ok::<(), tfhe_core::Error>(())
//! ```

pub(crate) mod cloud;
pub(crate) mod generation;
pub(crate) mod masks;
pub(crate) mod secret;

pub use crate::key_id::KeyId;
pub use cloud::CloudKey;
pub use secret::SecretKey;
