//! Keys and ciphertexts as bytes, and back. docs/formats.md defines the format.
//!
//! A file has a header of 100 bytes (magic, version, kind, key id, context, parameter set, length of the body), the
//! body, and a SHA-256 checksum of both; integers are little-endian. The checksum finds accidents; it authenticates
//! nothing. The *context* is 32 bytes that belong to the application: this crate stores and returns them.
//!
//! A reader trusts nothing: it bounds the length by what the parameter set allows before it allocates, and allocates no
//! more than the source has bytes. Paths are the caller's business: an error says what is wrong at which byte, and
//! whoever opened the file adds its name.
//!
//! ```
//! use tfhe_core::{Error, ciphertext::SeededCiphertexts, keys::SecretKey, parameters::GATES_DEFAULT};
//! use tfhe_core::{random::SecretSeed, serial::{Frame, Kind, NO_CONTEXT, from_bytes, to_bytes}};
//! let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
//! let mut file = to_bytes(&key.encrypt(&[true], SecretSeed::from_os()?), NO_CONTEXT)?;
//! let bit = from_bytes::<SeededCiphertexts>(&file)?;
//! assert_eq!(bit.header.key_id, key.id());
//! assert!(key.decrypt(&bit.content.expand()[0])?);
//! // What a file is can be asked before it is decoded.
//! assert_eq!(Frame::read(&file[..])?.header().kind, Kind::SeededCiphertexts);
//! file[120] ^= 1;
//! assert!(matches!(from_bytes::<SeededCiphertexts>(&file), Err(Error::BadFile { .. })));
//! # Ok::<(), tfhe_core::Error>(())
//! ```

pub(crate) mod fault;
pub(crate) mod kind;
mod native;
pub mod tfhe_lib;

pub use fault::FileFault;
pub use kind::Kind;
pub use native::cloud_key_pieces::CloudKeyPieces;
pub use native::frame::{FileContent, Frame, Stored, cloud_key_bytes, from_bytes, to_bytes};
pub use native::header::{Context, Header, NO_CONTEXT};
