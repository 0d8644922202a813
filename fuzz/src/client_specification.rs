//! Client specifications, which a client gets from a server that it does not trust.
//!
//! The second time round, the checksum is made right, so that what the fields say is the fuzzer's. A specification that is
//! accepted encodes and encrypts a picture and decrypts no scores of another model: whatever it says, nothing panics.
//!
//! Bound of the memory: a hundred times the file, for a tree of JSON and the lists that come of it, and 1 MiB.

use std::sync::Arc;

use bnn::{
    client::{Client, ClientSpecification},
    data::Image,
    engine::{Engine, client_specification as specification_of},
};
use sha2::{Digest, Sha256};
use tfhe_core::{keys::SecretKey, random::SecretSeed};

use crate::{
    memory::{MIB, bounded},
    toy,
};

/// The most pixels of a picture that is encrypted.
const ENCRYPTED: usize = 1024;

pub(crate) fn client_specification(data: &[u8]) {
    read(data);
    if let Some(sealed) = sealed(data) {
        read(&sealed);
    }
}

fn read(data: &[u8]) {
    let specification = match bounded(100 * data.len() + MIB, || ClientSpecification::from_bytes(data)) {
        Ok(specification) => Arc::new(specification),
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            return;
        }
    };
    let again = ClientSpecification::from_bytes(&specification.to_bytes()).expect("what is written is read");
    assert_eq!(again, *specification);
    let input = specification.input();
    let (channels, width, height) = (input.channels(), input.width(), input.height());
    let values = channels * width * height;
    if values > ENCRYPTED {
        return;
    }
    let picture = Image::new(channels, width, height, vec![0; values]).expect("as many pixels");
    for engine in [Engine::Functional, Engine::Gates] {
        for set in specification.parameter_sets(engine) {
            let key = SecretKey::generate(set, SecretSeed::deterministic_for_tests(1));
            let client = Client::new(Arc::clone(&specification), Arc::new(key)).expect("its own set");
            if let Ok(encoded) = client.encode(&picture) {
                let _ = client.encrypt(&encoded, SecretSeed::deterministic_for_tests(2));
            }
        }
    }
}

/// The file with the checksum that its content calls for, if it is on one line and ends with one.
fn sealed(data: &[u8]) -> Option<Vec<u8>> {
    const FIELD: &[u8] = b"\"checksum\":\"";
    let start = data.windows(FIELD.len()).rposition(|window| window == FIELD)? + FIELD.len();
    let content = [&data[..start], b"\"}"].concat();
    let sum: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    Some([&data[..start], sum.as_bytes(), b"\"}"].concat())
}

/// The specifications of small models, as a corpus begins.
pub fn files() -> Vec<Vec<u8>> {
    let models = [toy::perceptron(), toy::hybrid(), toy::binarized()];
    let specification =
        |files: &toy::ModelFiles| specification_of(&toy::open(files)).expect("a small model").to_bytes();
    models.iter().map(specification).collect()
}
