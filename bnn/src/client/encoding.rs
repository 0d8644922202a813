//! What the client makes of a picture before it encrypts: the integers the first layer reads.
//!
//! * *threshold*: `x = 1` where the grey value is at least the threshold, else 0. Values are in {0, 1}, not {-1, +1},
//!   because most pixels of a digit are black: with at most `max_active` ones, a neuron's sum is at most about
//!   `max_active` and not the number of pixels, and an encrypted sum has so much more room against noise.
//! * *grey*: the grey value's upper bits. Of a picture of several channels, those of each channel's values.
//! * *sign and scale*: the paper's. With z = (x - mean) / sqrt(variance + 10^-5) over the one picture, x from 0 to 255: the signs
//!   s = 1 where z >= 0, else 0, and for each window of w x w the mean magnitude K of z, in fixed point, truncated.
//!
//! A model states how large values can be, and the client refuses a picture beyond: circuits and scales rely on it.

pub(crate) mod encoded;
pub(crate) mod entry;
pub(crate) mod fault;
pub(crate) mod input;
mod window_means;
