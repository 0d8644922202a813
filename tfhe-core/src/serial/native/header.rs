//! The header of a native file: what the file says about itself.

use super::body::check_body_len;
use super::fields::Fields;
use crate::error::Error;
use crate::key_id::KeyId;
use crate::parameters::set::Parameters;
use crate::serial::fault::{FileFault, VERSION};
use crate::serial::kind::Kind;

const MAGIC: [u8; 8] = *b"tfhebnn\n";
/// Bytes before the body.
pub(super) const HEADER_BYTES: usize = 100;
/// Bytes after it.
pub(super) const CHECKSUM_BYTES: usize = 32;
const NAME_BYTES: usize = 32;

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
    pub(crate) body_len: u64,
}

impl Header {
    /// The header of a file that begins with these bytes: 100 at least. The length that it declares is one that its parameter set allows.
    ///
    /// # Errors
    /// [`Error::BadFile`].
    pub fn of_start(bytes: &[u8]) -> crate::Result<Self> {
        let header = Self::parse(&bytes[..bytes.len().min(HEADER_BYTES)]).map_err(Error::bad_file)?;
        check_body_len(header.kind, header.parameters, header.body_len).map_err(Error::bad_file)?;
        Ok(header)
    }

    /// Bytes of the whole file.
    pub fn file_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + self.body_len + CHECKSUM_BYTES as u64
    }

    /// The bytes of the header.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((self.kind as u16).to_le_bytes());
        bytes.extend(self.key_id.0);
        bytes.extend(self.context);
        let mut name = [0; NAME_BYTES];
        let set = self.parameters.name.as_bytes();
        name[..set.len()].copy_from_slice(set);
        bytes.extend(name);
        bytes.extend(self.body_len.to_le_bytes());
    }

    /// The header that a file begins with.
    fn parse(bytes: &[u8]) -> Result<Self, FileFault> {
        let (magic, rest) = bytes.split_at(bytes.len().min(MAGIC.len()));
        if magic != MAGIC {
            return Err(FileFault::Magic);
        }
        let rest: &[u8; HEADER_BYTES - MAGIC.len()] = rest.try_into().map_err(|_| FileFault::Truncated {
            found: bytes.len() as u64,
            expected: (HEADER_BYTES + CHECKSUM_BYTES) as u64,
        })?;
        let mut fields = Fields::new(rest, MAGIC.len());
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
        Ok(Self { kind, key_id, context, parameters, body_len })
    }
}
