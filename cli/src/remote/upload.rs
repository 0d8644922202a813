//! A cloud key on its way to the service: in parts, so that an interruption costs one of them and not all.

use std::{thread, time::Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};
use tfhe_core::keys::KeyId;

use super::{
    answers::Key,
    retry::{Failure, PATIENCE, pause},
    service::Service,
};
use crate::{
    error::{Result, remote::RemoteFault},
    terminal::{progress::Count, units},
};

/// Bytes of a part.
const PART: usize = 4 << 20;

/// A cloud key that the service has, and how much of it was sent now.
#[derive(Debug)]
pub(crate) struct Uploaded {
    pub(crate) key: Key,
    pub(crate) bytes: u64,
}

/// Sends the file of a cloud key, or what the service has not received of it.
///
/// # Errors
/// [`Error::Remote`](crate::error::Error::Remote) where the service refuses it, or has another one with this identity.
pub(crate) fn upload(service: &Service, id: KeyId, file: &[u8]) -> Result<Uploaded> {
    let parts = Parts { service, id, file, sha256: Sha256::digest(file).into() };
    match service.key(id)? {
        Some(key) if key.complete => parts.finish(key, 0),
        known => parts.send(known),
    }
}

/// A file that is sent in parts.
struct Parts<'a> {
    service: &'a Service,
    id: KeyId,
    file: &'a [u8],
    sha256: [u8; 32],
}

impl Parts<'_> {
    /// Sends what the service has not received.
    fn send(&self, known: Option<Key>) -> Result<Uploaded> {
        let start = self.received(known.as_ref());
        let progress = Count::bytes(self.file.len(), start);
        let sent = self.send_from(start, known, &progress);
        progress.finish();
        sent
    }

    fn send_from(&self, start: usize, known: Option<Key>, progress: &Count) -> Result<Uploaded> {
        let digest = BASE64_STANDARD.encode(self.sha256);
        let (mut received, mut last, mut bytes) = (start, known, 0);
        // Parts that were lost one after the other, and since when.
        let mut lost: Option<(Instant, u32)> = None;
        // What an earlier command sent may be of another file with the same identity.
        let mut may_be_other = start > 0;
        loop {
            if let Some(key) = last.filter(|key| key.complete) {
                return self.finish(key, bytes);
            }
            let part = received..self.file.len().min(received + PART);
            let sent = self.service.put_part(self.id, self.file, part.clone(), &digest);
            let (failure, after) = match sent {
                Ok(key) => {
                    let now = self.received(Some(&key));
                    if !key.complete && now != part.end {
                        let fault =
                            RemoteFault::Malformed(format!("{now} bytes received of {} sent", part.end));
                        return Err(self.service.key_error(self.id, fault));
                    }
                    (received, last, lost) = (part.end, Some(key), None);
                    bytes += part.len() as u64;
                    progress.reach(received);
                    continue;
                }
                Err(Failure::Lasting(error)) if may_be_other && error.is_refused_with(400) => {
                    (received, last, may_be_other) = (0, None, false);
                    progress.reach(received);
                    continue;
                }
                // Another command may be sending the same key.
                Err(Failure::Lasting(error)) if error.is_refused_with(409) => (*error, None),
                Err(Failure::Lasting(error)) => return Err(*error),
                Err(Failure::Passing { error, after }) => (*error, after),
            };
            let (since, count) = lost.unwrap_or((Instant::now(), 0));
            let pause = pause(count, after);
            if since.elapsed() + pause >= PATIENCE {
                return Err(failure);
            }
            thread::sleep(pause);
            last = self.service.key(self.id)?;
            let now = self.received(last.as_ref());
            lost = (now <= received).then_some((since, count + 1));
            received = now;
            progress.reach(received);
        }
    }

    /// The key that the service has, which must be this one.
    fn finish(&self, key: Key, bytes: u64) -> Result<Uploaded> {
        if key.sha256.as_ref().is_some_and(|digest| *digest != units::hex(&self.sha256)) {
            let id = self.id.to_string();
            return Err(self.service.key_error(self.id, RemoteFault::OtherCloudKey { id }));
        }
        Ok(Uploaded { key, bytes })
    }

    /// How much of the file the service has received. Of a file of another length, nothing is of use.
    fn received(&self, key: Option<&Key>) -> usize {
        let key = key.filter(|key| key.bytes == self.file.len() as u64);
        let received = key.and_then(|key| usize::try_from(key.received).ok()).unwrap_or_default();
        // A service that claims to have all, and has not, is sent all again.
        if received < self.file.len() { received } else { 0 }
    }
}
