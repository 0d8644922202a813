//! What the client makes of a picture before it encrypts: the numbers the first layer reads.
//!
//! The threshold encoding: `x_i = 1` where grey value `i` is at least the threshold, else 0. Values are in {0, 1}, not
//! {-1, +1}, because most pixels of a digit are black: with at most `max_active` ones, a neuron's sum is at most about
//! `max_active` and not the number of pixels, and an encrypted sum has so much more room against noise. The client
//! therefore enforces the limit.

mod binary;

pub use binary::BinaryImage;

use crate::{Error, Result, data::GreyImage};

/// How a model reads pictures: their size, and the threshold encoding's parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputEncoding {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) threshold: u8,
    pub(crate) max_active: usize,
}

impl InputEncoding {
    /// Width of the pictures, in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height of the pictures, in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Values of an encoded picture: one a pixel.
    pub fn value_count(&self) -> usize {
        self.width * self.height
    }

    /// Refuses a picture encoded for a model with another number of inputs.
    pub(crate) fn check_value_count(&self, found: usize) -> Result<()> {
        let expected = self.value_count();
        if found == expected { Ok(()) } else { Err(Error::InputLength { found, expected }) }
    }

    /// The smallest grey value that is encoded as 1.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The most ones a picture may have.
    pub fn max_active(&self) -> usize {
        self.max_active
    }

    /// Encodes a picture.
    ///
    /// # Errors
    /// [`Error::ImageSize`] where the picture is of another size, [`Error::TooManyActive`] where more than
    /// [`max_active`](Self::max_active) of its pixels reach the threshold.
    pub fn encode(&self, image: &GreyImage) -> Result<BinaryImage> {
        let (found, expected) = ((image.width(), image.height()), (self.width, self.height));
        if found != expected {
            return Err(Error::ImageSize { origin: image.origin().into(), found, expected });
        }
        let encoded = BinaryImage::threshold(image, self.threshold);
        let active = encoded.active();
        if active > self.max_active {
            return Err(Error::TooManyActive {
                origin: image.origin().into(),
                active,
                pixels: encoded.bits().len(),
                limit: self.max_active,
            });
        }
        Ok(encoded)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ENCODING: InputEncoding = InputEncoding { width: 3, height: 2, threshold: 100, max_active: 2 };

    fn image(width: usize, height: usize, pixels: &[u8]) -> GreyImage {
        GreyImage::new("digit.png".into(), width, height, pixels.into()).unwrap()
    }

    #[test]
    fn the_threshold_itself_is_set() {
        let encoded = ENCODING.encode(&image(3, 2, &[0, 99, 100, 0, 255, 1])).unwrap();
        assert_eq!(encoded.bits(), [false, false, true, false, true, false]);
        assert_eq!(encoded.active(), 2);
    }

    #[test]
    fn another_size_is_refused() {
        // The transposed size has as many pixels.
        assert_eq!(
            ENCODING.encode(&image(2, 3, &[0; 6])).unwrap_err().to_string(),
            "digit.png: the image is 2 x 3, this model reads 3 x 2"
        );
    }

    #[test]
    fn too_many_set_pixels_are_refused() {
        assert_eq!(
            ENCODING.encode(&image(3, 2, &[255, 255, 255, 0, 0, 0])).unwrap_err().to_string(),
            "digit.png: 3 of 6 pixels are set, this model accepts at most 2 \
             (digits are white on black: is the image inverted?)"
        );
    }
}
