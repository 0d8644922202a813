//! An encoded picture.

use zeroize::Zeroizing;

use super::InputEncoding;

/// The integers that the first layer reads, which [`InputEncoding::encode`] makes of a picture. Wiped on drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedImage {
    values: Zeroizing<Vec<i64>>,
}

impl EncodedImage {
    pub(super) fn new(values: Vec<i64>) -> Self {
        Self { values: Zeroizing::new(values) }
    }

    /// The integers, in the order of the encoding.
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    /// The bits of the integers, least significant first, each in as many bits as it is sent in.
    pub fn bits(&self, encoding: &InputEncoding) -> Zeroizing<Vec<bool>> {
        let mut bits = Zeroizing::new(Vec::with_capacity(encoding.bit_count()));
        let mut values = self.values.iter();
        for range in encoding.ranges() {
            for &value in values.by_ref().take(range.count) {
                bits.extend((0..range.bits).map(|bit| value >> bit & 1 == 1));
            }
        }
        bits
    }
}
