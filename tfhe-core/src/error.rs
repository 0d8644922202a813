//! The one error type of the crate.
//!
//! ```
//! use tfhe_core::{Error, backend::Backend};
//! let error = "abacus".parse::<Backend>().unwrap_err();
//! assert!(matches!(error, Error::UnknownBackend { .. }));
//! assert_eq!(error.to_string(), "no backend is called 'abacus' (known: portable, avx2, avx512)");
//! ```

use crate::blame::Blame;
use crate::key_id::KeyId;
use crate::serial::fault::FileFault;
use crate::serial::kind::Kind;

/// Result of a fallible operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong. Every message is one line that says what was found and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No backend has this name.
    #[error("no backend is called '{name}' (known: portable, avx2, avx512)")]
    UnknownBackend {
        /// The name asked for.
        name: String,
    },
    /// The CPU lacks the instructions of the backend.
    #[error("this CPU cannot run the backend {backend}")]
    BackendUnavailable {
        /// The backend asked for.
        backend: &'static str,
    },
    /// No transform of this size.
    #[error("no transform for polynomials of {size} coefficients (a power of two from 32 to 4096)")]
    TransformSize {
        /// N.
        size: usize,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes: {reason}")]
    Entropy {
        /// Its answer.
        reason: String,
    },
    /// There is no memory for what is large.
    #[error("there is no memory for {} MB more", .bytes.div_ceil(1_000_000))]
    Memory {
        /// Bytes that are needed.
        bytes: usize,
    },
    /// Material of another key.
    #[error("made with another key: {found}, where {expected} is in use")]
    OtherKey {
        /// The key in use.
        expected: KeyId,
        /// The key the material belongs to.
        found: KeyId,
    },
    /// A ciphertext of another dimension than the key it names.
    #[error("a ciphertext of dimension {found}, where the key in use has {expected}")]
    OtherDimension {
        /// Dimension of the key's ciphertexts.
        expected: usize,
        /// Dimension of the ciphertext.
        found: usize,
    },
    /// Rows of a packed ciphertext that no TLWE sample holds.
    #[error("rows of {found} messages, where a packed ciphertext has rows of 1 to {most}")]
    RowLength {
        /// Messages asked for in a row.
        found: usize,
        /// N.
        most: usize,
    },
    /// A packed ciphertext of other rows than are to be summed.
    #[error("a packed ciphertext of {found} rows, where {expected} are to be summed")]
    RowCount {
        /// Messages by messages in a row.
        found: f64,
        /// Factors given.
        expected: usize,
    },
    /// The set's ciphertexts are under the small key, into which nothing can be packed.
    #[error(
        "the parameter set {parameters} has no packed ciphertexts (it bootstraps before it switches keys)"
    )]
    NotPackable {
        /// The set.
        parameters: &'static str,
    },
    /// A set that the TFHE library cannot have.
    #[error("the parameter set {parameters} is none that the TFHE library can have")]
    NotTfheLib {
        /// The set.
        parameters: &'static str,
    },
    /// Keys or ciphertexts that a native file cannot hold.
    #[error(
        "cannot be written: the parameter set {parameters} is none of those that native files name; such keys are for use \
         in memory, and in the TFHE library's files"
    )]
    NotStorable {
        /// The set.
        parameters: &'static str,
    },
    /// A parameter set that no engine can compute with.
    #[error("a parameter set that cannot be: {reason}")]
    Parameters {
        /// What does not fit.
        reason: &'static str,
    },
    /// A linear combination of nothing.
    #[error("a linear combination needs at least one ciphertext")]
    NoTerms,
    /// A row of weights of another length than the list of ciphertexts that it weighs.
    #[error("{weights} weights for {inputs} ciphertexts")]
    WeightCount {
        /// Ciphertexts given.
        inputs: usize,
        /// Weights of the row.
        weights: usize,
    },
    /// A batch whose tables do not match its inputs.
    #[error("{tables} lookup tables for {inputs} ciphertexts")]
    TableCount {
        /// Ciphertexts given.
        inputs: usize,
        /// Tables given.
        tables: usize,
    },
    /// A table made for polynomials of another size.
    #[error("a lookup table of {found} slots, where the parameter set has {expected}")]
    TableSize {
        /// Slots of the table.
        found: usize,
        /// N.
        expected: usize,
    },
    /// A gate names an operand that is not there.
    #[error("gate {gate} reads input {index}, but there are {inputs}")]
    Operand {
        /// Position of the gate in the batch.
        gate: usize,
        /// The operand's index.
        index: usize,
        /// Inputs given.
        inputs: usize,
    },
    /// A gate's inputs are too noisy for the set's failure bound.
    #[error(
        "gate {gate} would fail with probability 2^{log2_failure:.0}, above the bound 2^{bound:.0}: bootstrap its inputs first"
    )]
    TooNoisy {
        /// Position of the gate in the batch.
        gate: usize,
        /// log2 of the failure probability.
        log2_failure: f64,
        /// log2 of the bound.
        bound: f64,
    },
    /// A bit is too noisy to be decrypted within the set's failure bound.
    #[error(
        "a bit would be decrypted wrong with probability 2^{log2_failure:.0}, above the bound 2^{bound:.0}: bootstrap it first"
    )]
    TooNoisyToDecrypt {
        /// log2 of the failure probability.
        log2_failure: f64,
        /// log2 of the bound.
        bound: f64,
    },
    /// A source of bytes cannot be read.
    #[error("{source}")]
    Io {
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file is of another kind.
    #[error("holds {found}, where {expected} is needed")]
    WrongKind {
        /// What it holds.
        found: Kind,
        /// What was needed.
        expected: Kind,
    },
    /// A file's content is not what its format allows.
    #[error("{fault}")]
    BadFile {
        /// What is wrong, and where.
        fault: FileFault,
    },
    /// The work was cancelled by its [`Control`](crate::control::Control).
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::BackendUnavailable { .. }
            | Self::Entropy { .. }
            | Self::Memory { .. }
            | Self::Io { .. } => Blame::Machine,
            Self::OtherKey { .. }
            | Self::OtherDimension { .. }
            | Self::TooNoisyToDecrypt { .. }
            | Self::WrongKind { .. }
            | Self::BadFile { .. } => Blame::Peer,
            Self::UnknownBackend { .. }
            | Self::TransformSize { .. }
            | Self::RowLength { .. }
            | Self::RowCount { .. }
            | Self::NotPackable { .. }
            | Self::NotTfheLib { .. }
            | Self::NotStorable { .. }
            | Self::Parameters { .. }
            | Self::NoTerms
            | Self::WeightCount { .. }
            | Self::TableCount { .. }
            | Self::TableSize { .. }
            | Self::Operand { .. }
            | Self::TooNoisy { .. }
            | Self::Cancelled => Blame::Caller,
        }
    }

    /// An error with a file's content.
    pub(crate) fn bad_file(fault: FileFault) -> Self {
        Self::BadFile { fault }
    }
}

/// Refuses material of another key than `expected`.
pub(crate) fn check_key(expected: KeyId, found: KeyId) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::OtherKey { expected, found }) }
}
