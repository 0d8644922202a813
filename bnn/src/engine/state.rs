//! The bytes of a saved run: a line of JSON that says which run it is and where, then its ciphertexts, as a list in the container of
//! `tfhe_core::serial`, whose context is the SHA-256 of that line.
//!
//! The file is only good for the model, picture and key that it names. Whoever reads it counts from its plan what the line must say, so that
//! nothing is built from the file's own numbers.

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tfhe_core::{
    ciphertext::CiphertextList,
    serial::{self, Stored},
};

use crate::error::{Error, Result};

/// The longest line that is read or written, in bytes, with its end: that of some three million ciphertexts.
const MOST_LINE: usize = 1 << 26;

/// How every saved run begins.
const START: &[u8] = b"{\"format\":";

/// Whether bytes begin as a saved run does, of whatever version. (The name of another format would be in quotes.)
pub fn is_saved_run(bytes: &[u8]) -> bool {
    bytes.strip_prefix(START).and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

/// What a line of JSON says of the run, of one version of this program.
pub(super) trait Index: Serialize + DeserializeOwned {
    /// Whether this program continues runs of the version that wrote it.
    fn is_current(&self) -> bool;
}

/// The line and the ciphertexts as bytes.
pub(super) fn write(index: &impl Index, ciphertexts: CiphertextList) -> Result<Vec<u8>> {
    let mut file = serde_json::to_vec(index).expect("invariant: numbers and strings have a JSON form");
    let context = Sha256::digest(&file).into();
    file.push(b'\n');
    if file.len() > MOST_LINE {
        return Err(Error::State { reason: "the run holds too many ciphertexts at a time to be saved" });
    }
    let bytes = serial::to_bytes(&ciphertexts, context)?;
    // The ciphertexts are there three times at most: with the run, and as a list and bytes, or in both kinds of bytes.
    drop(ciphertexts);
    file.extend_from_slice(&bytes);
    Ok(file)
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// [`Error::State`] where the bytes are none of this version, or are damaged; [`Error::Crypto`] where the list of ciphertexts is.
pub(super) fn read<I: Index>(saved: &[u8]) -> Result<(I, Stored<CiphertextList>)> {
    let refuse = |reason| Error::State { reason };
    let end = saved.iter().take(MOST_LINE).position(|&byte| byte == b'\n');
    let (line, list) = saved.split_at(end.ok_or_else(|| refuse("no saved run"))?);
    let index: I = serde_json::from_slice(line).map_err(|_| refuse("no saved run"))?;
    if !index.is_current() {
        return Err(refuse("a saved run of another version of this program"));
    }
    let ciphertexts = serial::from_bytes::<CiphertextList>(&list[1..])?;
    if ciphertexts.header.context != <[u8; 32]>::from(Sha256::digest(line)) {
        return Err(refuse("damaged: the checksum does not hold"));
    }
    Ok((index, ciphertexts))
}
