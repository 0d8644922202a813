//! An encoded picture.

use zeroize::Zeroizing;

/// The integers that the first layer reads, made of a picture by its model's [`InputEncoding`](crate::client::InputEncoding). Wiped on drop.
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
}
