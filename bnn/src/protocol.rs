//! The paper's protocol: what its client and server exchange, in files of the TFHE library.
//!
//! | file | from | ciphertexts |
//! |---|---|---|
//! | `secret_cloud.data` | client | the signs of the picture, row by row: 784 |
//! | `K_cloud.data` | client | the mean magnitudes K of the windows, row by row, in 20 bits each, least significant first: 576 x 20 |
//! | `answer.data` | server | the scores, in as many bits as the model's last layer gives (the paper's: 10 x 25), least significant first |
//!
//! beside the key sets `secret.key` and `cloud.key`. The files say nothing of model, picture or key: client and server
//! agree on them. An answer of another key is refused by what its bits decrypt to; one of another model, or to another
//! picture, is not. The network runs on the gate
//! engine. (Zhou, Li, Panaousis, Liang, "Deep binarized convolutional neural network inferences over encrypted
//! data", CSCloud 2020.)
//!
//! ```
//! use bnn::{data::GreyImage, model::Model, protocol};
//! use tfhe_core::{keys::SecretKey, parameters::TFHE_LIB_V1_0_1, random::SecretSeed};
//! // A model that reads what the paper's does.
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/binarized-cnn");
//! let model = Model::open(folder.as_ref())?;
//! let black = model.input().encode(&GreyImage::new("black".into(), 28, 28, vec![0; 28 * 28])?)?;
//! let key = SecretKey::generate(&TFHE_LIB_V1_0_1, SecretSeed::from_os()?);
//! let [signs, magnitudes] = protocol::encrypt(&model, &key, &black, SecretSeed::from_os()?)?;
//! assert_eq!((signs.ciphertexts().len(), magnitudes.ciphertexts().len()), (784, 576 * 20));
//! # Ok::<(), bnn::Error>(())
//! ```

use std::path::Path;

use tfhe_core::{
    keys::{KeyId, SecretKey},
    parameters::Parameters,
    random::SecretSeed,
    serial::{
        CiphertextList, Existing,
        tfhe_lib::{self, CiphertextOrigin},
    },
};

use crate::{
    Error, Result,
    encoding::{EncodedImage, PixelEncoding},
    encrypted::{EncryptedImage, EncryptedScores, ImageContent},
    model::Model,
};

/// The client's file of signs.
pub const SIGNS_FILE: &str = "secret_cloud.data";
/// The client's file of mean magnitudes.
pub const MAGNITUDES_FILE: &str = "K_cloud.data";
/// The server's file of scores.
pub const ANSWER_FILE: &str = "answer.data";

/// Bits of a mean magnitude.
const MAGNITUDE_BITS: u32 = 20;

/// The client's part before: encrypts an encoded picture, bit by bit. First the signs, then the magnitudes.
///
/// # Errors
/// [`Error::NotThePapers`] for a model that reads something else; [`Error::InputLength`] for a picture encoded for
/// another model.
pub fn encrypt(
    model: &Model,
    key: &SecretKey,
    image: &EncodedImage,
    seed: SecretSeed,
) -> Result<[CiphertextList; 2]> {
    let [signs, _] = lengths(model)?;
    model.input().check_value_count(image.values().len())?;
    // An encoded picture's bits begin with the signs.
    let mut signs_and_rest = key.encrypt(&image.bits(model.input()), seed).expand();
    let magnitudes = signs_and_rest.split_off(signs);
    let list = |ciphertexts| CiphertextList::new(key.parameters(), key.id(), ciphertexts);
    Ok([list(signs_and_rest)?, list(magnitudes)?])
}

/// The server's part before: reads a picture from the files of its signs and magnitudes, as one for `model` under
/// the key `key_id` of `parameters`.
///
/// # Errors
/// [`Error::NotThePapers`] for a model that reads something else; [`Error::CiphertextCount`] for a file of more or
/// fewer ciphertexts; [`Error::Crypto`] for one that cannot be read.
pub fn load_image(
    model: &Model,
    files: [&Path; 2],
    parameters: &Parameters,
    key_id: KeyId,
) -> Result<EncryptedImage> {
    let mut ciphertexts = Vec::new();
    for (path, expected) in files.into_iter().zip(lengths(model)?) {
        let list = tfhe_lib::load_ciphertexts(path, parameters, key_id, CiphertextOrigin::Encryption)?;
        let found = list.ciphertexts().len();
        if found != expected {
            return Err(Error::CiphertextCount { path: path.into(), found, expected });
        }
        ciphertexts.extend_from_slice(list.ciphertexts());
    }
    let list = CiphertextList::new(parameters, key_id, ciphertexts)?;
    Ok(EncryptedImage::new(ImageContent::Listed(list), model.digest()))
}

/// The server's part after: writes the scores.
///
/// # Errors
/// [`Error::Crypto`] where the file cannot be written, or is there and `existing` refuses to replace it.
pub fn save_answer(scores: &EncryptedScores, path: &Path, existing: Existing) -> Result<()> {
    Ok(tfhe_lib::save_ciphertexts(scores.list(), path, existing)?)
}

/// The client's part after: reads scores, as those of `model` under `key`.
///
/// The file does not say whose it is, but its bits do: under their key, phases are near 1/8 and -1/8.
///
/// # Errors
/// [`Error::Crypto`] for a file that cannot be read; [`Error::Undecipherable`] for one that is of another key or
/// damaged: one of some hundred bits is taken for this key's with a probability of 4^-bits.
pub fn load_answer(model: &Model, path: &Path, key: &SecretKey) -> Result<EncryptedScores> {
    let list = tfhe_lib::load_ciphertexts(path, key.parameters(), key.id(), CiphertextOrigin::Gate)?;
    let mut strays = 0_u32;
    for bit in list.ciphertexts() {
        // Zero where the phase is within 1/16 of 1/8 or of -1/8, a quarter of all phases. No branch on any one.
        let distance_from_zero = key.phase(bit)?.0.cast_signed().unsigned_abs();
        strays |= distance_from_zero.wrapping_sub(1 << 28) >> 29;
    }
    if strays != 0 {
        return Err(Error::Undecipherable { path: path.into() });
    }
    Ok(EncryptedScores::new(list, model.digest()))
}

/// How many signs a picture has, and how many bits of magnitudes.
fn lengths(model: &Model) -> Result<[usize; 2]> {
    let input = model.input();
    match input.pixels() {
        PixelEncoding::SignAndScale { bits: MAGNITUDE_BITS, .. } => {
            let signs = input.width() * input.height();
            Ok([signs, input.bit_count() - signs])
        }
        pixels => Err(Error::NotThePapers { name: model.name().into(), encoding: pixels.name() }),
    }
}
