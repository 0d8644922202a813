//! What can be wrong with the content of a file.

use super::kind::Kind;

/// The version of native files that this program reads and writes.
pub(super) const VERSION: u16 = 1;

/// What is wrong with a file's content.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// It ends too early.
    #[error("truncated: {found} bytes, where {expected} were expected")]
    Truncated {
        /// Bytes there are.
        found: u64,
        /// Bytes needed.
        expected: u64,
    },
    /// It goes on after its end.
    #[error("bytes follow the end, which is at {expected}")]
    Trailing {
        /// Where the file should end.
        expected: u64,
    },
    /// It does not begin as files of this format do.
    #[error("not a file of this program (wrong magic bytes)")]
    Magic,
    /// A version that this program does not know.
    #[error("format version {found}, where this program knows {VERSION}")]
    Version {
        /// The file's version.
        found: u16,
    },
    /// A kind that this program does not know.
    #[error("unknown kind of file ({found} at byte 10)")]
    Kind {
        /// The file's kind.
        found: u16,
    },
    /// A parameter set that this program does not know.
    #[error("unknown parameter set '{name}' (at byte 60)")]
    Parameters {
        /// The set's name, as far as it is text.
        name: String,
    },
    /// The length of the body is not what kind and parameter set call for.
    #[error("a body of {found} bytes (at byte 92), where {kind} with {parameters} has {expected}")]
    BodyLength {
        /// The length in the header.
        found: u64,
        /// The file's kind.
        kind: Kind,
        /// The parameter set.
        parameters: &'static str,
        /// The length, or its bound, in words.
        expected: String,
    },
    /// The checksum does not match: the file was damaged.
    #[error("damaged: its checksum does not match its content")]
    Checksum,
    /// A field has a value that it cannot have.
    #[error("{field} at byte {at} is {found}, where {expected} was expected")]
    Field {
        /// The field's offset.
        at: u64,
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        expected: String,
    },
}
