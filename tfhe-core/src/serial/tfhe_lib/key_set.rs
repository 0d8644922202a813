//! A set of keys of either kind.

use std::io::Read;

use super::cloud_key::CloudKeySet;
use super::secret_key::SecretKeySet;
use super::source::Source;
use crate::error::{Error, Result};
use crate::key_id::KeyId;
use crate::keys::cloud::CloudKey;
use crate::keys::secret::SecretKey;
use crate::serial::kind::Kind;

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
    /// Reads a key set of either kind. Nothing is buffered: a buffer would keep a secret key's bytes.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::BadFile`] that says at which byte what is wrong.
    pub fn read(reader: impl Read) -> Result<Self> {
        let mut source = Source::new(reader);
        let cloud = CloudKeySet::read_part(&mut source)?;
        if source.is_at_end()? {
            return Ok(Self::Cloud(cloud));
        }
        let secret = SecretKeySet::read_rest(cloud, &mut source)?;
        source.finish()?;
        Ok(Self::Secret(secret))
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

    /// The secret key.
    ///
    /// # Errors
    /// [`Error::WrongKind`] for a cloud key set.
    pub fn into_secret_key(self) -> Result<SecretKey> {
        match self {
            Self::Secret(set) => Ok(set.into_secret_key()),
            Self::Cloud(_) => Err(Error::WrongKind { found: Kind::CloudKey, expected: Kind::SecretKey }),
        }
    }

    /// The cloud key.
    ///
    /// # Errors
    /// [`Error::WrongKind`] for a secret key set, which is not a server's to have.
    pub fn into_cloud_key(self) -> Result<CloudKey> {
        match self {
            Self::Cloud(set) => Ok(set.into_cloud_key()),
            Self::Secret(_) => Err(Error::WrongKind { found: Kind::SecretKey, expected: Kind::CloudKey }),
        }
    }
}
