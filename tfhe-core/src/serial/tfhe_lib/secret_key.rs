//! A secret key set: a cloud key set, and the keys that it was made with.

use std::io::Read;

use zeroize::Zeroizing;

use super::cloud_key::CloudKeySet;
use super::source::Source;
use crate::error::{Result, check_key};
use crate::keys::cloud::CloudKey;
use crate::keys::secret::SecretKey;
use crate::random::SecretSeed;

const LWE_KEY_UID: i32 = 43;
const TGSW_KEY_UID: i32 = 169;

/// The keys of a client as the library has them.
#[derive(Debug)]
pub struct SecretKeySet {
    pub(super) cloud: CloudKeySet,
    secret: SecretKey,
}

impl SecretKeySet {
    /// The library's form of a secret key and its cloud key, whose samples for h > 1 are multiples
    /// ([`CloudKeySet::new`]): the file begins with the very bytes that a server makes of the cloud key, so that
    /// client and server convert each on their own and their keys have one identity.
    ///
    /// # Errors
    /// [`Error::OtherKey`](crate::Error::OtherKey) unless both are of one key; as [`CloudKeySet::new`].
    pub fn new(secret: &SecretKey, cloud: &CloudKey) -> Result<Self> {
        check_key(secret.id(), cloud.id())?;
        Self::adopted(CloudKeySet::new(cloud)?, secret)
    }

    /// The same with samples for h > 1 of their own, drawn from `seed`, as the library makes them: for keys that
    /// are made for it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_fresh_samples(secret: &SecretKey, cloud: &CloudKey, seed: SecretSeed) -> Result<Self> {
        Self::adopted(CloudKeySet::with_secret(cloud, secret, seed)?, secret)
    }

    fn adopted(cloud: CloudKeySet, secret: &SecretKey) -> Result<Self> {
        Ok(Self { secret: cloud.adopt(secret)?, cloud })
    }

    /// The cloud key set: the beginning of the file.
    pub fn cloud(&self) -> &CloudKeySet {
        &self.cloud
    }

    /// The secret key, under the identity of the set.
    pub fn secret_key(&self) -> &SecretKey {
        &self.secret
    }

    /// The secret key alone.
    pub fn into_secret_key(self) -> SecretKey {
        self.secret
    }

    /// What follows the cloud key set.
    pub(super) fn read_rest<R: Read>(cloud: CloudKeySet, source: &mut Source<R>) -> Result<Self> {
        let p = *cloud.parameters();
        source.uid(LWE_KEY_UID, "an LWE key")?;
        let small = source.secret_bits(p.lwe_dimension)?;
        source.uid(TGSW_KEY_UID, "a TGSW key")?;
        let large = source.secret_bits(p.large_dimension())?;
        let secret = SecretKey::from_bits(&p, cloud.id(), small.to_vec(), large.to_vec());
        Ok(Self { cloud, secret })
    }

    /// The bytes of the file, wiped on drop.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let keys = [(LWE_KEY_UID, self.secret.small().bits()), (TGSW_KEY_UID, self.secret.large().bits())];
        let len = self.cloud.file_len() + keys.iter().map(|(_, bits)| 4 + 4 * bits.len()).sum::<usize>();
        // Of its final size at once: a vector that grows would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(len));
        self.cloud.emit(|part| bytes.extend_from_slice(part));
        for (uid, bits) in keys {
            bytes.extend_from_slice(&uid.to_le_bytes());
            bits.iter().for_each(|bit| bytes.extend_from_slice(&bit.to_le_bytes()));
        }
        bytes
    }
}
