//! Whether the service runs, and its numbers.

use std::sync::Arc;

use axum::{Json, extract::State, http::header, response::IntoResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Context, caller::Caller};
use crate::{
    access::tokens::Scope,
    fault::{Fault, FaultView, Result},
};

/// What the service says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AboutView {
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 3],
}

/// Name and version
#[utoipa::path(get, path = "/v2", security(()), responses((status = 200, body = AboutView)))]
pub(crate) async fn about() -> Json<AboutView> {
    let extensions = ["client", "keys", "jobs"];
    Json(AboutView { name: "bnn", version: env!("CARGO_PKG_VERSION"), extensions })
}

/// Whether the process runs
#[utoipa::path(get, path = "/v2/health/live", security(()), responses((status = 200)))]
pub(crate) async fn live() {}

/// Whether it takes work
#[utoipa::path(get, path = "/v2/health/ready", security(()), responses((status = 200), (status = 503, body = FaultView)))]
pub(crate) async fn ready(State(context): State<Arc<Context>>) -> Result<()> {
    context.check_running()
}

/// The numbers of the service, for Prometheus
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "application/openmetrics-text"),
    (status = 401, body = FaultView), (status = 403, body = FaultView)))]
pub(crate) async fn metrics(
    State(context): State<Arc<Context>>,
    caller: Caller,
) -> Result<impl IntoResponse> {
    caller.needs(Scope::Admin)?;
    let text = context.metrics.text(context.work.shared.admission.queued()).map_err(Fault::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}
