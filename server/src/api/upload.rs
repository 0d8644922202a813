//! How a cloud key comes: whole, or in parts, each acknowledged when it is on the disk.

use std::{
    collections::HashMap,
    io::Read,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use tfhe_core::{
    Blame,
    keys::{CloudKey, KeyId},
    parameters::Parameters,
    serial::{Frame, Header, Kind, cloud_key_bytes},
};

use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::timeout,
};

use super::{
    Context, away,
    body::LongBody,
    caller::Caller,
    file::File,
    keys::{KeyView, identity},
    request::Path,
};
use crate::{
    access::tokens::Scope,
    fault::{Fault, FaultView, Result},
    models::is_served,
    store::{
        Store,
        keys::{KeyName, KeyRecord},
    },
};

/// Bytes that are written to the disk at a time. The database gives each part pages of a power of two, with some bytes for itself.
const PART_BYTES: usize = (1 << 20) - (4 << 10);
/// How long an upload waits for another of the same key, which may be one whose client has gone.
const MOST_WAIT: Duration = Duration::from_secs(60);
/// Bytes by which a file is known.
const START_BYTES: usize = 100;
/// The header with the digest of the whole key (RFC 9530).
const REPR_DIGEST: &str = "repr-digest";

/// Which bytes of a key a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: u64,
    /// One behind the last.
    end: u64,
    total: u64,
}

impl Range {
    /// The range that the headers tell: that of `Content-Range: bytes FIRST-LAST/TOTAL`, else the whole.
    fn of(headers: &HeaderMap) -> Result<Self> {
        let no_length = || Fault::new(StatusCode::LENGTH_REQUIRED, "a key is sent with its length");
        let length: Option<u64> =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let Some(range) = headers.get(header::CONTENT_RANGE) else {
            let total = length.ok_or_else(no_length)?;
            return Ok(Self { first: 0, end: total, total });
        };
        let range = range.to_str().ok().and_then(Self::parse);
        let range = range.ok_or_else(|| Fault::bad("Content-Range is not: bytes FIRST-LAST/TOTAL"))?;
        if length.is_some_and(|length| length != range.end - range.first) {
            return Err(Fault::bad("Content-Length is not the length of Content-Range"));
        }
        Ok(range)
    }

    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let range = Self {
            first: first.parse().ok()?,
            end: last.parse::<u64>().ok()?.checked_add(1)?,
            total: total.parse().ok()?,
        };
        (range.first < range.end && range.end <= range.total).then_some(range)
    }
}

/// The digest of the whole key that a client tells, if it tells one.
fn told_digest(headers: &HeaderMap) -> Result<Option<[u8; 32]>> {
    let Some(text) = headers.get(REPR_DIGEST) else { return Ok(None) };
    let digest = text.to_str().ok().and_then(|text| {
        let of_sha =
            text.split(',').find_map(|one| one.trim().strip_prefix("sha-256=:")?.strip_suffix(':'))?;
        BASE64_STANDARD.decode(of_sha).ok()?.try_into().ok()
    });
    digest.map(Some).ok_or_else(|| Fault::bad("Repr-Digest is not: sha-256=:BASE64:"))
}

/// Uploads a cloud key, or a part of one
///
/// A part has the header `Content-Range: bytes FIRST-LAST/TOTAL`. `Repr-Digest: sha-256=:BASE64:` has the digest of the whole compared.
#[utoipa::path(put, path = "/v2/keys/{id}", params(("id" = String, Path, pattern = "^[0-9a-f]{32}$"),
    ("Content-Range" = Option<String>, Header, nullable = false, description = "`bytes FIRST-LAST/TOTAL`, where the body is a part"),
    ("Repr-Digest" = Option<String>, Header, nullable = false, description = "`sha-256=:BASE64:`, the digest of the whole key")),
    request_body(content = inline(File), content_type = "application/octet-stream"),
    responses((status = 200, body = KeyView), (status = 201, body = KeyView), (status = 202, body = KeyView), (status = 400, body = FaultView),
    (status = 401, body = FaultView), (status = 403, body = FaultView), (status = 404, body = FaultView), (status = 409, body = FaultView),
    (status = 408, body = FaultView), (status = 411, body = FaultView), (status = 413, body = FaultView), (status = 422, body = FaultView),
    (status = 429, body = FaultView), (status = 503, body = FaultView), (status = 507, body = FaultView)))]
pub(crate) async fn put(
    State(context): State<Arc<Context>>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    caller.needs(Scope::Upload)?;
    context.check_running()?;
    let id = KeyId(
        identity(&id, "key")
            .map_err(|_| Fault::bad("a key is named by its identity, 32 hexadecimal digits"))?,
    );
    let (range, digest) = (Range::of(&headers)?, told_digest(&headers)?);
    let body = LongBody::new(body.into_data_stream());
    let name = KeyName::new(&caller.owner, id);
    let turn = Arc::new(context.uploads.turn(&name).await?);
    let upload = Upload { context, name, id, range, turn };
    let mut record = upload.record().await?;
    if record.as_ref().is_some_and(|record| !record.is_complete() && record.received == record.bytes) {
        // A process ended between its last byte and the look at the whole. What is found to be no key is forgotten, and comes anew.
        match upload.finish(None).await {
            Err(fault) if fault.is_internal() => return Err(fault),
            Ok(_) | Err(_) => record = upload.record().await?,
        }
    }
    match record {
        Some(record) if record.is_complete() => upload.compare(record, body, digest).await,
        record => {
            upload.check_begin(record, &caller).await?;
            upload.receive(body, digest).await
        }
    }
}

/// The keys that come just now: each in one request at a time.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    turns: Mutex<HashMap<KeyName, Weak<AsyncMutex<()>>>>,
    /// Held by whoever reads a key as a whole.
    reading: Arc<AsyncMutex<()>>,
}

impl Uploads {
    /// Waits until no other request sends this key. So requests that send the same key at once do not begin it anew under each other: the
    /// first sends it, and the others find it there.
    async fn turn(&self, name: &KeyName) -> Result<OwnedMutexGuard<()>> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let turn = turns.get(name).and_then(Weak::upgrade).unwrap_or_default();
            turns.insert(name.clone(), Arc::downgrade(&turn));
            turn
        };
        let busy = |_| Fault::conflict("another request sends this key; ask how much of it was received");
        timeout(MOST_WAIT, turn.lock_owned()).await.map_err(busy)
    }
}

/// A request with a key, or with a part of one.
struct Upload {
    context: Arc<Context>,
    name: KeyName,
    id: KeyId,
    range: Range,
    /// Held by whatever is being written too, which goes on to its end where the client goes away.
    turn: Arc<OwnedMutexGuard<()>>,
}

impl Upload {
    async fn record(&self) -> Result<Option<KeyRecord>> {
        let name = self.name.clone();
        self.context.with_store(move |store| store.key(&name)).await
    }

    /// Refuses a part that does not follow what was received, and what the token may not store; else makes ready for it.
    async fn check_begin(&self, record: Option<KeyRecord>, caller: &Caller) -> Result<()> {
        let Range { first, total, .. } = self.range;
        if first > 0 {
            return match record {
                Some(record) if record.received == first && record.bytes == total => Ok(()),
                Some(record) => Err(self.out_of_place(record)),
                None => Err(Fault::conflict("nothing of this key was received: begin at its first byte")),
            };
        }
        let most = Parameters::ALL.iter().map(|set| cloud_key_bytes(set) as u64).max().unwrap_or_default();
        if total > most {
            let line = format!("{total} bytes, where the longest cloud key has {most}");
            return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, line));
        }
        let (quota, name) = (caller.quota, self.name.clone());
        let begun = self.context.with_store(move |store| store.begin_key(&name, total, quota)).await?;
        begun.map_err(|over| Fault::over_quota(over, quota))
    }

    fn out_of_place(&self, record: KeyRecord) -> Fault {
        let line = format!(
            "this part begins at byte {}, where {} of {} were received",
            self.range.first, record.received, record.bytes
        );
        Fault::conflict(line).with_key(KeyView::new(self.id, record))
    }

    /// Stores what comes, and the key as a whole when it is.
    async fn receive(&self, mut body: LongBody, digest: Option<[u8; 32]>) -> Result<Response> {
        let mut offset = self.range.first;
        let mut buffer = Vec::new();
        let ended = loop {
            match body.next().await {
                Ok(Some(bytes)) if offset + (buffer.len() + bytes.len()) as u64 > self.range.end => {
                    break Err(Fault::bad("the body is longer than it was said to be"));
                }
                Ok(Some(bytes)) => buffer.extend_from_slice(&bytes),
                Ok(None) => break Ok(()),
                Err(fault) => break Err(fault),
            }
            while buffer.len() >= PART_BYTES {
                let rest = buffer.split_off(PART_BYTES);
                offset = self.append(offset, std::mem::replace(&mut buffer, rest)).await?;
            }
        };
        // What came before an interruption need not be sent again, but for a beginning that does not tell what it is.
        if ended.is_ok() || offset > 0 || buffer.len() >= START_BYTES {
            offset = self.append(offset, buffer).await?;
        }
        ended?;
        if offset < self.range.end {
            return Err(Fault::bad(format!("the body ended at byte {offset} of {}", self.range.end)));
        }
        if offset < self.range.total {
            let record = self.record().await?.ok_or_else(|| Fault::not_found("key"))?;
            return Ok((StatusCode::ACCEPTED, Json(KeyView::new(self.id, record))).into_response());
        }
        self.finish(digest).await
    }

    /// Stores the next bytes. The first of a key are looked at: what is none is refused before the rest is sent.
    async fn append(&self, offset: u64, part: Vec<u8>) -> Result<u64> {
        if part.is_empty() {
            return Ok(offset);
        }
        let (name, id, total) = (self.name.clone(), self.id, self.range.total);
        let end = offset + part.len() as u64;
        let (store, turn) = (Arc::clone(&self.context.store), Arc::clone(&self.turn));
        let is_next = away(move || {
            let _held = turn;
            let parameters = if offset == 0 {
                check_start(&part, id, total)
            } else {
                Ok(store.key(&name)?.and_then(|record| record.parameters).unwrap_or_default())
            };
            match parameters {
                Ok(parameters) => Ok::<_, Fault>(store.append_key(&name, offset, &part, &parameters)?),
                Err(fault) => {
                    store.drop_upload(&name)?;
                    Err(fault)
                }
            }
        })
        .await??;
        if is_next {
            return Ok(end);
        }
        match self.record().await? {
            Some(record) => Err(self.out_of_place(record)),
            None => Err(Fault::conflict("the key was deleted while it came")),
        }
    }

    /// Reads the key as a whole, which it is from then on; what is no key is forgotten.
    async fn finish(&self, digest: Option<[u8; 32]>) -> Result<Response> {
        // A key that is read as a whole takes its bytes in memory: one at a time.
        let reading = Arc::clone(&self.context.uploads.reading).lock_owned().await;
        let (name, id, store) = (self.name.clone(), self.id, Arc::clone(&self.context.store));
        let turn = Arc::clone(&self.turn);
        let record = away(move || {
            let _held = (reading, turn);
            let found = check_whole(&store, &name, id);
            match found {
                Ok(found) if digest.is_none_or(|digest| digest == found) => {
                    let is_same = store.finish_key(&name, found)?;
                    let record = store.key(&name)?.filter(|_| is_same);
                    record.ok_or_else(|| Fault::conflict("the key was deleted while it came"))
                }
                Ok(_) => {
                    store.drop_upload(&name)?;
                    Err(Fault::bad(
                        "the bytes that came do not have the digest of Repr-Digest; nothing was kept",
                    ))
                }
                // What could not be read may be a key all the same.
                Err(fault) if fault.is_internal() => Err(fault),
                Err(fault) => {
                    store.drop_upload(&name)?;
                    Err(fault)
                }
            }
        })
        .await??;
        Ok((StatusCode::CREATED, Json(KeyView::new(self.id, record))).into_response())
    }

    /// Compares what is sent with the key that is there.
    async fn compare(
        &self,
        record: KeyRecord,
        mut body: LongBody,
        digest: Option<[u8; 32]>,
    ) -> Result<Response> {
        let other = || Fault::conflict("another cloud key of this identity is there: delete it first");
        if self.range.total != record.bytes || digest.is_some_and(|digest| record.sha256 != Some(digest)) {
            return Err(other());
        }
        if digest.is_none() {
            let (name, first) = (self.name.clone(), self.range.first);
            let mut stored = self.context.with_store(move |store| store.read_key(&name, first)).await?;
            let mut offset = self.range.first;
            while let Some(bytes) = body.next().await? {
                offset += bytes.len() as u64;
                let (is_same, reader) = away(move || {
                    let mut own = vec![0; bytes.len()];
                    let is_same = stored.read_exact(&mut own).is_ok() && own == bytes;
                    (is_same, stored)
                })
                .await?;
                if !is_same {
                    return Err(other());
                }
                stored = reader;
            }
            if offset != self.range.end {
                return Err(Fault::bad(format!("the body ended at byte {offset} of {}", self.range.end)));
            }
        }
        Ok((StatusCode::OK, Json(KeyView::new(self.id, record))).into_response())
    }
}

/// Refuses the first bytes of what is no cloud key of this identity and length for an engine here. Returns the name of the parameter set.
fn check_start(bytes: &[u8], id: KeyId, total: u64) -> Result<String> {
    let header = Header::of_start(bytes).map_err(|error| Fault::bad(error.to_string()))?;
    if !is_served(header.parameters) {
        let name = header.parameters.name();
        return Err(Fault::unfit(format!(
            "a key of {name}, which is below 128 bits of security or for no engine: it is not taken"
        )));
    }
    if header.kind != Kind::CloudKey {
        return Err(Fault::bad(format!("this file holds {}, where a cloud key is needed", header.kind)));
    }
    if header.key_id != id {
        return Err(Fault::bad(format!("this is the cloud key {}, which was sent as {id}", header.key_id)));
    }
    if header.file_bytes() != total {
        return Err(Fault::bad(format!(
            "a file of {} bytes, which was said to have {total}",
            header.file_bytes()
        )));
    }
    Ok(header.parameters.name().into())
}

/// Reads a key that has come, and gives its SHA-256.
fn check_whole(store: &Store, name: &KeyName, id: KeyId) -> Result<[u8; 32]> {
    let mut source = Hashing { source: store.read_key(name, 0)?, hash: Sha256::new() };
    let stored = Frame::read(&mut source).and_then(Frame::decode::<CloudKey>);
    let stored = stored.map_err(|error| match error.blame() {
        Blame::Machine => Fault::internal(error),
        _ => Fault::bad(error.to_string()),
    })?;
    if stored.content.id() != id {
        return Err(Fault::bad(format!(
            "this is the cloud key {}, which was sent as {id}",
            stored.content.id()
        )));
    }
    Ok(source.hash.finalize().into())
}

/// A source whose bytes are hashed as they are read.
struct Hashing<R> {
    source: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ranges_are_read_and_what_is_none_is_refused() {
        assert_eq!(Range::parse("bytes 0-9/10"), Some(Range { first: 0, end: 10, total: 10 }));
        assert_eq!(Range::parse("bytes 4-4/10"), Some(Range { first: 4, end: 5, total: 10 }));
        let wrong = [
            "",
            "bytes",
            "bytes 0-10/10",
            "bytes 5-4/10",
            "bytes 0-9/*",
            "0-9/10",
            "bytes -1-9/10",
            "bytes 0-18446744073709551615/18446744073709551615",
        ];
        for text in wrong {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }
}
