//! A native file as a whole: header, body and checksum.

use std::io::Read;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::body::{self, Body, check_body_len, check_memory};
use super::header::{CHECKSUM_BYTES, Context, HEADER_BYTES, Header};
use crate::error::{Error, Result};
use crate::parameters::set::Parameters;
use crate::serial::fault::FileFault;

/// More than a secret key's file has.
const SMALL_FILE_BYTES: usize = 4096;

/// A thing with a file format; implemented by this crate's types only.
pub trait FileContent: Body {}

impl<C: Body> FileContent for C {}

/// A thing read from a file, with its header.
#[derive(Debug)]
pub struct Stored<C> {
    /// The thing.
    pub content: C,
    /// What the file says about it.
    pub header: Header,
}

/// A file whose lengths and checksum hold, and whose body has yet to be read: by its header one knows what it is.
#[derive(Debug)]
pub struct Frame {
    header: Header,
    body: Zeroizing<Vec<u8>>,
}

impl Frame {
    /// Reads a file from a source that ends with it. Memory grows with what the source really yields, and no more is read
    /// than the header declares and its parameter set allows.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadFile`] or [`Error::Memory`].
    pub fn read(mut source: impl Read) -> Result<Self> {
        // Room for a secret key at once: a vector that grows would leave copies of its content behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(SMALL_FILE_BYTES));
        read_up_to(&mut source, HEADER_BYTES as u64, &mut bytes)?;
        let header = Header::of_start(&bytes)?;
        let whole = header.file_bytes();
        read_up_to(&mut source, whole - HEADER_BYTES as u64, &mut bytes)?;
        if (bytes.len() as u64) < whole {
            let found = bytes.len() as u64;
            return Err(Error::bad_file(FileFault::Truncated { found, expected: whole }));
        }
        let mut beyond = Vec::new();
        read_up_to(&mut source, 1, &mut beyond)?;
        if !beyond.is_empty() {
            return Err(Error::bad_file(FileFault::Trailing { expected: whole }));
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
        if Sha256::digest(content)[..] != *checksum {
            return Err(Error::bad_file(FileFault::Checksum));
        }
        check_memory(header.kind, header.parameters, 1)?;
        let body = Zeroizing::new(content[HEADER_BYTES..].to_vec());
        Ok(Self { header, body })
    }

    /// What the file says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::WrongKind`] if the file holds something else; [`Error::BadFile`].
    pub fn decode<C: FileContent>(self) -> Result<Stored<C>> {
        let Self { header, body } = self;
        if !C::accepts(header.kind) {
            return Err(Error::WrongKind { found: header.kind, expected: C::KIND });
        }
        check_memory(header.kind, header.parameters, 1)?;
        let content = C::read(&header, &body).map_err(Error::bad_file)?;
        Ok(Stored { content, header })
    }
}

fn read_up_to(source: &mut impl Read, len: u64, bytes: &mut Vec<u8>) -> Result<()> {
    source.take(len).read_to_end(bytes).map_err(|source| Error::Io { source })?;
    Ok(())
}

/// The bytes of a file.
///
/// # Errors
/// [`Error::NotStorable`] for what is of no named parameter set; [`Error::BadFile`] for more ciphertexts than a file holds;
/// [`Error::Memory`].
pub fn to_bytes<C: FileContent>(content: &C, context: Context) -> Result<Zeroizing<Vec<u8>>> {
    let parameters = storable(content.parameters())?;
    // The body, which doubles as it grows, and the whole.
    check_memory(content.kind(), parameters, 4)?;
    // Room for a secret key at once, as in reading.
    let mut body = Zeroizing::new(Vec::with_capacity(SMALL_FILE_BYTES));
    content.write(&mut body);
    let (kind, key_id, body_len) = (content.kind(), content.key_id(), body.len() as u64);
    check_body_len(kind, parameters, body_len).map_err(Error::bad_file)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + body.len() + CHECKSUM_BYTES));
    Header { kind, key_id, context, parameters, body_len }.write(&mut bytes);
    bytes.extend_from_slice(&body);
    let checksum = Sha256::digest(&bytes[..]);
    bytes.extend(checksum);
    Ok(bytes)
}

/// The named set that this is, which a file can name.
pub(super) fn storable(parameters: &Parameters) -> Result<&'static Parameters> {
    let named = Parameters::named(parameters.name).filter(|&named| named == parameters);
    named.ok_or(Error::NotStorable { parameters: parameters.name })
}

/// Bytes of the file of a cloud key of this set, for who sends it or makes room for it.
pub fn cloud_key_bytes(parameters: &Parameters) -> usize {
    HEADER_BYTES + body::cloud_key_bytes(parameters) + CHECKSUM_BYTES
}

/// Reads a thing from the bytes of a file.
///
/// # Errors
/// [`Error::BadFile`] or [`Error::WrongKind`].
pub fn from_bytes<C: FileContent>(bytes: &[u8]) -> Result<Stored<C>> {
    Frame::read(bytes)?.decode()
}
