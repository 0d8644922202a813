//! What all commands share.

use tfhe_core::backend::Backend;

use crate::{environment, error::Result, terminal::output::Output};

/// Environment variable that names the backend to use.
const BACKEND_VARIABLE: &str = "TFHE_BACKEND";

/// What was asked for beside the command.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) output: Output,
    /// The backend of the command line.
    pub(crate) backend: Option<Backend>,
}

impl Session {
    /// The backend of the command line, else that of the environment, else the fastest.
    ///
    /// # Errors
    /// Where there is no such backend, or this CPU cannot run it.
    pub(crate) fn backend(&self) -> Result<Backend> {
        if let Some(backend) = self.backend {
            return Ok(backend.checked()?);
        }
        match environment::variable(BACKEND_VARIABLE) {
            Some(name) => Ok(name.to_string_lossy().parse::<Backend>()?.checked()?),
            None => Ok(Backend::fastest()),
        }
    }
}
