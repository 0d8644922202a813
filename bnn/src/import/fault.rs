//! Why a network is not imported.

/// What is wrong with a network that is to be imported.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportFault {
    /// The file is larger than what is read.
    #[error("the file is larger than {limit} bytes, the most that is read")]
    TooLarge {
        /// The largest file, in bytes.
        limit: usize,
    },

    /// The file is no ONNX file, or a damaged one.
    #[error("no ONNX file, or a damaged one: {reason}")]
    Malformed {
        /// What the decoder said, or what is missing.
        reason: String,
    },

    /// A part of the network is of a kind that is not read.
    #[error("{reason}")]
    Network {
        /// Which, and what could be done.
        reason: String,
    },

    /// There are no pictures to choose integers by.
    #[error("no pictures to calibrate on")]
    NoPictures,

    /// Widths of weights that there are not, or for other layers than there are.
    #[error(
        "widths of weights {given:?}: give one from 2 to 8 bits, or one for each of the {needed} layers with weights after the first"
    )]
    WeightBits {
        /// Those asked for, in bits.
        given: Vec<u32>,
        /// Layers with weights after the first.
        needed: usize,
    },

    /// A tensor of the file cannot be used.
    #[error("tensor {tensor:?}: {reason}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// Why.
        reason: String,
    },

    /// A node cannot be used.
    #[error("node {node:?} of type {kind}: {reason}")]
    Node {
        /// Its name, or that of its output where it has none.
        node: String,
        /// Its type.
        kind: String,
        /// Why, and what could stand in its place.
        reason: String,
    },
}

pub(super) type Result<T> = std::result::Result<T, ImportFault>;
