//! What holds for every request.
//!
//! A page of another site that is open in the user's browser can send requests to a service on the user's own machine. So a request with an
//! `Origin` is taken only from the service's own page, or from the sites that were named; and a service without tokens answers only to names of
//! this machine, so that no foreign name that is made to point here reaches it (DNS rebinding).

use std::{
    any::Any,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    body::HttpBody,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Context, leftover::Leftover};
use crate::fault::Fault;

/// What the page may do: load its own files, run WebAssembly, and talk to the service it came from.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Headers that pages of named sites may send and read.
const SENT_HEADERS: &str = "authorization, content-type, content-range, repr-digest";
const READ_HEADERS: &str = "location, retry-after, x-request-id";
const ALLOWED_METHODS: &str = "GET, PUT, POST, DELETE";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// From where requests are taken.
#[derive(Debug)]
pub(crate) struct Origins {
    /// Other sites whose pages may ask, such as `https://example.org`.
    pub(crate) allowed: Vec<String>,
}

impl Origins {
    /// Refuses a request that another site sends in its user's name. Returns the site, where it is one of those that were named.
    fn check(&self, names: Names, headers: &HeaderMap) -> Result<Option<HeaderValue>, Fault> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let host = text(header::HOST).unwrap_or_default();
        if names == Names::OfThisMachine && !is_own_name(host) {
            let line = "this service answers to names of its own machine only, such as localhost";
            return Err(Fault::new(StatusCode::FORBIDDEN, line));
        }
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(None) };
        let site = origin.to_str().unwrap_or_default();
        if self.allowed.iter().any(|allowed| allowed == site) {
            return Ok(Some(origin.clone()));
        }
        match site.split_once("://") {
            Some((_, own)) if own == host => Ok(None),
            _ => Err(Fault::new(StatusCode::FORBIDDEN, "pages of other sites may not ask this service")),
        }
    }
}

/// Which names may stand for the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    OfThisMachine,
    All,
}

/// Whether a host is this machine for sure: `localhost`, or a loopback address, which no foreign name can be made to be.
fn is_own_name(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let number = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || number.is_ok_and(|number| number.is_loopback())
}

/// Numbers requests for the log.
static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// Takes a request, logs it, and completes its answer.
pub(crate) async fn guard(State(context): State<Arc<Context>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let (method, is_preflight) = (named(request.method()), request.method() == Method::OPTIONS);
    let path = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let is_of_api = path.starts_with("/v2") || path == "/metrics";
    let received = request.body().size_hint().exact();
    let (request, leftover) = Leftover::keep(request);
    // A foreign name that was made to point here is of no use to a page that has no token.
    let names = if context.tokens.needed().is_some() { Names::All } else { Names::OfThisMachine };
    let (mut response, site) = match context.origins.check(names, request.headers()) {
        Ok(Some(site)) if is_preflight => (StatusCode::NO_CONTENT.into_response(), Some(site)),
        Ok(site) => (next.run(request).await, site),
        Err(fault) => (fault.into_response(), None),
    };
    // Who was too slow is not waited for again.
    if let Some(leftover) = leftover.filter(|_| response.status() != StatusCode::REQUEST_TIMEOUT) {
        leftover.drain().await;
    }
    complete(response.headers_mut(), site, is_of_api);
    response.headers_mut().insert(REQUEST_ID, HeaderValue::from(id));
    let (status, seconds) = (response.status().as_u16(), start.elapsed().as_secs_f64());
    context.metrics.answered(method, &path, status, seconds);
    // The path as it is routed: no identity of a key or job, and nothing of a body.
    let sent = response.body().size_hint().exact();
    let seconds = in_decimals(seconds);
    tracing::info!(id, method, path, status, seconds, received, sent, "request");
    response
}

/// Seconds in steps of 0.1 ms, which are written in decimals: smaller numbers would have an exponent.
fn in_decimals(seconds: f64) -> f64 {
    (seconds * 1e4).round() / 1e4
}

/// A method by a name of ours: what a client writes there comes into no log, and makes no new number.
fn named(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"];
    known.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

/// The headers of every answer.
fn complete(headers: &mut HeaderMap, site: Option<HeaderValue>, is_of_api: bool) {
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::VARY, "origin");
    if is_of_api {
        set(header::CACHE_CONTROL, "no-store");
    }
    match site {
        Some(site) => {
            set(header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
            set(header::ACCESS_CONTROL_ALLOW_HEADERS, SENT_HEADERS);
            set(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ_HEADERS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, site);
        }
        None => {
            set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
        }
    }
}

/// The answer to a request whose handler panicked.
pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response {
    Fault::internal("a handler panicked").into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check(names: Names, host: &str, origin: Option<&str>) -> Result<Option<HeaderValue>, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        Origins { allowed: vec!["https://friend.example".into()] }.check(names, &headers)
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        assert!(check(Names::OfThisMachine, "localhost:8000", None).unwrap().is_none());
        assert!(
            check(Names::OfThisMachine, "127.0.0.1:8000", Some("http://127.0.0.1:8000")).unwrap().is_none()
        );
        assert!(check(Names::OfThisMachine, "[::1]:8000", Some("http://[::1]:8000")).unwrap().is_none());
        assert!(check(Names::OfThisMachine, "127.0.0.2:8000", None).unwrap().is_none());
        assert!(check(Names::OfThisMachine, "LocalHost:8000", None).unwrap().is_none());
        assert!(check(Names::All, "bnn.example", Some("https://bnn.example")).unwrap().is_none());
        assert!(check(Names::All, "bnn.example", Some("https://friend.example")).unwrap().is_some());
        for origin in
            ["https://evil.example", "null", "http://127.0.0.1:9000", "", "https://friend.example.evil"]
        {
            assert!(check(Names::OfThisMachine, "127.0.0.1:8000", Some(origin)).is_err(), "{origin}");
        }
    }

    #[test]
    fn the_log_has_seconds_in_decimals() {
        for (seconds, text) in
            [(6.2e-5, "0.0001"), (1e-9, "0.0"), (0.012_345, "0.0123"), (2.25, "2.25"), (3600.0, "3600.0")]
        {
            let seconds = in_decimals(seconds);
            assert_eq!(
                (format!("{seconds:?}"), serde_json::to_string(&seconds).unwrap()),
                (text.into(), text.into())
            );
        }
    }

    #[test]
    fn names_that_were_made_to_point_here_are_refused() {
        for host in [
            "evil.example",
            "evil.example:8000",
            "localhost.evil.example",
            "",
            "127.0.0.1.evil.example",
            "0.0.0.0",
            "192.0.2.1",
        ] {
            assert!(check(Names::OfThisMachine, host, None).is_err(), "{host}");
        }
    }
}
