//! Everything that can go wrong in this crate, as one enum.
//!
//! A message is one line: the cause, and what was expected. It names the place in the bytes, and no file: whoever opened a
//! file adds its name. Text that comes from bytes is quoted or stripped of control characters, so that a hostile file
//! cannot draw on the terminal. [`Error::blame`] says whose fault it is.

use tfhe_core::Blame;

#[cfg(feature = "server")]
use crate::circuit::bristol::fault::BristolFault;
#[cfg(feature = "import")]
use crate::import::fault::ImportFault;
#[cfg(feature = "server")]
use crate::model::fault::{ModelFault, ModelFile};
use crate::{
    client::{
        encoding::fault::EncodingFault, preparation::fault::AppearanceFault,
        specification::fault::SpecificationFault,
    },
    data::fault::{IdxFault, PictureFault},
    paper::fault::{PaperFault, PaperFile},
    text::hex,
};

/// What an operation of this crate gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation of this crate failed.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A picture is malformed.
    #[error(transparent)]
    Picture(#[from] PictureFault),

    /// A data set is malformed.
    #[error(transparent)]
    Idx(#[from] IdxFault),

    /// A picture looks like none that a network reads.
    #[error(transparent)]
    Appearance(#[from] AppearanceFault),

    /// A picture is none for the model.
    #[error(transparent)]
    Encoding(#[from] EncodingFault),

    /// A client specification is malformed.
    #[error(transparent)]
    Specification(#[from] SpecificationFault),

    /// A network is not imported.
    #[cfg(feature = "import")]
    #[error(transparent)]
    Import(#[from] ImportFault),

    /// A model's file is malformed.
    #[cfg(feature = "server")]
    #[error("{fault}")]
    Model {
        /// Which of the two files.
        file: ModelFile,
        /// What is wrong with it.
        fault: ModelFault,
    },

    /// A line of a circuit file is malformed.
    #[cfg(feature = "server")]
    #[error("line {line}: {fault}")]
    Bristol {
        /// The line, the first being 1.
        line: usize,
        /// What is wrong with it.
        fault: BristolFault,
    },

    /// A file of the paper's system is malformed.
    #[error("{fault}")]
    Paper {
        /// Which file.
        file: PaperFile,
        /// What is wrong with it.
        fault: PaperFault,
    },

    /// A model that does not read what the paper's client sends.
    #[error(
        "the model {name} reads {encoding}, where the paper's client sends signs, and magnitudes in 20 bits"
    )]
    NotThePapers {
        /// The model.
        name: String,
        /// How it reads pixels.
        encoding: &'static str,
    },

    /// A key, evaluator or ciphertext of another parameter set.
    #[error("made with the parameter set {found}, where {expected} is needed")]
    OtherParameters {
        /// The set it was made with.
        found: &'static str,
        /// The set in use.
        expected: &'static str,
    },

    /// An encrypted image or encrypted scores of another model.
    #[error("{what} for the model {}.., where {name} is {}..", short_digest(found), short_digest(expected))]
    OtherModel {
        /// What is for another model.
        what: &'static str,
        /// Digest of the model it is for.
        found: [u8; 32],
        /// The name of the model in use.
        name: String,
        /// Digest of the model in use.
        expected: [u8; 32],
    },

    /// Encrypted scores of another number than the model's classes.
    #[error("{found} encrypted scores, where the model has {expected}")]
    ScoreCount {
        /// The number of scores.
        found: usize,
        /// The number of classes.
        expected: usize,
    },

    /// A picture for the functional engine was given to the gate engine.
    #[error(
        "the image is packed, for the functional engine; this key's engine reads images encrypted bit by bit"
    )]
    NotBitwise,

    /// A ciphertext that circuits, which take their inputs for bootstrapped, cannot start with.
    #[error(
        "a bit of the image has noise of variance {found:e}, where a bootstrapped bit has {most:e} at most"
    )]
    NoisyInput {
        /// Its variance.
        found: f64,
        /// That of a bootstrapped bit.
        most: f64,
    },

    /// A circuit was given more or fewer inputs than it has.
    #[error("{found} encrypted bits, where the circuit reads {expected}")]
    InputCount {
        /// Ciphertexts given.
        found: usize,
        /// Inputs of the circuit.
        expected: usize,
    },

    /// The result of a run that has not come to its end.
    #[error("the inference has not come to its end")]
    Unfinished,

    /// A saved state cannot be gone on with.
    #[error("{reason}")]
    State {
        /// What is wrong with it.
        reason: &'static str,
    },

    /// An engine has no such layer.
    #[error("layer {layer:?}: the {engine} engine does not run {kind} here")]
    UnsupportedLayer {
        /// The layer by its name.
        layer: String,
        /// Its kind.
        kind: &'static str,
        /// The engine.
        engine: &'static str,
    },

    /// A layer's results may pass the width of its words, where they wrap around; on the torus they do not.
    #[error(
        "layer {layer:?}: results from {low} to {high} would wrap around in its words of {bits} bits, which the functional engine does not do"
    )]
    WrappingLayer {
        /// The layer by its name.
        layer: String,
        /// Its width.
        bits: usize,
        /// The least result.
        low: i64,
        /// The greatest.
        high: i64,
    },

    /// A parameter set is too noisy for gates: one of bootstrapped bits would break its failure bound.
    #[error("the parameter set is too noisy for gates of three inputs")]
    GateTooNoisy,

    /// The windows of a picture are more than one packed row holds.
    #[error(
        "the model reads {inputs} windows, more than the {most} that one row of an encrypted image holds"
    )]
    TooManyInputs {
        /// The windows of a picture.
        inputs: usize,
        /// The most in a row.
        most: usize,
    },

    /// A layer's sums, scaled onto the torus, would be lost in noise.
    #[error(
        "layer {layer:?}: noise of {noise:.3} (standard deviation) on sums of +-{half_range:.0}, a {:.0}th, where a 64th is \
         the most (parameter set {parameters})",
        half_range / noise
    )]
    TooNoisy {
        /// The layer by its name.
        layer: String,
        /// Half the range of its sums, in the integers of the model.
        half_range: f64,
        /// Standard deviation of the noise, in the same units.
        noise: f64,
        /// The parameter set.
        parameters: &'static str,
    },

    /// The work was cancelled by its [`Control`](tfhe_core::control::Control).
    #[error("cancelled")]
    Cancelled,

    /// The scheme refused something.
    #[error(transparent)]
    Crypto(tfhe_core::Error),
}

impl Error {
    /// Whose fault it is: the caller's, who chose inputs that do not fit; the peer's, whose bytes they are; or this machine's.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Crypto(error) => error.blame(),
            Self::Specification(_)
            | Self::Paper { .. }
            | Self::OtherParameters { .. }
            | Self::OtherModel { .. }
            | Self::ScoreCount { .. }
            | Self::NotBitwise
            | Self::NoisyInput { .. }
            | Self::State { .. } => Blame::Peer,
            _ => Blame::Caller,
        }
    }
}

impl From<tfhe_core::Error> for Error {
    fn from(error: tfhe_core::Error) -> Self {
        match error {
            tfhe_core::Error::Cancelled => Self::Cancelled,
            error => Self::Crypto(error),
        }
    }
}

/// The first four bytes of a digest, enough to tell models apart.
fn short_digest(digest: &[u8; 32]) -> String {
    hex(&digest[..4])
}
