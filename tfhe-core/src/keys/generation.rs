//! How keys are made: drawn by the client, each from a seed of its own.

use std::ops::Range;

use super::cloud::CloudKey;
use super::masks::Masks;
use super::secret::SecretKey;
use crate::bootstrap::key_bodies::encrypt_bodies as bootstrap_bodies;
use crate::control::Control;
use crate::error::Result;
use crate::key_id::KeyId;
use crate::keyswitch::key_bodies::{encrypt_bodies as key_switch_bodies, rows as key_switch_rows};
use crate::memory;
use crate::parameters::set::{Parameters, SmallKey};
use crate::random::{Purpose, Rows, SecretSeed};
use crate::serial::cloud_key_bytes;
use crate::torus::Torus;
use crate::torus_words::{MakeWords, TorusWords};

impl SecretKey {
    /// Draws a key for a parameter set.
    ///
    /// ```
    /// use tfhe_core::keys::SecretKey;
    /// use tfhe_core::parameters::GATES_DEFAULT;
    /// use tfhe_core::random::SecretSeed;
    /// let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
    /// let bits = key.encrypt(&[true, false], SecretSeed::from_os()?).expand();
    /// assert!(key.decrypt(&bits[0])? && !key.decrypt(&bits[1])?);
    /// # Ok::<(), tfhe_core::Error>(())
    /// ```
    pub fn generate(parameters: &Parameters, seed: SecretSeed) -> Self {
        let small = match parameters.small_key {
            SmallKey::Binary => seed.secret_bits(Purpose::SmallKey, parameters.lwe_dimension),
            SmallKey::BlockBinary => {
                seed.secret_blocks(Purpose::SmallKey, parameters.lwe_dimension, parameters.bits_a_step)
            }
        };
        let large = seed.secret_bits(Purpose::LargeKey, parameters.large_dimension());
        let id = KeyId(seed.public_bytes(Purpose::Identity));
        Self::from_bits(parameters, id, small.to_vec(), large.to_vec())
    }
}

impl CloudKey {
    /// Makes the cloud key of a secret key, on all threads: the same bytes from the same seed, on every machine.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn generate(secret: &SecretKey, seed: SecretSeed) -> Result<Self> {
        Self::generate_with(secret, seed, &Control::default())
    }

    /// [`generate`](Self::generate), with progress in [rows](Self::rows) and cancellation.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled); [`Error::Memory`](crate::Error::Memory).
    pub fn generate_with(secret: &SecretKey, seed: SecretSeed, control: &Control) -> Result<Self> {
        let p = *secret.parameters();
        let masks = seed.mask_seed();
        let rows = Rows { seed: &seed, masks, control };
        // The threads' pieces, and the whole that is made of them.
        memory::check(2 * cloud_key_bytes(&p))?;
        let bootstrap = bootstrap_words(secret, rows, 0..p.tgsw_samples());
        let key_switch = key_switch_bodies(&secret.large().extracted(), secret.small(), &p, rows);
        control.check()?;
        Ok(Self { parameters: p, id: secret.id(), masks: Masks::Seeded(masks), bootstrap, key_switch })
    }

    /// Rows of a cloud key of this set, in which its making tells its progress.
    pub fn rows(parameters: &Parameters) -> usize {
        parameters.tgsw_samples() + key_switch_rows(parameters)
    }
}

/// The bodies of some of the bootstrapping key's TGSW samples, on the torus that the set asks for.
pub(crate) fn bootstrap_words(secret: &SecretKey, rows: Rows<'_>, samples: Range<usize>) -> TorusWords {
    let Ok(words) = secret.parameters().accumulator.make(BootstrapRows { secret, rows, samples });
    words
}

struct BootstrapRows<'a> {
    secret: &'a SecretKey,
    rows: Rows<'a>,
    samples: Range<usize>,
}

impl MakeWords for BootstrapRows<'_> {
    type Error = std::convert::Infallible;

    fn make<T: Torus>(self) -> std::result::Result<Vec<T>, Self::Error> {
        let Self { secret, rows, samples } = self;
        Ok(bootstrap_bodies(secret.large(), secret.small(), secret.parameters(), rows, samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::parameters::{GATES_DEFAULT, TFHE_LIB_V1_1};

    #[test]
    fn bits_survive_encryption_in_both_orders() {
        for parameters in [&GATES_DEFAULT, &TFHE_LIB_V1_1] {
            let key = SecretKey::generate(parameters, SecretSeed::deterministic_for_tests(1));
            let bits: Vec<bool> = (0..50).map(|i| i % 3 == 0).collect();
            let ciphertexts = key.encrypt(&bits, SecretSeed::deterministic_for_tests(2)).expand();
            let decrypted: Vec<bool> = ciphertexts.iter().map(|c| key.decrypt(c).unwrap()).collect();
            assert_eq!(decrypted, bits);
        }
    }

    #[test]
    fn another_key_is_refused_even_with_equal_parameters() {
        let key = |seed| SecretKey::generate(&GATES_DEFAULT, SecretSeed::deterministic_for_tests(seed));
        let bit = &key(1).encrypt(&[true], SecretSeed::deterministic_for_tests(2)).expand()[0];
        assert!(matches!(key(3).decrypt(bit), Err(Error::OtherKey { .. })));
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::deterministic_for_tests(1));
        let id = key.id();
        assert_eq!(format!("{key:?}"), format!("SecretKey {{ parameters: GATES_DEFAULT, id: {id}, .. }}"));
    }

    #[test]
    fn the_same_seed_gives_the_same_cloud_key_on_any_number_of_threads() {
        let secret = SecretKey::generate(&GATES_DEFAULT, SecretSeed::deterministic_for_tests(1));
        let generate = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| CloudKey::generate(&secret, SecretSeed::deterministic_for_tests(2)).unwrap())
        };
        assert!(generate(1) == generate(3));
    }

    /// Progress counts every row once, and a cancelled key is none.
    #[test]
    fn key_generation_tells_its_progress_and_can_be_cancelled() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};
        for parameters in [&GATES_DEFAULT, &TFHE_LIB_V1_1] {
            let secret = SecretKey::generate(parameters, SecretSeed::deterministic_for_tests(1));
            let seed = || SecretSeed::deterministic_for_tests(2);
            let done = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&done);
            let control = Control::with_progress(move |rows| {
                count.fetch_add(rows, Ordering::Relaxed);
            });
            let key = CloudKey::generate_with(&secret, seed(), &control).unwrap();
            assert_eq!(done.load(Ordering::Relaxed), CloudKey::rows(parameters));
            assert!(key == CloudKey::generate(&secret, seed()).unwrap());

            let cancelled = Control::default();
            cancelled.clone().cancel();
            assert!(matches!(CloudKey::generate_with(&secret, seed(), &cancelled), Err(Error::Cancelled)));
        }
    }
}
