//! Files: what was saved is what is loaded, in the sizes promised, and of its own key only.

use std::path::Path;

use tfhe_core::Error;
use tfhe_core::ciphertext::{PackedCiphertext, SeededCiphertexts};
use tfhe_core::evaluator::Evaluator;
use tfhe_core::gate::Gate;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::{FUNCTIONAL_2048, GATES_DEFAULT, TFHE_LIB_V1_1};
use tfhe_core::serial::{CiphertextList, Existing, FileContent, NO_CONTEXT, inspect, load, save};
use tfhe_core::torus::Torus32;

use crate::support::{Keys, error, one_backend, reals, seed};

/// Header and checksum.
const FRAME_BYTES: u64 = 100 + 32;

/// Saves to a file of this name and says how many bytes it takes.
fn save_as<C: FileContent>(content: &C, folder: &Path, name: &str) -> u64 {
    let path = folder.join(name);
    save(content, NO_CONTEXT, &path, Existing::Refuse).unwrap();
    path.metadata().unwrap().len()
}

fn load_from<C: FileContent>(folder: &Path, name: &str) -> C {
    load(&folder.join(name)).unwrap().content
}

/// A client and a server that share nothing but files.
#[test]
fn a_full_adder_runs_through_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    {
        let keys = Keys::generate(&GATES_DEFAULT, 1);
        save_as(&keys.secret, folder, "secret.key");
        let cloud_key_bytes = save_as(&keys.cloud, folder, "cloud.key");
        assert!(cloud_key_bytes <= 12_000_000, "the cloud key has {cloud_key_bytes} bytes");
        save_as(&keys.secret.encrypt(&[true, true, false], seed(2)), folder, "bits");
    }
    {
        let cloud: CloudKey = load_from(folder, "cloud.key");
        let bits: SeededCiphertexts = load_from(folder, "bits");
        let evaluator = Evaluator::new(&cloud, one_backend()).unwrap();
        let sum = evaluator.evaluate(&[Gate::Xor3(0, 1, 2), Gate::Maj(0, 1, 2)], &bits.expand()).unwrap();
        let list = CiphertextList::new(cloud.parameters(), cloud.id(), sum).unwrap();
        save_as(&list, folder, "sum");
    }
    let secret: SecretKey = load_from(folder, "secret.key");
    let list: CiphertextList = load_from(folder, "sum");
    let sum: Vec<bool> = list.ciphertexts().iter().map(|c| secret.decrypt(c).unwrap()).collect();
    assert_eq!(sum, [false, true]);
}

#[test]
fn a_packed_picture_takes_four_bytes_a_pixel_and_keeps_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let key = SecretKey::generate(&FUNCTIONAL_2048, seed(1));
    let pixels: Vec<f64> = (0..784).map(|i| f64::from(i % 256) / 1024.0).collect();
    let messages = reals(&pixels);
    let bytes = save_as(&key.encrypt_packed(&messages, seed(2)).unwrap(), folder.path(), "picture");
    assert_eq!(bytes, FRAME_BYTES + 36 + 4 * 784); // a seed and a count beside the values
    assert!(bytes <= FRAME_BYTES + 4096);

    let packed: PackedCiphertext = load_from(folder.path(), "picture");
    assert_eq!(packed.message_count(), 784);
    // 2^-26 is 16 standard deviations of the noise.
    for (ciphertext, message) in packed.unpack().iter().zip(messages) {
        assert!(error(&key, ciphertext, message).abs() < 2f64.powi(-26));
    }
}

#[test]
fn a_file_says_whose_it_is_and_is_refused_by_another_key() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, stranger) = (Keys::generate(&GATES_DEFAULT, 1), Keys::generate(&GATES_DEFAULT, 2));
    save_as(&keys.secret.encrypt(&[true, false], seed(3)), folder.path(), "bits");
    let header = inspect(&folder.path().join("bits")).unwrap();
    assert_eq!((header.key_id, header.parameters.name), (keys.secret.id(), "GATES_DEFAULT"));

    let bits = load_from::<SeededCiphertexts>(folder.path(), "bits").expand();
    let evaluator = stranger.evaluator(one_backend());
    assert!(matches!(evaluator.evaluate(&[Gate::Not(0)], &bits), Err(Error::OtherKey { .. })));
    assert!(matches!(stranger.secret.decrypt(&bits[0]), Err(Error::OtherKey { .. })));
    let list = CiphertextList::new(&GATES_DEFAULT, stranger.secret.id(), bits);
    assert!(matches!(list, Err(Error::OtherKey { .. })));
}

#[test]
fn what_cannot_be_packed_is_refused() {
    let key = SecretKey::generate(&GATES_DEFAULT, seed(1));
    assert!(key.encrypt_packed(&[Torus32(0); 512], seed(2)).is_ok());
    let error = key.encrypt_packed(&[Torus32(0); 513], seed(2)).unwrap_err();
    assert!(matches!(error, Error::TooManyMessages { count: 513, most: 512 }), "{error}");
    let key = SecretKey::generate(&TFHE_LIB_V1_1, seed(1));
    let error = key.encrypt_packed(&[Torus32(0)], seed(2)).unwrap_err();
    assert!(matches!(error, Error::NotPackable { parameters: "TFHE_LIB_V1_1" }), "{error}");
}
