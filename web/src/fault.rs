//! The last error, which JavaScript asks for when a function has returned 0.

use std::cell::RefCell;

use tfhe_core::Blame;

/// What went wrong, and whose fault it is.
pub(crate) struct Fault {
    message: String,
    blame: Blame,
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    /// A fault of the JavaScript that calls.
    pub(crate) fn caller(message: impl Into<String>) -> Self {
        Self { message: message.into(), blame: Blame::Caller }
    }

    /// A fault of this machine.
    pub(crate) fn machine(message: impl Into<String>) -> Self {
        Self { message: message.into(), blame: Blame::Machine }
    }
}

impl From<tfhe_core::Error> for Fault {
    fn from(error: tfhe_core::Error) -> Self {
        Self { message: error.to_string(), blame: error.blame() }
    }
}

impl From<bnn::Error> for Fault {
    fn from(error: bnn::Error) -> Self {
        Self { message: error.to_string(), blame: error.blame() }
    }
}

thread_local! {
    static LAST: RefCell<Option<Fault>> = const { RefCell::new(None) };
}

/// Keeps a fault for [`message`] and [`blame`].
pub(crate) fn keep(fault: Fault) {
    LAST.set(Some(fault));
}

/// The message of the last fault, or nothing.
pub(crate) fn message() -> String {
    LAST.with_borrow(|last| last.as_ref().map(|fault| fault.message.clone()).unwrap_or_default())
}

/// Whose the last fault is: 1 the caller's, 2 the peer's, 3 this machine's, 0 where there is none.
pub(crate) fn blame() -> u32 {
    LAST.with_borrow(|last| match last.as_ref().map(|fault| fault.blame) {
        None => 0,
        Some(Blame::Caller) => 1,
        Some(Blame::Peer) => 2,
        Some(Blame::Machine) => 3,
    })
}
