//! The page, with the client module that runs in it. All of it is in this program.

use std::sync::Arc;

use axum::{Router, http::header, routing::get};

use crate::api::Context;

/// A file of the page: its path, its type, and its bytes.
type Asset = (&'static str, &'static str, &'static [u8]);

const ASSETS: [Asset; 0] = [];

/// The routes of the page's files.
pub(crate) fn routes() -> Router<Arc<Context>> {
    ASSETS.iter().fold(Router::new(), |router, &(path, kind, bytes)| {
        // A newer service has newer files under the same names.
        let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
        router.route(path, get(move || async move { (headers, bytes) }))
    })
}
