//! A scale a channel: `floor(s x / 2^shift)`, with s of the channel and not negative.
//!
//! It is what remains of a batch normalisation whose offset became a bias of the layer before, and of weights with a scale a filter.

use std::sync::Arc;

/// Scales of channels.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    pub(crate) name: Arc<str>,
    /// One a channel, not negative, so that a maximum may be taken before or after.
    pub(crate) scales: Arc<[i32]>,
    /// Bits that a product loses, rounding down.
    pub(crate) shift: u32,
}

impl Scale {
    /// What becomes of a value of a channel.
    pub(crate) fn scaled(&self, channel: usize, value: i64) -> i64 {
        (value * i64::from(self.scales[channel])) >> self.shift
    }
}
