//! The server's side of the protocol.

use std::io::Read;

use tfhe_core::{
    ciphertext::CiphertextList,
    keys::KeyId,
    parameters::Parameters,
    serial::tfhe_lib::{self, CiphertextOrigin},
};

use super::{
    fault::{PaperFault, PaperFile},
    lengths::lengths,
};
use crate::{
    client::encrypted::{EncryptedImage, EncryptedScores, ImageContent},
    error::{Error, Result},
    model::network::Model,
};

/// Reads one of the client's two files, [`PaperFile::Signs`] or [`PaperFile::Magnitudes`], as one under the key `key_id` of
/// `parameters`.
///
/// # Errors
/// [`Error::Crypto`] for a source that cannot be read.
pub fn read_part(source: impl Read, parameters: &Parameters, key_id: KeyId) -> Result<CiphertextList> {
    Ok(tfhe_lib::read_ciphertexts(source, parameters, key_id, CiphertextOrigin::Encryption)?)
}

/// The picture for `model` whose signs and magnitudes these are.
///
/// # Errors
/// [`Error::NotThePapers`] for a model that reads something else; [`PaperFault::CiphertextCount`] for more or fewer
/// ciphertexts.
pub fn join_image(model: &Model, [signs, magnitudes]: [CiphertextList; 2]) -> Result<EncryptedImage> {
    let expected = lengths(model.interface())?;
    let mut ciphertexts = Vec::with_capacity(expected.iter().sum());
    let (parameters, key_id) = (*signs.parameters(), signs.key_id());
    let files = [(PaperFile::Signs, signs), (PaperFile::Magnitudes, magnitudes)];
    for ((file, list), expected) in files.into_iter().zip(expected) {
        let found = list.ciphertexts().len();
        if found != expected {
            return Err(Error::Paper { file, fault: PaperFault::CiphertextCount { found, expected } });
        }
        ciphertexts.extend_from_slice(list.ciphertexts());
    }
    let list = CiphertextList::new(&parameters, key_id, ciphertexts)?;
    Ok(EncryptedImage::new(ImageContent::Listed(list), model.digest()))
}

/// The bytes of the answer.
///
/// # Errors
/// [`Error::Crypto`] for scores of a parameter set that the library cannot have.
pub fn answer_to_bytes(scores: &EncryptedScores) -> Result<Vec<u8>> {
    Ok(tfhe_lib::ciphertexts_to_bytes(scores.list())?)
}
