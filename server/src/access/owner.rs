//! To whom keys and jobs belong: the name of a token.

/// The longest name, in bytes.
const MOST_BYTES: usize = 64;
/// Whoever asks a service that has no tokens.
const ANYONE: &str = "anyone";

/// The name of a token: letters, digits, `-`, `_` and `.`. What belongs to one does not exist for the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(String);

impl Owner {
    /// A name, if it is one.
    pub fn new(name: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_name = !name.is_empty() && name.len() <= MOST_BYTES && name.chars().all(is_plain);
        is_name.then(|| Self(name.into()))
    }

    /// Whoever asks a service that has no tokens.
    pub(crate) fn anyone() -> Self {
        Self(ANYONE.into())
    }

    /// The name in a record of the database, which holds no other.
    pub(crate) fn stored(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
