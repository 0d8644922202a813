//! What a service says of its models, keys and jobs. Names that are not used here may be there too.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A model that the service has.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) digest: String,
    pub(crate) description: String,
    pub(crate) engines: Vec<ServedEngine>,
}

/// How a model is run.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ServedEngine {
    pub(crate) engine: String,
    /// The parameter set that keys are best made with.
    pub(crate) parameters: String,
    pub(crate) bootstraps: Option<u64>,
}

/// A cloud key at the service, or what has come of one.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) parameters: Option<String>,
    pub(crate) bytes: u64,
    pub(crate) received: u64,
    pub(crate) complete: bool,
    pub(crate) sha256: Option<String>,
}

/// A picture that is to be evaluated, or was.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) key: String,
    pub(crate) state: State,
    /// Bootstraps that are done, and all.
    pub(crate) bootstraps: u64,
    pub(crate) total: Option<u64>,
    pub(crate) layer: Option<String>,
    pub(crate) seconds_left: Option<f64>,
    pub(crate) error: Option<String>,
}

impl Job {
    /// How long it takes from now, as the service expects.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.seconds_left?).ok()
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Queued,
    Running,
    Done,
    Failed,
}

impl State {
    /// As people read it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// Lists of the above.
#[derive(Debug, Deserialize)]
pub(super) struct Models {
    pub(super) models: Vec<Model>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Keys {
    pub(super) keys: Vec<Key>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Jobs {
    pub(super) jobs: Vec<Job>,
}

/// Why the service refuses.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) error: String,
}
