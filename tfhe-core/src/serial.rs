//! Files: what is stored and sent, in one container format. docs/formats.md is its definition.
//!
//! A file is a header of 100 bytes (magic, version, kind, key id, context, parameter set, length of the body), the
//! body, and a SHA-256 checksum of both; integers are little-endian. The checksum finds accidents; it is no
//! authentication. The *context* is 32 bytes that belong to the application: this crate stores and returns them.
//!
//! A reader trusts nothing: it bounds the length by what the parameter set allows before it allocates, and allocates no
//! more than the file has bytes. A file that is written is there whole or not at all ([`write_whole`]).
//!
//! ```
//! use tfhe_core::{Error, ciphertext::SeededCiphertexts, keys::SecretKey, parameters::GATES_DEFAULT};
//! use tfhe_core::{random::SecretSeed, serial::{NO_CONTEXT, from_bytes, to_bytes}};
//! let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
//! let mut file = to_bytes(&key.encrypt(&[true], SecretSeed::from_os()?), NO_CONTEXT);
//! let bit = from_bytes::<SeededCiphertexts>(&file, "bit".as_ref())?;
//! assert_eq!(bit.header.key_id, key.id());
//! assert!(key.decrypt(&bit.content.expand()[0])?);
//! file[120] ^= 1;
//! assert!(matches!(from_bytes::<SeededCiphertexts>(&file, "bit".as_ref()), Err(Error::BadFile { .. })));
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::keys::KeyId;
use crate::parameters::Parameters;

mod content;
pub mod tfhe_lib;
mod whole;

pub use content::CiphertextList;
pub use whole::{Existing, Secrecy, Staged, folder_of, make_folder, sync_folder, write_whole};

const MAGIC: [u8; 8] = *b"tfhebnn\n";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 100;
const CHECKSUM_BYTES: usize = 32;
const NAME_BYTES: usize = 32;
/// More than a secret key's file has.
const SMALL_FILE_BYTES: usize = 4096;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u16)]
pub enum Kind {
    /// A [`SecretKey`](crate::keys::SecretKey).
    SecretKey = 1,
    /// A [`CloudKey`](crate::keys::CloudKey).
    CloudKey = 2,
    /// [`SeededCiphertexts`](crate::ciphertext::SeededCiphertexts).
    SeededCiphertexts = 3,
    /// A [`PackedCiphertext`](crate::ciphertext::PackedCiphertext).
    // 4 was one without rows.
    PackedCiphertext = 6,
    /// A [`CiphertextList`].
    CiphertextList = 5,
    /// A [`CloudKey`](crate::keys::CloudKey) with its masks, as one of the TFHE library has them.
    CloudKeyWithMasks = 7,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::SecretKey,
        Self::CloudKey,
        Self::SeededCiphertexts,
        Self::PackedCiphertext,
        Self::CiphertextList,
        Self::CloudKeyWithMasks,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecretKey => "a secret key",
            Self::CloudKey | Self::CloudKeyWithMasks => "a cloud key",
            Self::SeededCiphertexts => "seeded ciphertexts",
            Self::PackedCiphertext => "a packed ciphertext",
            Self::CiphertextList => "a list of ciphertexts",
        })
    }
}

/// What is wrong with a file's content.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// It ends too early.
    #[error("truncated: {found} bytes, where {expected} were expected")]
    Truncated {
        /// Bytes there are.
        found: u64,
        /// Bytes needed.
        expected: u64,
    },
    /// It goes on after its end.
    #[error("bytes follow the end, which is at {expected}")]
    Trailing {
        /// Where the file should end.
        expected: u64,
    },
    /// It does not begin as files of this format do.
    #[error("not a file of this program (wrong magic bytes)")]
    Magic,
    /// A version that this program does not know.
    #[error("format version {found}, where this program knows {VERSION}")]
    Version {
        /// The file's version.
        found: u16,
    },
    /// A kind that this program does not know.
    #[error("unknown kind of file ({found} at byte 10)")]
    Kind {
        /// The file's kind.
        found: u16,
    },
    /// A parameter set that this program does not know.
    #[error("unknown parameter set '{name}' (at byte 60)")]
    Parameters {
        /// The set's name, as far as it is text.
        name: String,
    },
    /// The length of the body is not what kind and parameter set call for.
    #[error("a body of {found} bytes (at byte 92), where {kind} with {parameters} has {expected}")]
    BodyLength {
        /// The length in the header.
        found: u64,
        /// The file's kind.
        kind: Kind,
        /// The parameter set.
        parameters: &'static str,
        /// The length, or its bound, in words.
        expected: String,
    },
    /// The checksum does not match: the file was damaged.
    #[error("damaged: its checksum does not match its content")]
    Checksum,
    /// A field of the body has a value it cannot have.
    #[error("{field} is {found}, where {expected} was expected")]
    Field {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A field of a file of the TFHE library has a value it cannot have.
    #[error("{field} at byte {at} is {found}, where {expected} was expected")]
    FieldAt {
        /// The field's offset.
        at: u64,
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// Made for another context (by the application's word).
    #[error("{0}")]
    Context(String),
}

/// 32 bytes that belong to the application, bound to the file by its checksum.
pub type Context = [u8; 32];

/// The context of a file that has none.
pub const NO_CONTEXT: Context = [0; 32];

/// What every file says about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// What the file holds.
    pub kind: Kind,
    /// Whose it is.
    pub key_id: KeyId,
    /// The application's 32 bytes.
    pub context: Context,
    /// The parameter set.
    pub parameters: &'static Parameters,
    /// Bytes of the body.
    pub body_len: u64,
}

/// A thing read from a file, with its header.
#[derive(Debug)]
pub struct Stored<C> {
    /// The thing.
    pub content: C,
    /// What the file says about it.
    pub header: Header,
}

/// A thing with a file format; implemented by this crate's types only.
pub trait FileContent: content::Body {}

impl<C: content::Body> FileContent for C {}

/// The bytes of a file.
pub fn to_bytes<C: FileContent>(content: &C, context: Context) -> Zeroizing<Vec<u8>> {
    // Room for a secret key at once, as in reading.
    let mut body = Zeroizing::new(Vec::with_capacity(SMALL_FILE_BYTES));
    content.write(&mut body);
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + body.len() + CHECKSUM_BYTES));
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((content.kind() as u16).to_le_bytes());
    bytes.extend(content.key_id().0);
    bytes.extend(context);
    let mut name = [0; NAME_BYTES];
    let set = content.parameters().name.as_bytes();
    name[..set.len()].copy_from_slice(set);
    bytes.extend(name);
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&body);
    let checksum = Sha256::digest(&bytes[..]);
    bytes.extend(checksum);
    bytes
}

/// Reads a thing from the bytes of a file.
///
/// # Errors
/// [`Error::BadFile`] or [`Error::WrongKind`]; `path` only names the source in the message.
pub fn from_bytes<C: FileContent>(bytes: &[u8], path: &Path) -> Result<Stored<C>> {
    decode(read_checked(bytes, path)?, path)
}

/// Reads a thing from a source that ends with it, holding no more of the source than the thing's file may have.
///
/// # Errors
/// [`Error::Io`], [`Error::BadFile`] or [`Error::WrongKind`]; `path` only names the source in the message.
pub fn read_from<C: FileContent>(source: impl Read, path: &Path) -> Result<Stored<C>> {
    decode(read_checked(source, path)?, path)
}

/// Writes a thing to a file: whole, or not at all. Secret keys are for their owner's eyes only (mode 0600).
///
/// # Errors
/// [`Error::Exists`] if the file is there and may not be replaced; [`Error::Io`] if it cannot be written;
/// [`Error::NotStorable`] for what is of no named parameter set.
pub fn save<C: FileContent>(content: &C, context: Context, path: &Path, existing: Existing) -> Result<()> {
    stage(content, context, path, existing)?.commit()
}

/// Writes a thing to a file as [`save`] does, all but giving the file its name.
///
/// # Errors
/// As [`save`].
pub fn stage<C: FileContent>(
    content: &C,
    context: Context,
    path: &Path,
    existing: Existing,
) -> Result<Staged> {
    let p = content.parameters();
    if Parameters::named(p.name) != Some(p) {
        return Err(Error::NotStorable { path: path.to_owned(), parameters: p.name });
    }
    let secrecy = if C::KIND == Kind::SecretKey { Secrecy::Owner } else { Secrecy::Everyone };
    Staged::new(&to_bytes(content, context), path, existing, secrecy)
}

/// Reads a thing from a file.
///
/// # Errors
/// [`Error::Io`], [`Error::BadFile`] or [`Error::WrongKind`], naming the file.
pub fn load<C: FileContent>(path: &Path) -> Result<Stored<C>> {
    decode(read_checked(open(path)?, path)?, path)
}

/// The header of a file whose checksum holds.
///
/// # Errors
/// [`Error::Io`] or [`Error::BadFile`], naming the file.
pub fn inspect(path: &Path) -> Result<Header> {
    Ok(read_checked(open(path)?, path)?.0)
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// Header and body of a file whose lengths and checksum hold.
fn read_checked(mut source: impl Read, path: &Path) -> Result<(Header, Zeroizing<Vec<u8>>)> {
    let fault = |fault| Error::BadFile { path: path.to_owned(), fault };
    // Room for a secret key at once: a vector that grows would leave copies of its content behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(SMALL_FILE_BYTES));
    read_up_to(&mut source, HEADER_BYTES as u64, &mut bytes, path)?;
    let header = Header::parse(&bytes).map_err(fault)?;
    // The body's length was bounded by the parameter set; memory grows with what the source really yields.
    let whole = HEADER_BYTES as u64 + header.body_len + CHECKSUM_BYTES as u64;
    read_up_to(&mut source, whole - HEADER_BYTES as u64, &mut bytes, path)?;
    if (bytes.len() as u64) < whole {
        return Err(fault(FileFault::Truncated { found: bytes.len() as u64, expected: whole }));
    }
    let mut beyond = Vec::new();
    read_up_to(&mut source, 1, &mut beyond, path)?;
    if !beyond.is_empty() {
        return Err(fault(FileFault::Trailing { expected: whole }));
    }
    let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
    if Sha256::digest(content)[..] != *checksum {
        return Err(fault(FileFault::Checksum));
    }
    let body = Zeroizing::new(content[HEADER_BYTES..].to_vec());
    Ok((header, body))
}

fn read_up_to(source: &mut impl Read, len: u64, bytes: &mut Vec<u8>, path: &Path) -> Result<()> {
    source.take(len).read_to_end(bytes).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    Ok(())
}

fn decode<C: FileContent>((header, body): (Header, Zeroizing<Vec<u8>>), path: &Path) -> Result<Stored<C>> {
    if !C::accepts(header.kind) {
        return Err(Error::WrongKind { path: path.to_owned(), found: header.kind, expected: C::KIND });
    }
    let content = C::read(&header, &body).map_err(|fault| Error::BadFile { path: path.to_owned(), fault })?;
    Ok(Stored { content, header })
}

impl Header {
    fn parse(bytes: &[u8]) -> std::result::Result<Self, FileFault> {
        let (magic, rest) = bytes.split_at(bytes.len().min(MAGIC.len()));
        if magic != MAGIC {
            return Err(FileFault::Magic);
        }
        let rest: &[u8; HEADER_BYTES - MAGIC.len()] = rest.try_into().map_err(|_| FileFault::Truncated {
            found: bytes.len() as u64,
            expected: (HEADER_BYTES + CHECKSUM_BYTES) as u64,
        })?;
        let mut fields = content::Fields::new(rest);
        let version = u16::from_le_bytes(fields.array()?);
        if version != VERSION {
            return Err(FileFault::Version { found: version });
        }
        let kind = u16::from_le_bytes(fields.array()?);
        let kind =
            Kind::ALL.into_iter().find(|k| *k as u16 == kind).ok_or(FileFault::Kind { found: kind })?;
        let key_id = KeyId(fields.array()?);
        let context = fields.array()?;
        let name: [u8; NAME_BYTES] = fields.array()?;
        let name = String::from_utf8_lossy(&name);
        let name = name.trim_end_matches('\0');
        let parameters = Parameters::named(name).ok_or_else(|| FileFault::Parameters {
            name: name.chars().filter(|c| !c.is_control()).collect(),
        })?;
        let body_len = u64::from_le_bytes(fields.array()?);
        content::check_body_len(kind, parameters, body_len)?;
        Ok(Self { kind, key_id, context, parameters, body_len })
    }
}
