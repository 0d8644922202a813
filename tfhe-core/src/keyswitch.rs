//! Key switching: an LWE sample under the large key becomes one of the same message under the small key.
//!
//! A set says whether its small key is unstructured or made of polynomials, which makes the key smaller by the size of the
//! polynomials and the switch some ten times faster.
//!
//! ```
//! use tfhe_core::{backend::Backend, keys::{CloudKey, SecretKey}, keyswitch::KeySwitchKey, lwe::LweCiphertext};
//! use tfhe_core::{parameters::GATES_DEFAULT, random::SecretSeed, torus::{Torus, Torus32}};
//! let secret = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
//! let cloud = CloudKey::generate(&secret, SecretSeed::from_os()?);
//! let key = KeySwitchKey::expand(&cloud, Backend::select()?)?;
//! // A trivial sample, whose mask is zero, stays one of the same message, under fewer bits.
//! let message = Torus32::from_real(0.125);
//! let large = LweCiphertext::trivial(GATES_DEFAULT.large_dimension(), message);
//! let small = &key.switch(&[large])[0];
//! assert_eq!((small.dimension(), small.body()), (GATES_DEFAULT.lwe_dimension, message));
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use crate::backend::Backend;
use crate::error::Result;
use crate::keys::CloudKey;
use crate::lwe::{Large, LweCiphertext, LweSecretKey, Small};
use crate::parameters::Parameters;
use crate::random::{MaskSeed, SecretSeed};
use crate::torus::Torus32;

mod lwe;
mod ring;

use lwe::LweKeySwitchKey;
use ring::RingKeySwitchKey;

/// The bodies of the key's rows; the masks come from `masks`.
pub(crate) fn encrypt_bodies(
    large: &LweSecretKey<Large>,
    small: &LweSecretKey<Small>,
    parameters: &Parameters,
    seed: &SecretSeed,
    masks: MaskSeed,
) -> Vec<Torus32> {
    match parameters.lwe_polynomial_size {
        1 => lwe::encrypt_bodies(large, small, parameters, seed, masks),
        _ => ring::encrypt_bodies(large, small, parameters, seed, masks),
    }
}

/// A key-switching key, expanded for use.
pub struct KeySwitchKey {
    form: Form,
    input_dimension: usize,
}

enum Form {
    Lwe(LweKeySwitchKey),
    Ring(RingKeySwitchKey),
}

impl std::fmt::Debug for KeySwitchKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeySwitchKey {{ bytes: {}, .. }}", self.bytes())
    }
}

impl KeySwitchKey {
    /// Expands the masks, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`](crate::Error::BackendUnavailable) if the CPU lacks the backend.
    pub fn expand(key: &CloudKey, backend: Backend) -> Result<Self> {
        let backend = backend.checked()?;
        let form = match key.parameters.lwe_polynomial_size {
            1 => Form::Lwe(LweKeySwitchKey::expand(key, backend)),
            _ => Form::Ring(RingKeySwitchKey::expand(key, backend)?),
        };
        Ok(Self { form, input_dimension: key.parameters.large_dimension() })
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        match &self.form {
            Form::Lwe(key) => key.bytes(),
            Form::Ring(key) => key.bytes(),
        }
    }

    /// Switches every sample of `batch`, on this thread.
    ///
    /// # Panics
    /// If a sample has another dimension than the large key.
    pub fn switch(&self, batch: &[LweCiphertext<Torus32, Large>]) -> Vec<LweCiphertext<Torus32, Small>> {
        let fits = |sample: &LweCiphertext<_, _>| sample.dimension() == self.input_dimension;
        assert!(batch.iter().all(fits), "an LWE sample of another dimension");
        if batch.is_empty() {
            return Vec::new();
        }
        match &self.form {
            Form::Lwe(key) => key.switch(batch),
            Form::Ring(key) => key.switch(batch),
        }
    }
}
