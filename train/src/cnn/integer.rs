//! The convolutional networks in their integer meaning: what a model folder holds and what is evaluated encrypted.
//!
//! ```text
//! y = pooled(floor(g a d / 2^shift) + b)        crate::convolution, 432 values
//! s_m = floor(sum_i v_mi y_i / 2^shift) + c_m   crate::dense
//! label = the first m with the largest s_m
//! ```

use rayon::prelude::*;

use crate::convolution::{Convolution, Image, Pooled};
use crate::dense::{Dense, first_largest};
use crate::mnist::Digits;
use crate::pixels::{sign_and_scale, upper_bits};
use crate::training::Network;

/// Which of the two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Encoding "sign-and-scale", rectified scores.
    Binarized,
    /// Encoding "grey" of this many bits.
    Hybrid { bits: u32 },
}

impl Kind {
    /// The encoded image.
    pub(crate) fn image(self, grey: &[u8]) -> Image {
        match self {
            Self::Binarized => sign_and_scale(grey),
            Self::Hybrid { bits } => upper_bits(grey, bits),
        }
    }
}

/// The integers of a trained network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cnn {
    pub(crate) kind: Kind,
    pub(crate) convolution: Convolution,
    pub(crate) scores: Dense,
}

impl Cnn {
    /// The scores of the values after pooling.
    pub(crate) fn scores(&self, pooled: &Pooled) -> Vec<i64> {
        let mut scores = self.scores.of(&pooled.values);
        if self.kind == Kind::Binarized {
            scores.iter_mut().for_each(|score| *score = (*score).max(0));
        }
        scores
    }

    /// The ranges of its values on `digits`.
    pub(crate) fn ranges(&self, digits: &Digits) -> Ranges {
        let of = |index| {
            let pooled = self.convolution.pooled(&self.kind.image(digits.image(index)));
            let scores = self.scores.of(&pooled.values);
            Ranges {
                pooled: pooled.values.into_iter().max().unwrap_or_default(),
                score: scores.iter().map(|score| score.abs()).max().unwrap_or_default(),
                winning: scores.into_iter().max().unwrap_or_default(),
            }
        };
        let none = || Ranges { pooled: 0, score: 0, winning: i64::MAX };
        (0..digits.len()).into_par_iter().map(of).reduce(none, |one, other| Ranges {
            pooled: one.pooled.max(other.pooled),
            score: one.score.max(other.score),
            winning: one.winning.min(other.winning),
        })
    }
}

impl Network for Cnn {
    fn label(&self, grey: &[u8]) -> u8 {
        first_largest(self.scores(&self.convolution.pooled(&self.kind.image(grey))))
    }
}

/// How large values get on a set of images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranges {
    /// The largest value after pooling.
    pub(crate) pooled: i32,
    /// The largest magnitude of a score, before it is rectified.
    pub(crate) score: i64,
    /// The smallest score that is the largest of its image.
    pub(crate) winning: i64,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::convolution::POOLED;

    /// A network whose score weights and biases are fixed numbers.
    pub(crate) fn network(kind: Kind, convolution: Convolution, shift: u32) -> Cnn {
        let weights = (0..10 * POOLED as i32).map(|at| at % 65 - 32).collect();
        Cnn { kind, convolution, scores: Dense { weights, biases: (-5..5).collect(), shift } }
    }

    /// Ranges of fixed numbers.
    pub(crate) const RANGES: Ranges = Ranges { pooled: 56_348, score: 701_815, winning: 259_543 };
}
