//! Cloud keys, as they are listed, described and deleted.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use tfhe_core::keys::KeyId;
use utoipa::ToSchema;

use super::{Context, away, caller::Caller, request::Path};
use crate::{
    access::tokens::{Scope, hex},
    fault::{Fault, FaultView, Result},
    store::{
        StoreError,
        keys::{KeyName, KeyRecord},
    },
};

/// A cloud key, or what has come of one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// Its identity, 32 hexadecimal digits.
    id: String,
    /// Its parameter set; null before the first part has come.
    #[schema(required)]
    parameters: Option<String>,
    /// Bytes of its file.
    bytes: u64,
    /// Bytes that have come.
    received: u64,
    /// Whether it is whole, and was read.
    complete: bool,
    /// SHA-256 of its file, in hexadecimal digits; null before it is whole.
    #[schema(required)]
    sha256: Option<String>,
}

/// The keys of a token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeysView {
    keys: Vec<KeyView>,
}

impl KeyView {
    pub(super) fn new(id: KeyId, record: KeyRecord) -> Self {
        Self {
            id: id.to_string(),
            complete: record.is_complete(),
            parameters: record.parameters,
            bytes: record.bytes,
            received: record.received,
            sha256: record.sha256.as_ref().map(|digest| hex(digest)),
        }
    }
}

/// An identity of 16 bytes in hexadecimal digits. What is none belongs to nothing.
pub(super) fn identity(text: &str, what: &str) -> Result<[u8; 16]> {
    let is_hex = text.len() == 32 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let number = is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten();
    number.map(u128::to_be_bytes).ok_or_else(|| Fault::not_found(what))
}

/// Lists the cloud keys of the token
#[utoipa::path(get, path = "/v2/keys", responses((status = 200, body = KeysView), (status = 401, body = FaultView),
    (status = 403, body = FaultView)))]
pub(crate) async fn list(State(context): State<Arc<Context>>, caller: Caller) -> Result<Json<KeysView>> {
    caller.needs(Scope::Upload)?;
    let keys = context.with_store(move |store| store.keys(&caller.owner)).await?;
    Ok(Json(KeysView { keys: keys.into_iter().map(|(id, record)| KeyView::new(id, record)).collect() }))
}

/// Says how much of a key was received
#[utoipa::path(get, path = "/v2/keys/{id}", params(("id" = String, Path, pattern = "^[0-9a-f]{32}$")),
    responses((status = 200, body = KeyView), (status = 401, body = FaultView), (status = 403, body = FaultView),
    (status = 404, body = FaultView)))]
pub(crate) async fn describe(
    State(context): State<Arc<Context>>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<KeyView>> {
    caller.needs(Scope::Upload)?;
    let id = KeyId(identity(&id, "key")?);
    let name = KeyName::new(&caller.owner, id);
    let record = context.with_store(move |store| store.key(&name)).await?;
    Ok(Json(KeyView::new(id, record.ok_or_else(|| Fault::not_found("key"))?)))
}

/// Forgets a key, with its jobs
#[utoipa::path(delete, path = "/v2/keys/{id}", params(("id" = String, Path, pattern = "^[0-9a-f]{32}$")),
    responses((status = 204), (status = 401, body = FaultView), (status = 403, body = FaultView), (status = 404, body = FaultView),
    (status = 507, body = FaultView)))]
pub(crate) async fn delete(
    State(context): State<Arc<Context>>,
    caller: Caller,
    Path(id): Path,
) -> Result<StatusCode> {
    caller.needs(Scope::Upload)?;
    let name = KeyName::new(&caller.owner, KeyId(identity(&id, "key")?));
    let was_there = away(move || {
        let Some(jobs) = context.store.delete_key(&name)? else { return Ok(false) };
        jobs.iter().for_each(|job| context.work.cancel(job));
        context.work.forget(name);
        Ok::<_, StoreError>(true)
    });
    if was_there.await?? { Ok(StatusCode::NO_CONTENT) } else { Err(Fault::not_found("key")) }
}
