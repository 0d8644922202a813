//! The project's own files, kind by kind.
//!
//! Bound of the memory: five times the file, for its bytes in a vector that grows, a copy of the body, and the numbers in
//! it (6 bytes of a 48-bit torus take 8); and 1 MiB, for the transform's tables and the 32 bytes that a secret bit takes. A
//! cloud key's reader asks for [`ROOM`] too.

use sha2::{Digest, Sha256};
use tfhe_core::{
    ciphertext::{CiphertextList, PackedCiphertext, SeededCiphertexts},
    keys::{CloudKey, SecretKey},
    parameters::Parameters,
    serial::{self, FileContent, Stored},
};

use crate::memory::{MIB, ROOM, bounded};

const HEADER: usize = 100;
const CHECKSUM: usize = 32;
/// Where the kind stands, and the kinds of cloud keys.
const KIND_AT: usize = 10;
const CLOUD_KEYS: [u8; 2] = [2, 7];
/// The most ciphertexts that are expanded: each takes kilobytes.
const EXPANDED: usize = 16;
/// The longest cloud key that is made up.
const LONGEST_KEY: usize = 9 << 20;

pub(crate) fn secret_key(data: &[u8]) {
    let checked = |stored: Stored<SecretKey>| assert!(!format!("{:?}", stored.content).contains("bits"));
    read_twice(data, checked);
}

/// A key is megabytes: the second time round, the file's body is repeated up to the length that its header calls for.
pub(crate) fn cloud_key(data: &[u8]) {
    let checked = |_: Stored<CloudKey>| ();
    read(data, checked);
    if data.len() <= HEADER + CHECKSUM {
        return;
    }
    let name = String::from_utf8_lossy(&data[60..92]);
    let Some(set) = Parameters::named(name.trim_end_matches('\0')) else { return };
    let length = serial::cloud_key_bytes(set) - HEADER - CHECKSUM;
    if length > LONGEST_KEY {
        return;
    }
    let body = data[HEADER..data.len() - CHECKSUM].iter().cycle().take(length);
    let whole: Vec<u8> = data[..HEADER].iter().chain(body).copied().chain([0; CHECKSUM]).collect();
    read(&sealed(&whole), checked);
}

pub(crate) fn seeded(data: &[u8]) {
    read_twice(data, |stored: Stored<SeededCiphertexts>| {
        if stored.content.message_count() <= EXPANDED {
            assert_eq!(stored.content.expand().len(), stored.content.message_count());
        }
    });
}

pub(crate) fn packed(data: &[u8]) {
    read_twice(data, |stored: Stored<PackedCiphertext>| {
        let (messages, row) = (stored.content.message_count(), stored.content.row_len());
        if messages <= EXPANDED {
            assert_eq!(stored.content.unpack().len(), messages);
            let sums = stored.content.sum_rows(&[1, -2]);
            assert_eq!(sums.is_ok(), messages == 2 * row);
        }
    });
}

pub(crate) fn list(data: &[u8]) {
    read_twice(data, |stored: Stored<CiphertextList>| {
        for ciphertext in stored.content.ciphertexts() {
            assert!((0.0..1.0).contains(&ciphertext.variance()));
            assert_eq!(ciphertext.key_id(), stored.header.key_id);
        }
    });
}

/// As it is, and with length and checksum made right.
fn read_twice<C: FileContent>(data: &[u8], checked: impl Fn(Stored<C>)) {
    read(data, &checked);
    if data.len() >= HEADER + CHECKSUM {
        read(&sealed(data), &checked);
    }
}

/// Reads a file; what it holds must be written as the same bytes.
fn read<C: FileContent>(data: &[u8], checked: impl Fn(Stored<C>)) {
    let is_cloud_key = data.get(KIND_AT).is_some_and(|kind| CLOUD_KEYS.contains(kind));
    let room = if is_cloud_key { ROOM } else { 0 };
    let stored = bounded(5 * data.len() + MIB + room, || serial::from_bytes::<C>(data));
    match stored {
        Ok(stored) => {
            let written = serial::to_bytes(&stored.content, stored.header.context);
            let written = written.expect("what was read has a file");
            assert!(*written == *data, "another file is written than was read");
            checked(stored);
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
}

/// The file with the length in its header, and the checksum at its end, as its content calls for.
fn sealed(data: &[u8]) -> Vec<u8> {
    let mut file = data.to_vec();
    let end = file.len() - CHECKSUM;
    file[92..HEADER].copy_from_slice(&((end - HEADER) as u64).to_le_bytes());
    let checksum = Sha256::digest(&file[..end]);
    file[end..].copy_from_slice(&checksum);
    file
}
