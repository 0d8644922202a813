//! Files of the TFHE library: parameter sets, key sets, ciphertexts.
//!
//! What is read is written, and read again as what is written the same: the variances beside samples, which say nothing, are
//! all that may differ from the first file. A small cloud key is expanded and bootstraps a ciphertext, on the fastest backend:
//! lengths that a file declares come as far as the vector kernels.
//!
//! Bound of the memory: sixteen times the file, for its words in vectors that grow and the two forms of a secret key, and 1 MiB.

use tfhe_core::{
    backend::Backend,
    bootstrap::LookupTable,
    ciphertext::CiphertextList,
    evaluator::Evaluator,
    internals::Trial,
    keys::{CloudKey, KeyId, SecretKey},
    parameters::TFHE_LIB_V1_0_1,
    random::SecretSeed,
    serial::tfhe_lib::{
        CiphertextOrigin, CloudKeySet, KeySet, ParameterSet, SecretKeySet, ciphertexts_to_bytes,
        read_ciphertexts,
    },
    torus::Torus32,
};

use crate::memory::{MIB, bounded};

/// n of the ciphertexts that are read, and of the keys from which the corpus began.
const DIMENSION: usize = 3;
/// The most bytes of a key that is expanded.
const EXPANDED: usize = 1 << 16;

pub(crate) fn tfhe_lib(data: &[u8]) {
    let bound = 16 * data.len() + MIB;

    match bounded(bound, || ParameterSet::read(data)) {
        Ok(set) => {
            let text = set.to_text();
            assert_eq!(ParameterSet::read(text.as_bytes()).expect("what is written is read"), set);
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }

    match bounded(bound, || KeySet::read(data)) {
        Ok(set) => {
            let file = written(&set);
            let again = KeySet::read(&file[..]).expect("what is written is read");
            assert!(written(&again) == file, "a key set is written in two ways");
            if let KeySet::Cloud(cloud) = set {
                bootstrap(cloud);
            }
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }

    let trial = Trial { lwe: (DIMENSION, 1), ..Trial::of(&TFHE_LIB_V1_0_1) };
    let parameters = trial.parameters().expect("numbers that go together");
    let read = |data: &[u8]| {
        bounded(bound, || read_ciphertexts(data, &parameters, KeyId([7; 16]), CiphertextOrigin::Gate))
    };
    match read(data) {
        Ok(list) => {
            let file = ciphertexts_to_bytes(&list).expect("a set of the library's form");
            assert_eq!(file.len(), data.len());
            assert_eq!(read(&file).expect("what is written is read"), list);
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
}

fn written(set: &KeySet) -> Vec<u8> {
    match set {
        KeySet::Secret(set) => set.to_bytes().to_vec(),
        KeySet::Cloud(set) => set.to_bytes(),
    }
}

/// Expands a key, and bootstraps a ciphertext with it.
fn bootstrap(cloud: CloudKeySet) {
    if cloud.file_len() > EXPANDED {
        return;
    }
    let key = cloud.into_cloud_key();
    let evaluator = Evaluator::new(&key, Backend::fastest()).expect("it is there");
    let table = LookupTable::sign(key.parameters().polynomial_size(), Torus32::from_bit(true));
    let input = evaluator.trivial(Torus32::from_bit(true));
    assert_eq!(evaluator.bootstrap(&[input], &[&table]).expect("an input of this key").len(), 1);
}

/// Sets, keys and ciphertexts of a small key, as corpora begin.
pub fn files() -> Vec<Vec<u8>> {
    let seed = SecretSeed::deterministic_for_tests;
    let library = Trial::of(&TFHE_LIB_V1_0_1);
    let gadget = (library.gadget.0, 1);
    let small = Trial { lwe: (DIMENSION, 1), tlwe: (1, 32), gadget, key_switch: (1, 2), ..library };
    let parameters = small.parameters().expect("numbers that go together");
    let secret = SecretKey::generate(&parameters, seed(1));
    let cloud = CloudKey::generate(&secret, seed(2)).expect("there is memory for a cloud key");
    let bits = secret.encrypt(&[true, false], seed(3)).expand();
    let bits = CiphertextList::new(&parameters, secret.id(), bits).expect("of this key");
    let set = SecretKeySet::new(&secret, &cloud).expect("a set of the library's form");
    let bits = ciphertexts_to_bytes(&bits).expect("a set of the library's form");
    let text = ParameterSet::new(&parameters).expect("a set of the library's form").to_text();
    vec![text.into_bytes(), set.cloud().to_bytes(), set.to_bytes().to_vec(), bits]
}
