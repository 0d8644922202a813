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
//! * **Identity.** Nothing in a file says whose it is. The [`KeyId`] of a key set is the first 16 bytes of the
//!   SHA-256 sum of the cloud key set, with which the secret key set begins, so that both agree. Ciphertexts take
//!   the identity of the key they are read with.
//! * **Masks** are stored, where ours are expanded from a seed; see [`CloudKeySet`].
//!
//! ```
//! use std::path::Path;
//! use tfhe_core::keys::{CloudKey, SecretKey};
//! use tfhe_core::parameters::TFHE_LIB_V1_1;
//! use tfhe_core::random::SecretSeed;
//! use tfhe_core::serial::tfhe_lib::{self, CiphertextOrigin, SecretKeySet};
//! let key = SecretKey::generate(&TFHE_LIB_V1_1, SecretSeed::from_os()?);
//! let cloud = CloudKey::generate(&key, SecretSeed::from_os()?);
//! // The same key, under the identity of the library's files.
//! let key = SecretKeySet::new(&key, &cloud)?.into_secret_key();
//! let bits = key.encrypt(&[true, false], SecretSeed::from_os()?).expand();
//!
//! let file = tfhe_lib::ciphertexts_to_bytes(&bits);
//! assert_eq!(file.len(), 2 * (16 + 4 * 630));
//! let path = Path::new("bits.data"); // named in errors only
//! let read = tfhe_lib::read_ciphertexts(&file[..], path, key.parameters(), key.id(), CiphertextOrigin::Encryption)?;
//! assert!(key.decrypt(&read.ciphertexts()[0])? && !key.decrypt(&read.ciphertexts()[1])?);
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::keys::{CloudKey, KeyId, SecretKey};

mod ciphertexts;
mod cloud_key;
pub mod noise;
mod parameter_set;
mod secret_key;
mod source;
#[cfg(test)]
mod tests;
mod text;

pub use ciphertexts::{
    CiphertextOrigin, ciphertexts_to_bytes, load_ciphertexts, read_ciphertexts, save_ciphertexts,
    stage_ciphertexts,
};
pub use cloud_key::CloudKeySet;
pub use parameter_set::ParameterSet;
pub use secret_key::SecretKeySet;

use source::Source;

/// What a file of the library begins with: a sample's type in binary, or a section of text.
const SAMPLE_START: [u8; 4] = 42i32.to_le_bytes();
const TEXT_START: [u8; 4] = *b"----";

/// What a file of the library seems to be, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A set of keys: text, then keys.
    KeySet,
    /// Ciphertexts, one after another.
    Ciphertexts,
}

/// What a file of the library seems to be; `None` where it begins as none does, and for a pipe, which can be read only once.
///
/// # Errors
/// [`Error::Io`] if it cannot be read.
pub fn recognise(path: &Path) -> Result<Option<Form>> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Ok(None);
    }
    let mut start = Vec::with_capacity(SAMPLE_START.len());
    let file = File::open(path).map_err(io)?;
    file.take(SAMPLE_START.len() as u64).read_to_end(&mut start).map_err(io)?;
    Ok(match start {
        start if start == SAMPLE_START => Some(Form::Ciphertexts),
        start if start == TEXT_START => Some(Form::KeySet),
        _ => None,
    })
}

/// A set of keys, as a file of the library has them.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // there is one at a time, beside megabytes of key
pub enum KeySet {
    /// For the client: both keys.
    Secret(SecretKeySet),
    /// For the server.
    Cloud(CloudKeySet),
}

impl KeySet {
    /// Reads a key set of either kind; `path` only names the source in errors.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::BadFile`] that says at which byte what is wrong.
    pub fn read(reader: impl Read, path: &Path) -> Result<Self> {
        let mut source = Source::new(reader, path);
        let cloud = CloudKeySet::read_part(&mut source)?;
        if source.is_at_end()? {
            return Ok(Self::Cloud(cloud));
        }
        let secret = SecretKeySet::read_rest(cloud, &mut source)?;
        source.finish()?;
        Ok(Self::Secret(secret))
    }

    /// Reads a key set of either kind from a file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn load(path: &Path) -> Result<Self> {
        // No buffer in between: it would keep a secret key's bytes.
        Self::read(super::open(path)?, path)
    }

    /// The cloud key set, which both kinds have.
    pub fn cloud(&self) -> &CloudKeySet {
        match self {
            Self::Secret(secret) => secret.cloud(),
            Self::Cloud(cloud) => cloud,
        }
    }

    /// The identity of the key.
    pub fn id(&self) -> KeyId {
        self.cloud().id()
    }
}

/// The secret key in a secret key set's file.
///
/// # Errors
/// As [`KeySet::read`]; [`Error::WrongKind`] for a cloud key set.
pub fn load_secret_key(path: &Path) -> Result<SecretKey> {
    match KeySet::load(path)? {
        KeySet::Secret(set) => Ok(set.into_secret_key()),
        KeySet::Cloud(_) => Err(Error::WrongKind {
            path: path.to_owned(),
            found: super::Kind::CloudKey,
            expected: super::Kind::SecretKey,
        }),
    }
}

/// The cloud key in a cloud key set's file.
///
/// # Errors
/// As [`KeySet::read`]; [`Error::WrongKind`] for a secret key set, which is not a server's to have.
pub fn load_cloud_key(path: &Path) -> Result<CloudKey> {
    match KeySet::load(path)? {
        KeySet::Cloud(set) => Ok(set.into_cloud_key()),
        KeySet::Secret(_) => Err(Error::WrongKind {
            path: path.to_owned(),
            found: super::Kind::SecretKey,
            expected: super::Kind::CloudKey,
        }),
    }
}
