//! A picture of zeros and ones.

use crate::data::GreyImage;

/// A picture of zeros and ones, which [`InputEncoding::encode`](super::InputEncoding::encode) makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinaryImage {
    bits: Vec<bool>,
}

impl BinaryImage {
    /// One where the grey value is at least `threshold`.
    pub(crate) fn threshold(image: &GreyImage, threshold: u8) -> Self {
        Self { bits: image.pixels().iter().map(|&grey| grey >= threshold).collect() }
    }

    /// The pixels, row-major, as many as the model has inputs.
    pub fn bits(&self) -> &[bool] {
        &self.bits
    }

    /// The number of ones.
    pub fn active(&self) -> usize {
        self.bits.iter().filter(|&&bit| bit).count()
    }
}
