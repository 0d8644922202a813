//! A key-switching key, in either form.

use super::lwe::LweKeySwitchKey;
use super::ring::RingKeySwitchKey;
use crate::backend::choice::Backend;
use crate::error::Result;
use crate::keys::cloud::CloudKey;
use crate::sample::lwe::{Large, LweCiphertext, Small};
use crate::torus::Torus32;

/// A key-switching key, expanded for use.
pub(crate) struct KeySwitchKey {
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
    /// [`Error::BackendUnavailable`](crate::Error::BackendUnavailable) if the CPU lacks the backend;
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn expand(key: &CloudKey, backend: Backend) -> Result<Self> {
        let backend = backend.checked()?;
        let form = match key.parameters.lwe_polynomial_size {
            1 => Form::Lwe(LweKeySwitchKey::expand(key, backend)?),
            _ => Form::Ring(RingKeySwitchKey::expand(key, backend)?),
        };
        Ok(Self { form, input_dimension: key.parameters.large_dimension() })
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        match &self.form {
            Form::Lwe(key) => key.bytes(),
            Form::Ring(key) => key.bytes(),
        }
    }

    /// Switches every sample of `batch`, on this thread.
    ///
    /// # Panics
    /// If a sample has another dimension than the large key.
    pub(crate) fn switch(
        &self,
        batch: &[LweCiphertext<Torus32, Large>],
    ) -> Vec<LweCiphertext<Torus32, Small>> {
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
