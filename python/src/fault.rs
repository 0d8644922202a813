//! Errors as exceptions: three classes, by whose fault it is (`package/bnn_tfhe/_errors.py`).

use pyo3::{PyErr, import_exception};
use tfhe_core::Blame;

import_exception!(bnn_tfhe._errors, InputError);
import_exception!(bnn_tfhe._errors, PeerError);
import_exception!(bnn_tfhe._errors, MachineError);

/// What goes wrong below Python: the crate's error, or an exception that there is already.
pub(crate) enum Fault {
    Network(bnn::Error),
    Python(PyErr),
}

impl From<bnn::Error> for Fault {
    fn from(error: bnn::Error) -> Self {
        Self::Network(error)
    }
}

impl From<tfhe_core::Error> for Fault {
    fn from(error: tfhe_core::Error) -> Self {
        Self::Network(error.into())
    }
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Network(error) => exception(error.blame(), error.to_string()),
            Fault::Python(error) => error,
        }
    }
}

/// The exception for a fault of this one's, with a text of one line.
pub(crate) fn exception(blame: Blame, text: String) -> PyErr {
    match blame {
        Blame::Caller => InputError::new_err(text),
        Blame::Peer => PeerError::new_err(text),
        Blame::Machine => MachineError::new_err(text),
    }
}

/// The error of something that has a name: a file, or a place in a list.
pub(crate) fn about(name: impl std::fmt::Display, error: &bnn::Error) -> PyErr {
    exception(error.blame(), format!("{name}: {error}"))
}

/// What does not fit, of what the caller gave.
pub(crate) fn input(text: impl Into<String>) -> PyErr {
    exception(Blame::Caller, text.into())
}
