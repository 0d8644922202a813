//! A native file of any kind: read once and checked, then decoded as what it says it is.

use std::io::Read;

use tfhe_core::serial::{self, Context, FileContent, FileFault, Kind, Stored};
use tfhe_core::{keys::SecretKey, parameters::Parameters};
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    files::{input::Input, named::Named},
};

/// Bytes of a header.
const HEADER_BYTES: u64 = 100;

/// The bytes of a native file whose checksum holds.
#[derive(Debug)]
pub(crate) struct Frame {
    bytes: Named<Zeroizing<Vec<u8>>>,
    kind: Kind,
}

impl Frame {
    /// Reads a native file, and no more than its header declares and one byte.
    ///
    /// # Errors
    /// [`Error::Crypto`] where it is damaged or none; [`Error::Io`].
    pub(crate) fn read(mut input: Input) -> Result<Self> {
        let name = input.name().to_owned();
        let mut bytes = Zeroizing::new(Vec::new());
        let mut read = |bytes: &mut Vec<u8>, len: u64| match input.by_ref().take(len).read_to_end(bytes) {
            Ok(_) => Ok(()),
            Err(source) => Err(Error::Io { path: name.clone(), source }),
        };
        read(&mut bytes, HEADER_BYTES)?;
        // What is missing after a sound header says how long the file is.
        if let Err(tfhe_core::Error::BadFile { fault: FileFault::Truncated { found, expected }, .. }) =
            serial::from_bytes::<SecretKey>(&bytes, &name)
            && found == HEADER_BYTES
        {
            let mut whole = Zeroizing::new(Vec::with_capacity(bytes.len()));
            whole.extend_from_slice(&bytes);
            read(&mut whole, expected - HEADER_BYTES + 1)?;
            bytes = whole;
        }
        let kind = match serial::from_bytes::<SecretKey>(&bytes, &name) {
            Ok(stored) => stored.header.kind,
            Err(tfhe_core::Error::WrongKind { found, .. }) => found,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { bytes: Named { name, content: bytes }, kind })
    }

    /// What the file holds.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Bytes of the file.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.content.len() as u64
    }

    /// The content, as what it is taken for.
    ///
    /// # Errors
    /// [`Error::Crypto`] where it is something else, or not what its format allows.
    pub(crate) fn decode<C: FileContent>(&self) -> Result<Stored<C>> {
        Ok(serial::from_bytes(&self.bytes.content, &self.bytes.name)?)
    }
}

/// The bytes of a native file with a thing of the parameter set `parameters`.
///
/// # Errors
/// [`Error::Crypto`] where native files have no name for the set.
pub(crate) fn to_bytes<C: FileContent>(
    content: &C,
    context: Context,
    parameters: &Parameters,
) -> Result<Zeroizing<Vec<u8>>> {
    if Parameters::named(parameters.name) == Some(parameters) {
        return Ok(serial::to_bytes(content, context));
    }
    let (path, parameters) = ("the native file".into(), parameters.name);
    Err(tfhe_core::Error::NotStorable { path, parameters }.into())
}
