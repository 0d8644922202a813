//! The keys that vectors are made with: of each named set one of a fixed seed, made when it is first asked for.

use std::cell::OnceCell;

use crate::keys::cloud::CloudKey;
use crate::keys::secret::SecretKey;
use crate::parameters::Parameters;
use crate::random::SecretSeed;

/// Seed number of every secret key.
pub(super) const SECRET_KEY: u64 = 1;
/// Seed number of every cloud key.
pub(super) const CLOUD_KEY: u64 = 2;

/// The keys of the named sets.
pub(super) struct Keys {
    /// One for each of [`Parameters::ALL`].
    sets: Vec<SetKeys>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { sets: Parameters::ALL.iter().map(|_| SetKeys::default()).collect() }
    }
}

impl Keys {
    /// Each named set, with its keys.
    pub(super) fn sets(&self) -> impl Iterator<Item = (&'static Parameters, &SetKeys)> {
        Parameters::ALL.iter().copied().zip(&self.sets)
    }
}

/// The keys of one set.
#[derive(Default)]
pub(super) struct SetKeys {
    secret: OnceCell<SecretKey>,
    cloud: OnceCell<CloudKey>,
}

impl SetKeys {
    pub(super) fn secret(&self, set: &Parameters) -> &SecretKey {
        self.secret.get_or_init(|| SecretKey::generate(set, SecretSeed::deterministic_for_tests(SECRET_KEY)))
    }

    pub(super) fn cloud(&self, set: &Parameters) -> &CloudKey {
        let seed = SecretSeed::deterministic_for_tests(CLOUD_KEY);
        self.cloud.get_or_init(|| {
            CloudKey::generate(self.secret(set), seed).expect("there is memory for a cloud key")
        })
    }
}
