//! Ciphertexts: LWE samples one after another, with nothing before, between or after them.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::noise::{self, HigherDigits, LibraryGate};
use super::source::Source;
use crate::ciphertext::Ciphertext;
use crate::error::{Error, Result};
use crate::keys::KeyId;
use crate::lwe::LweCiphertext;
use crate::noise::fresh;
use crate::parameters::Parameters;
use crate::serial::content::MOST_CIPHERTEXTS;
use crate::serial::{CiphertextList, Existing, FileFault, Secrecy, Staged};

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

/// Reads ciphertexts to the end of a file, as those of the key `key_id` of `parameters`; `path` only names the
/// source in errors.
///
/// # Errors
/// [`Error::Io`]; [`Error::BadFile`] that says at which byte what is wrong; [`Error::NotTfheLib`] for a set that
/// the library cannot have.
pub fn read_ciphertexts(
    reader: impl Read,
    path: &Path,
    parameters: &Parameters,
    key_id: KeyId,
    origin: CiphertextOrigin,
) -> Result<CiphertextList> {
    if !parameters.is_tfhe_lib() {
        return Err(Error::NotTfheLib { parameters: parameters.name });
    }
    let variance = origin.variance(parameters);
    let mut source = Source::new(reader, path);
    let mut ciphertexts = Vec::new();
    while !source.is_at_end()? {
        if ciphertexts.len() as u64 == MOST_CIPHERTEXTS {
            return Err(source.fault(FileFault::Trailing { expected: source.at() }));
        }
        source.uid(SAMPLE_UID, "an LWE sample")?;
        let words = source.words(parameters.lwe_dimension + 1)?;
        source.informative_variance()?;
        ciphertexts.push(Ciphertext::new(LweCiphertext::from_words(words), variance, key_id));
    }
    CiphertextList::new(parameters, key_id, ciphertexts)
}

/// Reads the ciphertexts in a file.
///
/// # Errors
/// As [`read_ciphertexts`].
pub fn load_ciphertexts(
    path: &Path,
    parameters: &Parameters,
    key_id: KeyId,
    origin: CiphertextOrigin,
) -> Result<CiphertextList> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    read_ciphertexts(BufReader::new(file), path, parameters, key_id, origin)
}

/// The bytes of a file of ciphertexts: 16 + 4 n each. The variance is what this crate knows of the noise.
pub fn ciphertexts_to_bytes(ciphertexts: &[Ciphertext]) -> Vec<u8> {
    let each = |ciphertext: &Ciphertext| 16 + 4 * ciphertext.sample().dimension();
    let mut bytes = Vec::with_capacity(ciphertexts.iter().map(each).sum());
    for ciphertext in ciphertexts {
        bytes.extend(SAMPLE_UID.to_le_bytes());
        bytes.extend(ciphertext.sample().words().iter().flat_map(|word| word.0.to_le_bytes()));
        bytes.extend(ciphertext.variance().to_le_bytes());
    }
    bytes
}

/// Writes ciphertexts to a file: whole, or not at all.
///
/// # Errors
/// [`Error::NotTfheLib`] for ciphertexts of a set that the library cannot have; [`Error::Exists`] if the file is
/// there and may not be replaced; [`Error::Io`] if it cannot be written.
pub fn save_ciphertexts(list: &CiphertextList, path: &Path, existing: Existing) -> Result<()> {
    stage_ciphertexts(list, path, existing)?.commit()
}

/// Writes ciphertexts as [`save_ciphertexts`] does, all but giving the file its name.
///
/// # Errors
/// As [`save_ciphertexts`].
pub fn stage_ciphertexts(list: &CiphertextList, path: &Path, existing: Existing) -> Result<Staged> {
    if !list.parameters().is_tfhe_lib() {
        return Err(Error::NotTfheLib { parameters: list.parameters().name });
    }
    Staged::new(&ciphertexts_to_bytes(list.ciphertexts()), path, existing, Secrecy::Everyone)
}
