//! Gzip (RFC 1952): members one after the other, and what comes after the last.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;

/// How a member starts.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The content of bytes that may be in gzip, unpacked no further than it is read.
pub(super) enum Unpacked<'a> {
    /// Bytes that are not in gzip: those not read yet.
    Plain(&'a [u8]),
    /// The member that is being unpacked.
    Gzip(GzDecoder<&'a [u8]>),
}

impl<'a> Unpacked<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        if bytes.starts_with(&MAGIC) { Self::Gzip(GzDecoder::new(bytes)) } else { Self::Plain(bytes) }
    }

    /// The bytes that are not taken in yet: after the end of the content, those that are no part of it.
    pub(super) fn rest(&self) -> &'a [u8] {
        match self {
            Self::Plain(rest) => rest,
            Self::Gzip(member) => member.get_ref(),
        }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let member = match self {
                Self::Plain(rest) => return rest.read(buffer),
                Self::Gzip(member) => member,
            };
            let count = member.read(buffer)?;
            let rest = *member.get_ref();
            if count > 0 || buffer.is_empty() || !rest.starts_with(&MAGIC) {
                return Ok(count);
            }
            *member = GzDecoder::new(rest);
        }
    }
}

/// Whether bytes after the last member mean nothing: zeros that fill a block up, or the end of a line.
pub(super) fn is_padding(rest: &[u8]) -> bool {
    rest.iter().all(|&byte| byte == 0) || matches!(rest, b"\n" | b"\r\n")
}
