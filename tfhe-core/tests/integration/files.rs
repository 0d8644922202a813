//! Files: what was written is what is read, in the sizes promised, and of its own key only.

use tfhe_core::Error;
use tfhe_core::ciphertext::{CiphertextList, PackedCiphertext, SeededCiphertexts};
use tfhe_core::evaluator::Evaluator;
use tfhe_core::gate::Gate;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::{FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_DEFAULT, TFHE_LIB_V1_1};
use tfhe_core::serial::{FileContent, Frame, NO_CONTEXT, from_bytes, to_bytes};
use tfhe_core::torus::Torus32;

use crate::support::{Keys, error, one_backend, reals, seed};

/// Header and checksum.
const FRAME_BYTES: usize = 100 + 32;

/// The bytes of a file.
fn written<C: FileContent>(content: &C) -> Vec<u8> {
    to_bytes(content, NO_CONTEXT).unwrap().to_vec()
}

fn read<C: FileContent>(file: &[u8]) -> C {
    from_bytes(file).unwrap().content
}

/// A client and a server that share nothing but files.
#[test]
fn a_full_adder_runs_through_files() {
    let (secret_key, cloud_key, bits) = {
        let keys = Keys::generate(&GATES_DEFAULT, 1);
        let bits = keys.secret.encrypt(&[true, true, false], seed(2));
        (written(&keys.secret), written(&keys.cloud), written(&bits))
    };
    assert!(cloud_key.len() <= 12_000_000, "the cloud key has {} bytes", cloud_key.len());
    let sum = {
        let cloud: CloudKey = read(&cloud_key);
        let bits: SeededCiphertexts = read(&bits);
        let evaluator = Evaluator::new(&cloud, one_backend()).unwrap();
        let sum = evaluator.evaluate(&[Gate::Xor3(0, 1, 2), Gate::Maj(0, 1, 2)], &bits.expand()).unwrap();
        written(&CiphertextList::new(cloud.parameters(), cloud.id(), sum).unwrap())
    };
    let secret: SecretKey = read(&secret_key);
    let list: CiphertextList = read(&sum);
    let sum: Vec<bool> = list.ciphertexts().iter().map(|c| secret.decrypt(c).unwrap()).collect();
    assert_eq!(sum, [false, true]);
}

#[test]
fn a_packed_picture_takes_four_bytes_a_pixel_and_keeps_its_values() {
    let key = SecretKey::generate(&FUNCTIONAL_2048, seed(1));
    let pixels: Vec<f64> = (0..784).map(|i| f64::from(i % 256) / 1024.0).collect();
    let messages = reals(&pixels);
    let file = written(&key.encrypt_packed(&messages, 784, seed(2)).unwrap());
    assert_eq!(file.len(), FRAME_BYTES + 40 + 4 * 784); // a seed and two counts beside the values
    assert!(file.len() <= FRAME_BYTES + 4096);

    let packed: PackedCiphertext = read(&file);
    assert_eq!(packed.message_count(), 784);
    // 2^-26 is 16 standard deviations of the noise.
    for (ciphertext, message) in packed.unpack().iter().zip(messages) {
        assert!(error(&key, ciphertext, message).abs() < 2f64.powi(-26));
    }
}

/// The sums of rows are those of the unpacked messages, with a last place that every row has.
#[test]
fn rows_are_summed_place_by_place() {
    let key = SecretKey::generate(&FUNCTIONAL_1024, seed(1));
    let messages: Vec<Torus32> = (0..3 * 20).map(|i| Torus32((i * i) << 20)).collect();
    let packed = key.encrypt_packed(&messages, 20, seed(2)).unwrap();
    let sums = packed.sum_rows(&[1, -2, 3]).unwrap();
    assert_eq!(sums.len(), 20);
    for (place, sum) in sums.iter().enumerate() {
        let expected = messages[place] - messages[20 + place] * 2 + messages[40 + place] * 3;
        assert!(error(&key, sum, expected).abs() < 2f64.powi(-24), "{place}");
    }
    let ratio = sums[0].variance() / packed.unpack()[0].variance();
    assert!((ratio - 14.0).abs() < 1e-9, "{ratio}");
    assert!(matches!(packed.sum_rows(&[1, 1]), Err(Error::RowCount { expected: 2, .. })));
    let ragged = key.encrypt_packed(&messages[..59], 20, seed(2)).unwrap();
    assert_eq!(ragged.unpack().len(), 59);
    assert!(matches!(ragged.sum_rows(&[1, 1, 1]), Err(Error::RowCount { expected: 3, .. })));
}

#[test]
fn a_file_says_whose_it_is_and_is_refused_by_another_key() {
    let (keys, stranger) = (Keys::generate(&GATES_DEFAULT, 1), Keys::generate(&GATES_DEFAULT, 2));
    let file = written(&keys.secret.encrypt(&[true, false], seed(3)));
    let header = *Frame::read(&file[..]).unwrap().header();
    assert_eq!((header.key_id, header.parameters.name()), (keys.secret.id(), "GATES_DEFAULT"));

    let bits = read::<SeededCiphertexts>(&file).expand();
    let evaluator = stranger.evaluator(one_backend());
    assert!(matches!(evaluator.evaluate(&[Gate::Not(0)], &bits), Err(Error::OtherKey { .. })));
    assert!(matches!(stranger.secret.decrypt(&bits[0]), Err(Error::OtherKey { .. })));
    let list = CiphertextList::new(&GATES_DEFAULT, stranger.secret.id(), bits);
    assert!(matches!(list, Err(Error::OtherKey { .. })));
}

#[test]
fn what_cannot_be_packed_is_refused() {
    let key = SecretKey::generate(&GATES_DEFAULT, seed(1));
    assert!(key.encrypt_packed(&[Torus32(0); 513], 512, seed(2)).is_ok());
    for row_len in [0, 513] {
        let error = key.encrypt_packed(&[Torus32(0); 513], row_len, seed(2)).unwrap_err();
        assert!(matches!(error, Error::RowLength { most: 512, .. }), "{error}");
    }
    let key = SecretKey::generate(&TFHE_LIB_V1_1, seed(1));
    let error = key.encrypt_packed(&[Torus32(0)], 1, seed(2)).unwrap_err();
    assert!(matches!(error, Error::NotPackable { parameters: "TFHE_LIB_V1_1" }), "{error}");
}
