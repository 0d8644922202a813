//! What is read of a request: axum's extractors, whose refusals are said as all others are.

use axum::{
    extract::{self, FromRequestParts},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::fault::{Fault, Result};

/// The name in a path.
pub(crate) struct Path(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Path {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let name = extract::Path::from_request_parts(parts, state).await;
        name.map(|extract::Path(name)| Self(name)).map_err(|_| Fault::bad("the path is not UTF-8"))
    }
}

/// What stands behind `?` in a path.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let query = extract::Query::from_request_parts(parts, state).await;
        query.map(|extract::Query(query)| Self(query)).map_err(|rejection| Fault::bad(rejection.body_text()))
    }
}
