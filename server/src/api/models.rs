//! What is served, and what clients must know of it.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Context, caller::Caller, request::Path};
use crate::{
    access::tokens::hex,
    fault::{Fault, FaultView, Result},
    models::Served,
};

/// An input or output, as the Open Inference Protocol describes tensors.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TensorView {
    name: &'static str,
    datatype: &'static str,
    shape: [i64; 1],
}

/// An engine that runs a model, and a parameter set of keys for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EngineView {
    /// `functional` or `gates`.
    engine: String,
    /// The parameter set that a key is to have.
    parameters: &'static str,
    /// Bootstraps of an image; null where they were not counted yet.
    #[schema(required)]
    bootstraps: Option<usize>,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelView {
    name: String,
    versions: [String; 1],
    platform: &'static str,
    inputs: [TensorView; 1],
    outputs: [TensorView; 1],
    description: String,
    /// SHA-256 of the model, in hexadecimal digits, which encrypted images and scores bear.
    digest: String,
    engines: Vec<EngineView>,
}

/// All models.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelsView {
    models: Vec<ModelView>,
}

fn view(served: &Served) -> ModelView {
    let digest = hex(&served.model.digest());
    let engines = served.sets.iter().filter_map(|(engine, sets)| {
        let set = sets.first()?;
        let bootstraps = served.known_cost(set).map(|cost| cost.bootstraps);
        Some(EngineView { engine: engine.to_string(), parameters: set.name(), bootstraps })
    });
    ModelView {
        name: served.name.clone(),
        versions: [digest.clone()],
        platform: "bnn-tfhe",
        inputs: [TensorView { name: "image", datatype: "BYTES", shape: [1] }],
        outputs: [TensorView { name: "scores", datatype: "BYTES", shape: [1] }],
        description: served.model.description().into(),
        digest,
        engines: engines.collect(),
    }
}

/// The model of a name.
pub(super) fn find<'a>(context: &'a Context, name: &str) -> Result<&'a Arc<Served>> {
    context.models.get(name).ok_or_else(|| Fault::not_found("model"))
}

/// Lists the models
#[utoipa::path(get, path = "/v2/models", responses((status = 200, body = ModelsView), (status = 401, body = FaultView)))]
pub(crate) async fn list(State(context): State<Arc<Context>>, _: Caller) -> Json<ModelsView> {
    Json(ModelsView { models: context.models.values().map(|served| view(served)).collect() })
}

/// Describes a model
#[utoipa::path(get, path = "/v2/models/{name}", params(("name" = String, Path)),
    responses((status = 200, body = ModelView), (status = 401, body = FaultView), (status = 404, body = FaultView)))]
pub(crate) async fn describe(
    State(context): State<Arc<Context>>,
    Path(name): Path,
    _: Caller,
) -> Result<Json<ModelView>> {
    Ok(Json(view(find(&context, &name)?)))
}

/// Whether a model can be run
#[utoipa::path(get, path = "/v2/models/{name}/ready", params(("name" = String, Path)), responses((status = 200),
    (status = 401, body = FaultView), (status = 404, body = FaultView), (status = 503, body = FaultView)))]
pub(crate) async fn ready(State(context): State<Arc<Context>>, Path(name): Path, _: Caller) -> Result<()> {
    find(&context, &name)?;
    context.check_running()
}

/// The client specification of a model: what a client must know of it
#[utoipa::path(get, path = "/v2/models/{name}/client", params(("name" = String, Path), ("If-None-Match" = Option<String>, Header, nullable = false)),
    responses((status = 200, body = serde_json::Value, headers(("ETag" = String))), (status = 304, headers(("ETag" = String))), (status = 401, body = FaultView), (status = 404, body = FaultView)))]
pub(crate) async fn client(
    State(context): State<Arc<Context>>,
    Path(name): Path,
    _: Caller,
    headers: HeaderMap,
) -> Result<Response> {
    let served = find(&context, &name)?;
    let tag = format!("\"{}\"", served.specification_digest);
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let tag = [(header::ETAG, tag)];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((tag, json, served.specification.clone()).into_response())
}
