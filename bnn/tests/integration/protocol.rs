//! The paper's protocol: what is in its files, and that the gate engine runs with its parameters.

use std::{fs, path::Path};

use bnn::{
    Error,
    circuit::netlist::Style,
    data::GreyImage,
    engine::gates::Plan,
    model::Model,
    protocol::{self, MAGNITUDES_FILE, SIGNS_FILE},
};
use tfhe_core::{
    keys::SecretKey,
    noise,
    parameters::{TFHE_LIB_V1_0_1, TFHE_LIB_V1_1},
    random::SecretSeed,
    serial::{
        Existing,
        tfhe_lib::{self, CiphertextOrigin, load_ciphertexts, save_ciphertexts},
    },
};

fn model(name: &str) -> Model {
    Model::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name)).unwrap()
}

/// Signs row by row, then each magnitude's 20 bits from the least significant on: by decryption of the files
/// themselves.
#[test]
fn the_files_hold_signs_and_magnitudes_in_the_papers_order() {
    let folder = tempfile::tempdir().unwrap();
    let key = SecretKey::generate(&TFHE_LIB_V1_0_1, SecretSeed::deterministic_for_tests(1));
    let model = model("binarized-cnn");
    let digit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/digits/7.png");
    let encoded = model.input().encode(&GreyImage::load(&digit, None).unwrap()).unwrap();
    let lists = protocol::encrypt(&model, &key, &encoded, SecretSeed::deterministic_for_tests(2)).unwrap();
    let paths = [SIGNS_FILE, MAGNITUDES_FILE].map(|name| folder.path().join(name));
    let mut values = Vec::new();
    for ((list, path), bits) in lists.iter().zip(&paths).zip([1, 20]) {
        save_ciphertexts(list, path, Existing::Refuse).unwrap();
        let origin = CiphertextOrigin::Encryption;
        let read = load_ciphertexts(path, key.parameters(), key.id(), origin).unwrap();
        assert_eq!(read.ciphertexts(), list.ciphertexts());
        for word in read.ciphertexts().chunks(bits) {
            let bit = |(place, bit)| i64::from(key.decrypt(bit).unwrap()) << place;
            values.push(word.iter().enumerate().map(bit).sum::<i64>());
        }
    }
    assert_eq!(values, encoded.values());
    assert_eq!(paths.map(|path| fs::metadata(path).unwrap().len()), [784 * 2016, 576 * 20 * 2016]);
}

#[test]
fn what_the_papers_client_does_not_send_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = SecretKey::generate(&TFHE_LIB_V1_0_1, SecretSeed::deterministic_for_tests(1));
    let path = folder.path().join("one");
    let nobody = [path.as_path(); 2];
    let error = protocol::load_image(&model("perceptron"), nobody, key.parameters(), key.id()).unwrap_err();
    assert!(matches!(error, Error::NotThePapers { .. }), "{error}");
    let one = key.encrypt(&[true], SecretSeed::deterministic_for_tests(2)).expand();
    fs::write(&path, tfhe_lib::ciphertexts_to_bytes(&one)).unwrap();
    let error =
        protocol::load_image(&model("binarized-cnn"), nobody, key.parameters(), key.id()).unwrap_err();
    assert!(matches!(error, Error::CiphertextCount { found: 1, expected: 784, .. }), "{error}");
}

/// An answer says nothing of its key, but what is of another one, or damaged, is refused: not one wrong label.
#[test]
fn an_answer_of_another_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answer.data");
    let key = |seed| SecretKey::generate(&TFHE_LIB_V1_0_1, SecretSeed::deterministic_for_tests(seed));
    let (model, ours, other) = (model("binarized-cnn"), key(1), key(2));
    let bits: Vec<bool> = (0..100).map(|i| i % 3 == 0).collect();
    let answer = ours.encrypt(&bits, SecretSeed::deterministic_for_tests(3)).expand();
    let mut bytes = tfhe_lib::ciphertexts_to_bytes(&answer);
    fs::write(&path, &bytes).unwrap();
    assert!(protocol::load_answer(&model, &path, &ours).is_ok());
    let refused =
        |key| matches!(protocol::load_answer(&model, &path, key), Err(Error::Undecipherable { .. }));
    assert!(refused(&other));
    // A word of the first bit's mask, changed by an eighth of a turn: its phase changes where the key's bit is set.
    let set = (0..500).filter(|&word| {
        let highest = 4 + 4 * word + 3;
        bytes[highest] ^= 0x20;
        fs::write(&path, &bytes).unwrap();
        bytes[highest] ^= 0x20;
        refused(&ours)
    });
    assert!((150..350).contains(&set.count()));
}

/// Every gate of the whole network keeps the failure bound with the library's parameters: building refuses those
/// that do not.
#[test]
fn the_gate_engine_has_the_noise_budget_for_the_librarys_parameters() {
    let model = model("binarized-cnn");
    for set in [&TFHE_LIB_V1_0_1, &TFHE_LIB_V1_1] {
        // Bits of the client are less noisy than bootstrapped ones, for which inputs are taken.
        assert!(noise::fresh(set) < noise::bootstrapped(set));
        let estimate = Plan::new(&model, set, Style::Optimized).estimate().unwrap();
        println!("{}: {} bootstraps", set.name, estimate.bootstraps);
        assert!(estimate.bootstraps > 500_000, "{estimate:?}");
    }
}
