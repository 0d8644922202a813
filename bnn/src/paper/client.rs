//! The client's side of the protocol.

use std::io::Read;

use tfhe_core::{
    ciphertext::CiphertextList,
    random::SecretSeed,
    serial::tfhe_lib::{self, CiphertextOrigin},
};

use super::{
    fault::{PaperFault, PaperFile},
    lengths::lengths,
};
use crate::{
    client::{encoding::encoded::EncodedImage, encrypted::EncryptedScores, key_holder::Client},
    error::{Error, Result},
};

/// Encrypts an encoded picture, bit by bit. First the signs, then the magnitudes.
///
/// # Errors
/// [`Error::NotThePapers`] for a model that reads something else;
/// [`EncodingFault::Length`](crate::client::EncodingFault::Length) for a picture encoded for another model.
pub fn encrypt(client: &Client, image: &EncodedImage, seed: SecretSeed) -> Result<[CiphertextList; 2]> {
    let (model, key) = (client.model(), client.key());
    let [signs, _] = lengths(model)?;
    model.input.check_value_count(image.values().len())?;
    // An encoded picture's bits begin with the signs.
    let mut signs_and_rest = key.encrypt(&model.input.bits(image), seed).expand();
    let magnitudes = signs_and_rest.split_off(signs);
    let list = |ciphertexts| CiphertextList::new(key.parameters(), key.id(), ciphertexts);
    Ok([list(signs_and_rest)?, list(magnitudes)?])
}

/// Reads scores, as those of the client's model under its key.
///
/// The file does not say whose it is, but its bits do: under their key, phases are near 1/8 and -1/8.
///
/// # Errors
/// [`Error::Crypto`] for a source that cannot be read; [`PaperFault::Undecipherable`] for an answer of another key or a
/// damaged one: one of some hundred bits is taken for this key's with a probability of 4^-bits.
pub fn read_answer(client: &Client, source: impl Read) -> Result<EncryptedScores> {
    let key = client.key();
    let list = tfhe_lib::read_ciphertexts(source, key.parameters(), key.id(), CiphertextOrigin::Gate)?;
    let mut strays = 0_u32;
    for bit in list.ciphertexts() {
        // Zero where the phase is within 1/16 of 1/8 or of -1/8, a quarter of all phases. No branch on any one.
        let distance_from_zero = key.phase(bit)?.0.cast_signed().unsigned_abs();
        strays |= distance_from_zero.wrapping_sub(1 << 28) >> 29;
    }
    if strays != 0 {
        return Err(Error::Paper { file: PaperFile::Answer, fault: PaperFault::Undecipherable });
    }
    Ok(EncryptedScores::new(list, client.model().digest))
}
