//! The tokens that a service knows just now.

use std::sync::{Arc, PoisonError, RwLock};

use super::tokens::Tokens;

/// The tokens of a service that runs, which may change. Copies are of the same service.
#[derive(Debug, Clone)]
pub struct KnownTokens(Arc<RwLock<Option<Arc<Tokens>>>>);

impl KnownTokens {
    pub(crate) fn new(tokens: Tokens) -> Self {
        let known = Self(Arc::default());
        known.replace(tokens);
        known
    }

    /// Has the service know these tokens, and no others, from the next request on. Once it has known one it always asks for one: where the last
    /// is removed it takes no request, and not every one.
    pub fn replace(&self, tokens: Tokens) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.is_some() || !tokens.is_empty() {
            *known = Some(Arc::new(tokens));
        }
    }

    /// The tokens of which every request needs one; none where the service asks for none.
    pub(crate) fn needed(&self) -> Option<Arc<Tokens>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
