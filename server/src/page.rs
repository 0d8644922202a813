//! The page, with the client module that runs in it and the sample digits. All of it is in this program.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};

use crate::{access::tokens::hex, api::Context};

/// A file of the page: its path, its type, and its bytes.
type Asset = (&'static str, &'static str, &'static [u8]);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const WASM: &str = "application/wasm";
const PNG: &str = "image/png";

/// A file of the page in this program.
macro_rules! shipped {
    ($path:literal) => {
        include_bytes!(concat!("../shipped/", $path))
    };
}

const ASSETS: [Asset; 19] = [
    ("/", HTML, shipped!("page/index.html")),
    ("/style.css", CSS, shipped!("page/style.css")),
    ("/page.js", SCRIPT, shipped!("page/page.js")),
    ("/kept.js", SCRIPT, shipped!("page/kept.js")),
    ("/picture.js", SCRIPT, shipped!("page/picture.js")),
    ("/service.js", SCRIPT, shipped!("page/service.js")),
    ("/worker.js", SCRIPT, shipped!("page/worker.js")),
    ("/client.js", SCRIPT, shipped!("client.js")),
    ("/client.wasm", WASM, shipped!("client.wasm")),
    ("/digits/0.png", PNG, shipped!("digits/0.png")),
    ("/digits/1.png", PNG, shipped!("digits/1.png")),
    ("/digits/2.png", PNG, shipped!("digits/2.png")),
    ("/digits/3.png", PNG, shipped!("digits/3.png")),
    ("/digits/4.png", PNG, shipped!("digits/4.png")),
    ("/digits/5.png", PNG, shipped!("digits/5.png")),
    ("/digits/6.png", PNG, shipped!("digits/6.png")),
    ("/digits/7.png", PNG, shipped!("digits/7.png")),
    ("/digits/8.png", PNG, shipped!("digits/8.png")),
    ("/digits/9.png", PNG, shipped!("digits/9.png")),
];

/// The routes of the page's files.
pub(crate) fn routes() -> Router<Arc<Context>> {
    ASSETS.iter().fold(Router::new(), |router, &(path, kind, bytes)| {
        let tag = format!("\"{}\"", hex(&Sha256::digest(bytes)[..16]));
        router.route(path, get(move |headers: HeaderMap| async move { answer(&headers, kind, bytes, tag) }))
    })
}

/// A file, if it is another than the browser has.
fn answer(headers: &HeaderMap, kind: &'static str, bytes: &'static [u8], tag: String) -> Response {
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    // A newer service has newer files under the same names.
    let caching = [(header::CACHE_CONTROL, "no-cache".to_owned()), (header::ETAG, tag)];
    if is_known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, kind)], bytes).into_response()
}
