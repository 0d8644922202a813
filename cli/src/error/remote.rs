//! What can go wrong with a service: it does not answer, it refuses, or its answer makes no sense.

use bnn::engine::Engine;

/// What went wrong with a request to a service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteFault {
    /// Nothing came back, or not all of it.
    #[error("no answer: {0}")]
    NoAnswer(String),

    /// The service cannot prove that it is the one that was asked for, or speaks no TLS.
    #[error("no secure connection: {0}")]
    Untrusted(String),

    /// The service says no, in its own words.
    #[error("the service refuses ({status}): {line}")]
    Refused { status: u16, line: String },

    /// More than an answer of this kind ever has.
    #[error("the answer is larger than {limit} bytes, the most that is read")]
    TooLarge { limit: u64 },

    /// An answer that the interface does not have.
    #[error("the answer makes no sense: {0}")]
    Malformed(String),

    /// A client specification of another model than the one that was asked for.
    #[error("the service gives the client specification of another model, {found}")]
    OtherModel { found: String },

    /// A model that is not run on the engine of a key.
    #[error("the service does not run the model {model} on the {engine} engine, which the key is for")]
    OtherEngine { model: String, engine: Engine },

    /// Another cloud key in the place of this one.
    #[error(
        "the service has another cloud key with the identity {id}; `bnn remote forget {id}` makes room for this one"
    )]
    OtherCloudKey { id: String },

    /// A job that ended without scores.
    #[error("the job failed: {0}")]
    JobFailed(String),
}

impl RemoteFault {
    /// Whether another request would fare no better, whatever it asks for.
    pub(super) fn is_of_service(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::Untrusted(_) => true,
            Self::Refused { status, .. } => matches!(status, 401 | 403 | 429 | 500..),
            _ => false,
        }
    }

    /// What to do, where the message does not say so itself.
    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::NoAnswer(_) => Some("`bnn serve` has to run there, and --server gives its address"),
            Self::Untrusted(_) => Some("--ca names the certificate of a private authority"),
            Self::Refused { status: 401 | 403, .. } => {
                Some("name the service's token with --token-file or in $BNN_TOKEN")
            }
            Self::Refused { status: 404, .. } => {
                Some("`bnn remote` lists the models, keys and jobs that there are")
            }
            Self::Malformed(_) => Some("--server has to give the address of a `bnn serve`"),
            _ => None,
        }
    }
}
