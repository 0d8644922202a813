//! Why a picture cannot be encoded for a model, and why an encoding is none.

use crate::{client::shape::MOST_CHANNELS, range::OutOfRange};

/// What does not fit between a picture and a model.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EncodingFault {
    /// The picture has not the size that the model reads.
    #[error("the picture is {} x {}, this model reads {} x {}", found.0, found.1, expected.0, expected.1)]
    Size {
        /// Width and height of the picture, in pixels.
        found: (usize, usize),
        /// Width and height that the model reads, in pixels.
        expected: (usize, usize),
    },

    /// The picture has not the channels that the model reads.
    #[error("the picture has {}, this model reads {expected}", channels(*found))]
    Channels {
        /// Channels of the picture.
        found: usize,
        /// Channels that the model reads.
        expected: usize,
    },

    /// The picture has more set pixels than the model accepts.
    #[error(
        "{active} of {pixels} pixels are set, this model accepts at most {limit} \
         (digits are white on black: is the image inverted?)"
    )]
    TooManyActive {
        /// The number of set pixels.
        active: usize,
        /// The number of all pixels.
        pixels: usize,
        /// The most set pixels that the model accepts.
        limit: usize,
    },

    /// The picture's windows have a larger mean magnitude than the model accepts.
    #[error(
        "a window's mean magnitude is {found:.2} standard deviations, this model accepts at most {limit:.2}"
    )]
    TooMuchContrast {
        /// The window's mean magnitude.
        found: f64,
        /// The largest that the model accepts.
        limit: f64,
    },

    /// An encoded picture was given to a model with another number of inputs.
    #[error("the encoded image has {found} values, this model reads {expected}")]
    Length {
        /// The number of values in the encoded picture.
        found: usize,
        /// The number of inputs of the model's first layer.
        expected: usize,
    },
}

/// So many channels, in words.
fn channels(count: usize) -> String {
    if count == 1 { "1 channel".into() } else { format!("{count} channels") }
}

/// Why the encoding that a file states is none.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputFault {
    /// A number is out of range.
    #[error(transparent)]
    Range(#[from] OutOfRange),

    /// The encoding reads one channel, and another number of them is stated.
    #[error(
        "`channels` is {found}, and pictures are encoded as {encoding:?} of 1 channel only (as \"grey\" of 1 to {MOST_CHANNELS})"
    )]
    Channels {
        /// The channels that are stated.
        found: usize,
        /// The name of the encoding.
        encoding: &'static str,
    },
}
