//! The cloud key, which the server has: it computes and cannot decrypt.

use std::fmt;

use super::masks::Masks;
use crate::key_id::KeyId;
use crate::parameters::set::Parameters;
use crate::torus::Torus32;
use crate::torus_words::TorusWords;

/// What the server holds, as it is stored and sent: bodies, and the seed of their masks; where a key comes from a file of
/// the [TFHE library](crate::serial::tfhe_lib), the masks themselves. To be used it is expanded by
/// [`Evaluator::new`](crate::evaluator::Evaluator::new).
#[derive(Clone, PartialEq)]
pub struct CloudKey {
    pub(crate) parameters: Parameters,
    pub(crate) id: KeyId,
    pub(crate) masks: Masks,
    pub(crate) bootstrap: TorusWords,
    pub(crate) key_switch: Vec<Torus32>,
}

impl fmt::Debug for CloudKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloudKey {{ parameters: {}, id: {}, .. }}", self.parameters.name, self.id)
    }
}

impl CloudKey {
    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The identity of the secret key it was made for.
    pub fn id(&self) -> KeyId {
        self.id
    }
}
