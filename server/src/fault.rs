//! Refusals, as HTTP says them: a status by whose fault it is, and one line in JSON.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tfhe_core::Blame;
use utoipa::ToSchema;

use crate::{
    access::tokens::Quota,
    api::keys::KeyView,
    store::{OverQuota, StoreError, jobs::MOST_JOBS, usage::seconds_left_today},
    work::order::RunFault,
};

/// A refusal.
#[derive(Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    line: String,
    retry_after: Option<Duration>,
    key: Option<Box<KeyView>>,
}

pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

/// What a refusal says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FaultView {
    /// What is wrong, in one line.
    error: String,
    /// How much of a key was received, where a part does not follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyView>,
}

impl Fault {
    pub(crate) fn new(status: StatusCode, line: impl Into<String>) -> Self {
        Self { status, line: line.into(), retry_after: None, key: None }
    }

    /// 404.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    /// 400.
    pub(crate) fn bad(line: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, line)
    }

    /// 422.
    pub(crate) fn unfit(line: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, line)
    }

    /// 409.
    pub(crate) fn conflict(line: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, line)
    }

    /// 429.
    pub(crate) fn too_much(line: impl Into<String>, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, line) }
    }

    /// 403 where an owner has as much as it may, for which no waiting helps, and 429 where it has used its day.
    pub(crate) fn over_quota(over: OverQuota, quota: Quota) -> Self {
        let full = |line: String| Self::new(StatusCode::FORBIDDEN, line);
        match over {
            OverQuota::Keys => {
                let line = format!(
                    "this token has {} cloud keys, which is all that it may have: delete one",
                    quota.keys
                );
                full(line)
            }
            OverQuota::Bytes => {
                let line = format!(
                    "with this the token would store more than its {} bytes: delete jobs or keys",
                    quota.bytes
                );
                full(line)
            }
            OverQuota::Jobs => {
                full(format!("this token has {MOST_JOBS} jobs, which is all that it may have: delete some"))
            }
            OverQuota::Bootstraps => Self::too_much(
                "this evaluation takes more bootstraps than are left of the token's day",
                Duration::from_secs(seconds_left_today()),
            ),
        }
    }

    /// 408.
    pub(crate) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the body comes too slowly")
    }

    /// 503.
    pub(crate) fn stopping() -> Self {
        let wait = Duration::from_secs(5);
        let line = "the service is stopping; ask again in a while";
        Self { retry_after: Some(wait), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, line) }
    }

    /// 500, of which the log has the cause.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed by a fault of the service");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the service failed; its log says why")
    }

    /// Whether it is the service's own fault.
    pub(crate) fn is_internal(&self) -> bool {
        self.status == StatusCode::INTERNAL_SERVER_ERROR
    }

    /// How much of a key there is, beside the refusal.
    pub(crate) fn with_key(self, key: KeyView) -> Self {
        Self { key: Some(Box::new(key)), ..self }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let view = FaultView { error: self.line, key: self.key.map(|key| *key) };
        let mut response = (self.status, Json(view)).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::new(StatusCode::INSUFFICIENT_STORAGE, "the service's disk is full"),
            StoreError::Closed => {
                let fault = Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the database is opened anew after a failure; ask again",
                );
                Self { retry_after: Some(Duration::from_secs(1)), ..fault }
            }
            error => Self::internal(error),
        }
    }
}

impl From<RunFault> for Fault {
    fn from(fault: RunFault) -> Self {
        match fault {
            RunFault::NoKey | RunFault::NoJob | RunFault::Key(_) => Self::conflict(fault.to_string()),
            RunFault::Network(error) if error.blame() != Blame::Machine => Self::unfit(error.to_string()),
            RunFault::Store(error) => error.into(),
            RunFault::Network(_) | RunFault::Internal => Self::internal(fault),
        }
    }
}
