//! Whose fault an error is.

/// Whose fault an error is, which says who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The caller's: an argument that does not fit, or work that was cancelled.
    Caller,
    /// The peer's: bytes or ciphertexts that are damaged, hostile, or of another key.
    Peer,
    /// This machine's: a missing instruction set, a failed read, no random bytes, no memory.
    Machine,
}
