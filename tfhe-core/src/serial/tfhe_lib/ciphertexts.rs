//! Ciphertexts: LWE samples one after another, with nothing before, between or after them.

use std::io::Read;

use super::noise::{self, HigherDigits, LibraryGate};
use super::source::Source;
use crate::ciphertext::list::CiphertextList;
use crate::ciphertext::wire::Ciphertext;
use crate::error::{Error, Result};
use crate::key_id::KeyId;
use crate::noise::fresh;
use crate::parameters::set::Parameters;
use crate::sample::lwe::LweCiphertext;
use crate::serial::fault::FileFault;
use crate::serial::native::body::MOST_CIPHERTEXTS;

const SAMPLE_UID: i32 = 42;

/// What made the ciphertexts of a file, which says how noisy they are: the variance in the file is informative
/// only, and after a gate of the library it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CiphertextOrigin {
    /// A client, by encryption.
    Encryption,
    /// A gate, the library's or ours; or one does not know. Of the library's MUX, which leaves more, the noise is
    /// understated: a gate on two such bits keeps 2^-121 at [`TFHE_LIB_V1_0_1`](crate::parameters::TFHE_LIB_V1_0_1)
    /// rather than the set's bound, 2^-137 at the other set.
    Gate,
}

impl CiphertextOrigin {
    fn variance(self, parameters: &Parameters) -> f64 {
        match self {
            Self::Encryption => fresh(parameters),
            Self::Gate => noise::bootstrapped(parameters, LibraryGate::OfTwo, HigherDigits::Multiples)
                .max(crate::noise::bootstrapped(parameters)),
        }
    }
}

/// Reads ciphertexts to the end of a file, as those of the key `key_id` of `parameters`.
///
/// # Errors
/// [`Error::Io`]; [`Error::BadFile`] that says at which byte what is wrong; [`Error::NotTfheLib`] for a set that
/// the library cannot have.
pub fn read_ciphertexts(
    reader: impl Read,
    parameters: &Parameters,
    key_id: KeyId,
    origin: CiphertextOrigin,
) -> Result<CiphertextList> {
    if !parameters.is_tfhe_lib() {
        return Err(Error::NotTfheLib { parameters: parameters.name });
    }
    let variance = origin.variance(parameters);
    let mut source = Source::new(reader);
    let mut ciphertexts = Vec::new();
    while !source.is_at_end()? {
        if ciphertexts.len() as u64 == MOST_CIPHERTEXTS {
            return Err(Error::bad_file(FileFault::Trailing { expected: source.at() }));
        }
        source.uid(SAMPLE_UID, "an LWE sample")?;
        let words = source.words(parameters.lwe_dimension + 1)?;
        source.informative_variance()?;
        ciphertexts.push(Ciphertext::new(LweCiphertext::from_words(words), variance, key_id));
    }
    CiphertextList::new(parameters, key_id, ciphertexts)
}

/// The bytes of a file of ciphertexts: 16 + 4 n each. The variance is what this crate knows of the noise.
///
/// # Errors
/// [`Error::NotTfheLib`] for ciphertexts of a set that the library cannot have.
pub fn ciphertexts_to_bytes(list: &CiphertextList) -> Result<Vec<u8>> {
    if !list.parameters().is_tfhe_lib() {
        return Err(Error::NotTfheLib { parameters: list.parameters().name });
    }
    let each = 16 + 4 * list.parameters().lwe_dimension;
    let mut bytes = Vec::with_capacity(list.ciphertexts().len() * each);
    for ciphertext in list.ciphertexts() {
        bytes.extend(SAMPLE_UID.to_le_bytes());
        bytes.extend(ciphertext.sample().words().iter().flat_map(|word| word.0.to_le_bytes()));
        bytes.extend(ciphertext.variance().to_le_bytes());
    }
    Ok(bytes)
}
