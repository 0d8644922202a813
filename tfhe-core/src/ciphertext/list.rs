//! A list of ciphertexts of one key, such as a server's results.

use super::wire::Ciphertext;
use crate::error::Result;
use crate::key_id::KeyId;
use crate::parameters::set::Parameters;

/// Ciphertexts of one key and parameter set, such as a server's results.
#[derive(Clone, Debug, PartialEq)]
pub struct CiphertextList {
    parameters: Parameters,
    key_id: KeyId,
    ciphertexts: Vec<Ciphertext>,
}

impl CiphertextList {
    /// Lists `ciphertexts`, all of the key `key_id`.
    ///
    /// # Errors
    /// [`Error::OtherKey`](crate::Error::OtherKey) or [`Error::OtherDimension`](crate::Error::OtherDimension) for a
    /// ciphertext of another key.
    pub fn new(parameters: &Parameters, key_id: KeyId, ciphertexts: Vec<Ciphertext>) -> Result<Self> {
        ciphertexts.iter().try_for_each(|c| c.check(key_id, parameters.wire_dimension()))?;
        Ok(Self::from_parts(parameters, key_id, ciphertexts))
    }

    /// Ciphertexts that are known to be of one key.
    pub(crate) fn from_parts(parameters: &Parameters, key_id: KeyId, ciphertexts: Vec<Ciphertext>) -> Self {
        Self { parameters: *parameters, key_id, ciphertexts }
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Whose ciphertexts they are.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The ciphertexts, in order.
    pub fn ciphertexts(&self) -> &[Ciphertext] {
        &self.ciphertexts
    }
}
