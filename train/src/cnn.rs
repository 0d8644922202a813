//! The convolutional networks: three filters of 5 by 5, rectified and pooled, then scores.
//!
//! [`binarized`] has filters of signs on an image of signs, each window scaled; it rectifies its scores, too.
//! [`hybrid`] has filters of small integers on an image of few grey levels.

pub(crate) mod binarized;
pub(crate) mod hybrid;
mod integer;
mod latent;
#[cfg(test)]
mod tests;
