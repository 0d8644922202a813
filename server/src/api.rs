//! The HTTP API, a file for each kind of thing in it. docs/service.md describes it for people, and `/openapi.json` for machines: that document
//! is made of the same lines that route the requests.
//!
//! * [`body`]: how bodies come;
//! * [`caller`]: who asks, by the token;
//! * [`health`]: whether the service runs, and its numbers;
//! * [`models`]: what is served, and what clients must know of it;
//! * [`keys`]: cloud keys, [`upload`] being how they come;
//! * [`inference`]: evaluations for which the client waits, and the checks of all;
//! * [`jobs`]: evaluations that are asked about later;
//! * [`guard`]: what holds for every request: its number, its log line, where it may come from, and the headers of the answer;
//! * [`file`]: bodies that are binary files;
//! * [`request`]: what is read of a request;
//! * [`leftover`]: bodies that were answered before they had come.

pub(crate) mod body;
pub(crate) mod caller;
mod file;
pub(crate) mod guard;
pub(crate) mod health;
pub(crate) mod inference;
pub(crate) mod jobs;
pub(crate) mod keys;
mod leftover;
pub(crate) mod models;
mod request;
pub(crate) mod upload;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    middleware,
    routing::get,
};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{
    OpenApi,
    openapi::{
        Components, Content, Header, Ref, RefOr, ResponseBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::known::KnownTokens,
    fault::{Fault, Result},
    metrics::Metrics,
    models::Models,
    page,
    store::Store,
    work::Work,
};

/// The longest encrypted image that is read, in bytes: many times that of any network here.
const MOST_IMAGE_BYTES: usize = 8 << 20;

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) models: Models,
    pub(crate) store: Arc<Store>,
    pub(crate) work: Work,
    pub(crate) tokens: KnownTokens,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) origins: guard::Origins,
    /// Room for images that come, in KB.
    pub(crate) images: Arc<Semaphore>,
    /// The uploads that are in hand, and room for one key that is read as a whole.
    pub(crate) uploads: upload::Uploads,
}

impl Context {
    /// Refuses new work while the service stops.
    fn check_running(&self) -> Result<()> {
        if self.work.shared.is_stopping() { Err(Fault::stopping()) } else { Ok(()) }
    }

    /// Reads or changes the database, away from the threads that serve connections.
    async fn with_store<T: Send + 'static>(
        self: &Arc<Self>,
        run: impl FnOnce(&Store) -> crate::store::Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.store);
        Ok(away(move || run(&store)).await??)
    }
}

/// Runs what takes a while away from the threads that serve connections.
async fn away<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(run).await.map_err(Fault::internal)
}

/// What the document says before the routes.
#[derive(OpenApi)]
#[openapi(info(
    title = "bnn",
    description = "Evaluation of neural networks on encrypted images. Paths and metadata follow the Open Inference Protocol, version 2.",
    license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
))]
struct Document;

/// All routes, and the document that describes them.
fn routes() -> (Router<Arc<Context>>, utoipa::openapi::OpenApi) {
    let (router, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::about))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(models::list))
        .routes(routes!(models::describe))
        .routes(routes!(models::ready))
        .routes(routes!(models::client))
        .routes(routes!(keys::list))
        .routes(routes!(keys::describe, upload::put, keys::delete))
        .routes(routes!(inference::infer))
        .routes(routes!(jobs::submit))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::describe, jobs::delete))
        .routes(routes!(jobs::result))
        .split_for_parts();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_with(Components::new).add_security_scheme("token", bearer);
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        operations.into_iter().flatten().for_each(complete);
    }
    (router, document)
}

/// Adds to an operation of the document what is not its handler's: refusals of all requests, and the headers of refusals.
fn complete(operation: &mut Operation) {
    let answers = &mut operation.responses.responses;
    let refusal = || {
        let content = Content::new(Some(Ref::from_schema_name("FaultView")));
        RefOr::T(ResponseBuilder::new().content("application/json", content).build())
    };
    // Names that cannot be read, requests of other sites' pages, and faults of the service.
    let of_all = if operation.parameters.is_some() { &["400", "403", "500"][..] } else { &["403", "500"] };
    // Where the database was closed by a full disk, it is opened anew, for which there may be no room yet.
    let of_database = if answers.contains_key("401") { &["503", "507"][..] } else { &[] };
    for status in of_all.iter().chain(of_database) {
        answers.entry(status.to_string()).or_insert_with(refusal);
    }
    for (status, answer) in answers {
        let RefOr::T(answer) = answer else { continue };
        if let Some(reason) =
            StatusCode::from_bytes(status.as_bytes()).ok().and_then(|status| status.canonical_reason())
        {
            answer.description = reason.into();
        }
        if let Some(header) = header_of(status) {
            answer.headers.insert(header.into(), RefOr::T(Header::default()));
        }
    }
}

/// The header that a refusal with a status bears.
fn header_of(status: &str) -> Option<&'static str> {
    match status {
        "401" => Some("WWW-Authenticate"),
        "429" | "503" => Some("Retry-After"),
        _ => None,
    }
}

/// The service as a function from requests to answers.
pub(crate) fn router(context: &Arc<Context>) -> Router {
    let (router, document) = routes();
    let document = async move |State(context): State<Arc<Context>>| {
        let mut document = document;
        if context.tokens.needed().is_some() {
            let no_scopes: [&str; 0] = [];
            document.security = Some(vec![SecurityRequirement::new("token", no_scopes)]);
        }
        Json(document)
    };
    router
        .merge(page::routes())
        .route("/openapi.json", get(document))
        .fallback(|| async { Fault::not_found("page") })
        .method_not_allowed_fallback(|| async {
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")
        })
        .layer(DefaultBodyLimit::max(MOST_IMAGE_BYTES))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(context), guard::guard))
        .with_state(Arc::clone(context))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Statuses of a client that is too slow and of a machine in trouble, which tests of the running service see seldom.
    #[test]
    fn the_document_has_the_statuses_of_trouble() {
        let (_, document) = routes();
        let document = serde_json::to_value(document).unwrap_or_default();
        for (path, method, statuses) in [
            ("/v2/keys/{id}", "put", &["408", "500", "503", "507"][..]),
            ("/v2/keys", "get", &["500", "503", "507"]),
            ("/v2/models/{name}/infer", "post", &["408", "500", "503", "507"]),
            ("/v2/models/{name}/jobs", "post", &["408", "500", "503", "507"]),
            ("/v2/jobs/{id}/result", "get", &["500", "503", "507"]),
        ] {
            for status in statuses {
                let answer = &document["paths"][path][method]["responses"][status];
                assert!(answer["content"]["application/json"].is_object(), "{method} {path}: {status}");
            }
        }
    }

    #[test]
    fn the_document_names_every_route_of_the_protocol() {
        let (_, document) = routes();
        let paths: Vec<&String> = document.paths.paths.keys().collect();
        let expected = [
            "/metrics",
            "/v2",
            "/v2/health/live",
            "/v2/health/ready",
            "/v2/jobs",
            "/v2/jobs/{id}",
            "/v2/jobs/{id}/result",
            "/v2/keys",
            "/v2/keys/{id}",
            "/v2/models",
            "/v2/models/{name}",
            "/v2/models/{name}/client",
            "/v2/models/{name}/infer",
            "/v2/models/{name}/jobs",
            "/v2/models/{name}/ready",
        ];
        assert_eq!(paths, expected);
    }
}
