//! The paper's protocol: what is in its files, and that the gate engine runs with its parameters.

use std::sync::Arc;

use bnn::{
    Error,
    circuit::Style,
    client::Client,
    engine::gates::Plan,
    paper::{self, PaperFault, PaperFile},
};
use tfhe_core::{
    ciphertext::CiphertextList,
    keys::SecretKey,
    noise,
    parameters::{TFHE_LIB_V1_0_1, TFHE_LIB_V1_1},
    serial::tfhe_lib::{self, CiphertextOrigin, read_ciphertexts},
};

use crate::{
    parties::{client, seed},
    shipped,
};

/// Signs row by row, then each magnitude's 20 bits from the least significant on: by decryption of the files
/// themselves.
#[test]
fn the_files_hold_signs_and_magnitudes_in_the_papers_order() {
    let key = Arc::new(SecretKey::generate(&TFHE_LIB_V1_0_1, seed(1)));
    let model = shipped::model("binarized-cnn");
    let client = client(&model, &key);
    let encoded = client.encode(&shipped::digit(7)).unwrap();
    let lists = paper::encrypt(&client, &encoded, seed(2)).unwrap();
    let (mut values, mut lengths) = (Vec::new(), Vec::new());
    for (list, bits) in lists.iter().zip([1, 20]) {
        let file = tfhe_lib::ciphertexts_to_bytes(list).unwrap();
        lengths.push(file.len());
        let origin = CiphertextOrigin::Encryption;
        let read = read_ciphertexts(&file[..], key.parameters(), key.id(), origin).unwrap();
        assert_eq!(read.ciphertexts(), list.ciphertexts());
        for word in read.ciphertexts().chunks(bits) {
            let bit = |(place, bit)| i64::from(key.decrypt(bit).unwrap()) << place;
            values.push(word.iter().enumerate().map(bit).sum::<i64>());
        }
        assert_eq!(&paper::read_part(&file[..], key.parameters(), key.id()).unwrap(), list);
    }
    assert_eq!(values, encoded.values());
    assert_eq!(lengths, [784 * 2016, 576 * 20 * 2016]);
    let image = paper::join_image(&model, lists).unwrap();
    assert_eq!((image.key_id(), image.model_digest()), (key.id(), model.digest()));
}

#[test]
fn what_the_papers_client_does_not_send_is_refused() {
    let key = Arc::new(SecretKey::generate(&TFHE_LIB_V1_0_1, seed(1)));
    let one = key.encrypt(&[true], seed(2)).expand();
    let one = CiphertextList::new(key.parameters(), key.id(), one).unwrap();
    let error = paper::join_image(&shipped::model("perceptron"), [one.clone(), one.clone()]).unwrap_err();
    assert!(matches!(error, Error::NotThePapers { .. }), "{error}");
    let error = paper::join_image(&shipped::model("binarized-cnn"), [one.clone(), one]).unwrap_err();
    let Error::Paper { file: PaperFile::Signs, fault } = error else { panic!("{error}") };
    assert_eq!(fault, PaperFault::CiphertextCount { found: 1, expected: 784 });

    let perceptron = client(&shipped::model("perceptron"), &key);
    let encoded = perceptron.encode(&shipped::digit(7)).unwrap();
    let error = paper::encrypt(&perceptron, &encoded, seed(3)).unwrap_err();
    assert!(matches!(error, Error::NotThePapers { .. }), "{error}");
}

/// An answer says nothing of its key, but what is of another one, or damaged, is refused: not one wrong label.
#[test]
fn an_answer_of_another_key_is_refused() {
    let key = |number| Arc::new(SecretKey::generate(&TFHE_LIB_V1_0_1, seed(number)));
    let (model, ours, other) = (shipped::model("binarized-cnn"), key(1), key(2));
    let bits: Vec<bool> = (0..100).map(|i| i % 3 == 0).collect();
    let answer = ours.encrypt(&bits, seed(3)).expand();
    let answer = CiphertextList::new(ours.parameters(), ours.id(), answer).unwrap();
    let mut bytes = tfhe_lib::ciphertexts_to_bytes(&answer).unwrap();
    let (ours, other) = (client(&model, &ours), client(&model, &other));
    let scores = paper::read_answer(&ours, &bytes[..]).unwrap();
    assert_eq!(scores.model_digest(), model.digest());
    let refused = |client: &Client, bytes: &[u8]| {
        matches!(
            paper::read_answer(client, bytes),
            Err(Error::Paper { file: PaperFile::Answer, fault: PaperFault::Undecipherable })
        )
    };
    assert!(refused(&other, &bytes));
    // A word of the first bit's mask, changed by an eighth of a turn: its phase changes where the key's bit is set.
    let set = (0..500).filter(|&word| {
        let highest = 4 + 4 * word + 3;
        bytes[highest] ^= 0x20;
        let refused = refused(&ours, &bytes);
        bytes[highest] ^= 0x20;
        refused
    });
    assert!((150..350).contains(&set.count()));
}

/// Every gate of the whole network keeps the failure bound with the library's parameters: building refuses those
/// that do not.
#[test]
fn the_gate_engine_has_the_noise_budget_for_the_librarys_parameters() {
    let model = shipped::model("binarized-cnn");
    for set in [&TFHE_LIB_V1_0_1, &TFHE_LIB_V1_1] {
        // Bits of the client are less noisy than bootstrapped ones, for which inputs are taken.
        assert!(noise::fresh(set) < noise::bootstrapped(set));
        let estimate = Plan::new(Arc::clone(&model), set, Style::Optimized).estimate().unwrap();
        println!("{}: {} bootstraps", set.name(), estimate.bootstraps);
        assert!(estimate.bootstraps > 500_000, "{estimate:?}");
    }
}
