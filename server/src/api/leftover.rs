//! What is left of a request's body when its answer is ready.
//!
//! A client that is still sending hears of an answer only when it has sent everything: a connection that is closed before is a broken one to
//! it. So what is left is read, and forgotten, for a while.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::Request,
    http::header,
};
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

/// How long what is left is read.
const MOST_TIME: Duration = Duration::from_secs(20);
/// How many bytes of it are read, at most: as many as the longest key has, and some.
const MOST_BYTES: usize = 256 << 20;

/// A body that is read by a handler, and after it by whoever kept a copy.
#[derive(Clone)]
pub(super) struct Leftover(Arc<Mutex<BodyDataStream>>);

impl Stream for Leftover {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    }
}

impl Leftover {
    /// A request as it was, with a copy of its body's handle; none where the client waits to be told to send (`Expect: 100-continue`).
    pub(super) fn keep(request: Request) -> (Request, Option<Self>) {
        if request.headers().contains_key(header::EXPECT) {
            return (request, None);
        }
        let (parts, body) = request.into_parts();
        let leftover = Self(Arc::new(Mutex::new(body.into_data_stream())));
        (Request::from_parts(parts, Body::from_stream(leftover.clone())), Some(leftover))
    }

    /// Reads what is left, and forgets it.
    pub(super) async fn drain(mut self) {
        let mut bytes = 0;
        let drain = async {
            while let Some(Ok(more)) = self.next().await {
                bytes += more.len();
                if bytes > MOST_BYTES {
                    break;
                }
            }
        };
        // Who is slower than that is cut off.
        let _ = timeout(MOST_TIME, drain).await;
    }
}
