//! Who asks: the token of a request.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};

use super::Context;
use crate::{
    access::{
        owner::Owner,
        tokens::{Quota, Scope},
    },
    fault::{Fault, Result},
};

/// What all clients of a service without tokens may store together: some hundred keys, and not the whole disk.
const OF_ALL: Quota = Quota { keys: 256, bytes: 20_000_000_000, bootstraps_a_day: None };

/// Whoever asks, with what it may do.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) owner: Owner,
    scopes: Vec<Scope>,
    pub(crate) quota: Quota,
}

impl Caller {
    /// Whoever asks a service without tokens.
    fn anyone() -> Self {
        Self { owner: Owner::anyone(), scopes: Scope::ALL.to_vec(), quota: OF_ALL }
    }

    /// Refuses a token without a scope.
    pub(crate) fn needs(&self, scope: Scope) -> Result<()> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        let line = format!("this token does not have the scope {}", scope.name());
        Err(Fault::new(StatusCode::FORBIDDEN, line))
    }
}

impl FromRequestParts<Arc<Context>> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, context: &Arc<Context>) -> Result<Self> {
        let Some(tokens) = context.tokens.needed() else { return Ok(Self::anyone()) };
        let no_token =
            || Fault::new(StatusCode::UNAUTHORIZED, "a known token is needed: Authorization: Bearer TOKEN");
        let token = bearer(&parts.headers).and_then(|text| tokens.find(text)).ok_or_else(no_token)?;
        let owner = Owner::new(token.name()).ok_or_else(no_token)?;
        Ok(Self { owner, scopes: token.scopes().iter().copied().collect(), quota: token.quota() })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
