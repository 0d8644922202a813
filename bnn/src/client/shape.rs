//! Shapes of the values between two layers.

/// The most channels of a picture that a model reads.
pub(crate) const MOST_CHANNELS: usize = 16;

/// Channels of pictures: `channels x height x width` values, in this order. A vector has height and width 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) channels: usize,
    /// Rows of each channel.
    pub(crate) height: usize,
    /// Columns of each channel.
    pub(crate) width: usize,
}

impl Shape {
    /// All values.
    pub(crate) fn values(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The place of a value.
    pub(crate) fn place(&self, channel: usize, row: usize, column: usize) -> usize {
        (channel * self.height + row) * self.width + column
    }
}

#[cfg(feature = "server")]
impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {} x {}", self.channels, self.height, self.width)
    }
}

#[cfg(feature = "server")]
impl Shape {
    /// The shape of a vector.
    pub(crate) fn vector(length: usize) -> Self {
        Self { channels: length, height: 1, width: 1 }
    }
}
