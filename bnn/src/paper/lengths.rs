//! How many ciphertexts the client's two files have.

use crate::{
    client::{encoding::input::PixelEncoding, interface::Interface},
    error::{Error, Result},
};

/// Bits of a mean magnitude.
const MAGNITUDE_BITS: u32 = 20;

/// How many signs a picture has, and how many bits of magnitudes.
///
/// # Errors
/// [`Error::NotThePapers`] for a model that reads something else.
pub(super) fn lengths(model: &Interface) -> Result<[usize; 2]> {
    let input = &model.input;
    match input.pixels() {
        PixelEncoding::SignAndScale { bits: MAGNITUDE_BITS, .. } => {
            let signs = input.width() * input.height();
            Ok([signs, input.bit_count() - signs])
        }
        pixels => Err(Error::NotThePapers { name: model.name.clone(), encoding: pixels.name() }),
    }
}
