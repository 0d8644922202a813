//! Bodies: how slowly they may come, and how many bytes of images are in memory at a time.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{BodyDataStream, Bytes},
    extract::{FromRequest, Request},
    http::{StatusCode, header},
    response::IntoResponse,
};
use futures_util::StreamExt;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout, timeout_at},
};

use super::{Context, MOST_IMAGE_BYTES};
use crate::fault::{Fault, Result};

/// Bytes of images in memory at a time, at most, in KB of 1024.
pub(crate) const MOST_IMAGE_KILOBYTES: usize = 256 << 10;
/// How long an image may take to come: it has some KB.
const IMAGE_TIME: Duration = Duration::from_secs(60);
/// For how long nothing may come of a body.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes a second that come of a key at least, beyond a first minute. Who is slower is cut off, and goes on where it was.
const LEAST_SPEED: u64 = 4 << 10;
const FIRST_TIME: Duration = Duration::from_secs(60);

/// A body with an image, which was awaited for a bounded time, with the room that it takes.
pub(crate) struct ImageBody(pub(crate) Bytes, pub(crate) OwnedSemaphorePermit);

impl FromRequest<Arc<Context>> for ImageBody {
    type Rejection = Fault;

    async fn from_request(request: Request, context: &Arc<Context>) -> Result<Self> {
        let too_large = || {
            let line = format!("an encrypted image has no more than {MOST_IMAGE_BYTES} bytes");
            Fault::new(StatusCode::PAYLOAD_TOO_LARGE, line)
        };
        let told = request.headers().get(header::CONTENT_LENGTH);
        let told = told.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let most = told.unwrap_or(MOST_IMAGE_BYTES);
        if most > MOST_IMAGE_BYTES {
            return Err(too_large());
        }
        let kilobytes = most.div_ceil(1 << 10) as u32;
        let room = Arc::clone(&context.images).try_acquire_many_owned(kilobytes);
        let busy =
            |_| Fault::too_much("too many images come at once; ask again later", Duration::from_secs(5));
        let room = room.map_err(busy)?;
        let body = timeout(IMAGE_TIME, Bytes::from_request(request, context)).await;
        let body = body.map_err(|_| Fault::too_slow())?.map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => too_large(),
                _ => Fault::bad("the body broke off"),
            }
        })?;
        Ok(Self(body, room))
    }
}

/// A long body, which comes at a speed at least.
pub(super) struct LongBody {
    body: BodyDataStream,
    begun: Instant,
    bytes: u64,
}

impl LongBody {
    pub(super) fn new(body: BodyDataStream) -> Self {
        Self { body, begun: Instant::now(), bytes: 0 }
    }

    /// The next bytes; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        let slowest = self.begun + FIRST_TIME + Duration::from_secs(self.bytes / LEAST_SPEED);
        let until = slowest.min(Instant::now() + SILENCE);
        let bytes = timeout_at(until, self.body.next()).await.map_err(|_| Fault::too_slow())?;
        let bytes = bytes.transpose().map_err(|_| Fault::bad("the body broke off"))?;
        self.bytes += bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        Ok(bytes)
    }
}
