//! What is wrong with the files of the paper's system.

use std::ops::RangeInclusive;

/// A file of the paper's system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperFile {
    /// The client's signs.
    Signs,
    /// The client's mean magnitudes.
    Magnitudes,
    /// The server's scores.
    Answer,
    /// The released weights of the convolution.
    Convolution,
    /// The released weights of the last layer.
    FullConnection,
}

impl PaperFile {
    /// The file's name there.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signs => "secret_cloud.data",
            Self::Magnitudes => "K_cloud.data",
            Self::Answer => "answer.data",
            Self::Convolution => "convolution_new.txt",
            Self::FullConnection => "full_connection_new.txt",
        }
    }
}

/// Why a file of the paper's system is refused.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaperFault {
    /// The file holds more than this crate is willing to read.
    #[error("the content is larger than {limit} bytes, the most that is read")]
    TooLarge {
        /// The largest content that is read, in bytes.
        limit: usize,
    },

    /// A word is no number in its range.
    #[error("line {line}: {found:?}, expected an integer from {} to {}", range.start(), range.end())]
    Number {
        /// The line, the first being 1.
        line: usize,
        /// The beginning of the word.
        found: String,
        /// What it may be.
        range: RangeInclusive<i32>,
    },

    /// The file has more or fewer numbers than the authors' network.
    #[error("{found} numbers, expected {expected}")]
    NumberCount {
        /// The numbers there are.
        found: usize,
        /// The numbers of the network.
        expected: usize,
    },

    /// The file has more or fewer ciphertexts than it is to have.
    #[error("{found} ciphertexts, where the model needs {expected}")]
    CiphertextCount {
        /// Ciphertexts in it.
        found: usize,
        /// Ciphertexts needed.
        expected: usize,
    },

    /// The bits of an answer are none under the key.
    #[error(
        "no answer under this key: it was made with another cloud key, or is damaged; encrypt and infer again with keys of one pair"
    )]
    Undecipherable,
}
