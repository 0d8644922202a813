//! Native files, written and read by the library rather than by the command.

use std::{
    fs::{self, File},
    path::Path,
};

use tfhe_core::{
    keys::{KeyId, SecretKey},
    parameters::Parameters,
    random::SecretSeed,
    serial::{self, FileContent, Frame, NO_CONTEXT},
};

/// Writes a key or ciphertexts.
pub(crate) fn save<C: FileContent>(content: &C, path: &Path) {
    fs::write(path, serial::to_bytes(content, NO_CONTEXT).unwrap()).unwrap();
}

/// Reads a key or ciphertexts.
pub(crate) fn load<C: FileContent>(path: &Path) -> C {
    serial::from_bytes(&fs::read(path).unwrap()).unwrap().content
}

/// Writes a secret key of a set, the same one every time.
pub(crate) fn write_secret_key(path: &Path, parameters: &Parameters) -> SecretKey {
    let key = SecretKey::generate(parameters, SecretSeed::deterministic_for_tests(1));
    save(&key, path);
    key
}

/// The key of a file, whose checksum must hold.
pub(crate) fn key_id(path: &Path) -> KeyId {
    Frame::read(File::open(path).unwrap()).unwrap().header().key_id
}
