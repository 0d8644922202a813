//! What is wrong with a client specification.

use crate::{client::encoding::fault::InputFault, range::OutOfRange};

/// Why a client specification is refused.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecificationFault {
    /// There is more than this crate is willing to read.
    #[error("the content is larger than {limit} bytes, the most that is read")]
    TooLarge {
        /// The largest content that is read, in bytes.
        limit: usize,
    },

    /// It is no JSON, or has an unknown, missing or ill-typed entry.
    #[error("line {line}, column {column}: {reason}")]
    Json {
        /// The line, the first being 1.
        line: usize,
        /// The column, in bytes.
        column: usize,
        /// What the parser said.
        reason: String,
    },

    /// It says that it is something else.
    #[error("`format` is {found:?}, expected {expected:?}")]
    Format {
        /// The format that it declares.
        found: String,
        /// That of a client specification.
        expected: &'static str,
    },

    /// It is of another version.
    #[error("a client specification of version {found}, this program reads versions up to {supported}")]
    Version {
        /// The version that it declares.
        found: u32,
        /// The last version that this program reads.
        supported: u32,
    },

    /// The checksum is not that of the content.
    #[error("damaged: its checksum does not match its content")]
    Checksum,

    /// A text that people are shown is empty, too long, or has control characters.
    #[error("`{field}` must be one line of text, of at most {} characters", Self::MOST_CHARACTERS)]
    Text {
        /// The key.
        field: &'static str,
    },

    /// A digest is no 64 lower-case hexadecimal digits.
    #[error("`digest` must be 64 hexadecimal digits, in lower case")]
    Digest,

    /// A number is out of range.
    #[error(transparent)]
    Range(#[from] OutOfRange),

    /// The channels of the input are not those of the version.
    #[error("`channels` must be 2 to 16 in version 2, and is no key of version 1")]
    Channels,

    /// Pictures are not encoded so.
    #[error(transparent)]
    Input(#[from] InputFault),

    /// An engine's parameter set is unknown, belongs to the other engine, or comes twice.
    #[error("{found:?} is no parameter set of the {engine} engine, or comes twice")]
    Parameters {
        /// The name of the set.
        found: String,
        /// The engine.
        engine: &'static str,
    },

    /// Numbers that contradict each other.
    #[error("{engine} engine: {reason}")]
    Contradiction {
        /// The engine.
        engine: &'static str,
        /// What does not fit.
        reason: &'static str,
    },
}

impl SpecificationFault {
    /// The longest name of a model or class, in characters: it is shown in every row of a table.
    pub(super) const MOST_CHARACTERS: usize = 256;
}
