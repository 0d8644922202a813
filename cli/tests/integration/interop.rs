//! The TFHE library's files: conversion both ways, and the paper's protocol.

use std::{fs, path::Path};

use tfhe_core::{
    ciphertext::CiphertextList,
    keys::{CloudKey, SecretKey},
    parameters::{GATES_DEFAULT, TFHE_LIB_V1_0_1},
    random::SecretSeed,
};

use crate::{native, place::Place, toy};

/// Bytes of a sample, n being 500.
const SAMPLE: u64 = 2016;

fn seed(number: u64) -> SecretSeed {
    SecretSeed::deterministic_for_tests(number)
}

fn len(place: &Place, name: &str) -> u64 {
    fs::metadata(place.path(name)).unwrap().len()
}

#[test]
fn keys_and_ciphertexts_go_to_the_librarys_form_and_back() {
    let place = Place::new();
    let save_secret = |key: &SecretKey, name: &str| {
        native::save(key, &place.path(name));
    };
    let secret = SecretKey::generate(&TFHE_LIB_V1_0_1, seed(1));
    save_secret(&secret, "secret.key");
    let cloud = CloudKey::generate(&secret, seed(2)).unwrap();
    native::save(&cloud, &place.path("cloud.key"));
    let bits = [true, false, false, true, true];
    native::save(&secret.encrypt(&bits, seed(3)), &place.path("bits.enc"));
    save_secret(&SecretKey::generate(&GATES_DEFAULT, seed(1)), "gates.key");
    save_secret(&SecretKey::generate(&TFHE_LIB_V1_0_1, seed(4)), "other.key");

    place.refuses("convert secret.key --to tfhe-lib --out x", &["secret.key", "--cloud-key"]);
    place.refuses(
        "convert other.key --to tfhe-lib --cloud-key cloud.key --out x",
        &["other.key", "another key"],
    );
    place.refuses("convert gates.key --to tfhe-lib --out x", &["gates.key", "GATES_DEFAULT", "TFHE library"]);
    place.refuses("convert secret.key --to native --out x", &["secret.key", "already"]);
    place.refuses("convert none.key --to native --out x", &["none.key"]);
    place.refuses("convert cloud.key --to tfhe-lib --out bits.enc", &["bits.enc", "--force"]);

    let to_library = |line: &str| place.run(&format!("convert {line} --to tfhe-lib --json")).json();
    let secret_id = to_library("secret.key --cloud-key cloud.key --out library-secret.key")["key_id"].clone();
    let cloud_id = to_library("cloud.key --out library-cloud.key")["key_id"].clone();
    assert!(secret_id == cloud_id && secret_id != secret.id().to_string());
    assert!(to_library("bits.enc --out bits.data")["key_id"].is_null());
    let [secret_bytes, cloud_bytes] =
        ["library-secret.key", "library-cloud.key"].map(|name| fs::read(place.path(name)).unwrap());
    assert!(secret_bytes.starts_with(&cloud_bytes));
    assert_eq!((secret_bytes.len(), cloud_bytes.len()), (82_057_720, 82_051_616));
    assert_eq!(len(&place, "bits.data"), 5 * SAMPLE);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(place.path("library-secret.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    drop((secret_bytes, cloud_bytes));

    let text = place.run("inspect library-cloud.key").succeeded();
    assert!(
        text.contains("TFHE_LIB_V1_0_1") && text.contains("a cloud key, in the form of the TFHE library")
    );
    place.refuses("convert library-cloud.key --to tfhe-lib --out x", &["already"]);
    place.refuses("convert bits.data --to native --out x", &["bits.data", "--key"]);
    place.refuses(
        "convert bits.data --to native --cloud-key library-secret.key --out x",
        &["a secret key", "a cloud key"],
    );
    fs::write(place.path("cut.data"), &fs::read(place.path("bits.data")).unwrap()[..3000]).unwrap();
    place.refuses(
        "convert cut.data --to native --key library-secret.key --out x",
        &["cut.data", "truncated: 3000 bytes"],
    );

    let to_native = |line: &str| place.run(&format!("convert {line} --to native --json")).json();
    assert_eq!(to_native("library-secret.key --out again-secret.key")["key_id"], secret_id);
    assert_eq!(to_native("library-cloud.key --out again-cloud.key")["key_id"], secret_id);
    assert_eq!(len(&place, "again-cloud.key"), 32_800_900);
    to_native("bits.data --cloud-key again-cloud.key --out again.enc");
    to_native("bits.data --key library-secret.key --out same.enc");
    assert!(fs::read(place.path("again.enc")).unwrap() == fs::read(place.path("same.enc")).unwrap());
    let key: SecretKey = native::load(&place.path("again-secret.key"));
    let list: CiphertextList = native::load(&place.path("again.enc"));
    let decrypted: Vec<bool> = list.ciphertexts().iter().map(|c| key.decrypt(c).unwrap()).collect();
    assert_eq!(decrypted, bits);
    // The same file again from the native key with masks, which knows no seed.
    to_library("again-cloud.key --out third.key");
    assert!(fs::read(place.path("third.key")).unwrap() == fs::read(place.path("library-cloud.key")).unwrap());
}

/// What the library exports beside key sets and ciphertexts: known answers that travel with the project.
#[test]
fn what_the_library_exports_alone_is_called_what_it_is() {
    let place = Place::furnished();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/tfhe-lib");
    for (file, what) in [
        ("params.txt", "a text of parameters without keys"),
        ("lwe.key", "a single LWE key"),
        ("tlwe.key", "a single TLWE key"),
        ("tgsw.key", "a single TGSW key"),
        ("bk0.tgswsample", "TGSW samples"),
    ] {
        fs::copy(vectors.join(file), place.path(file)).unwrap();
        let text = place.run(&format!("inspect {file}")).succeeded();
        assert!(text.contains(&format!("kind        {what}, in the form of the TFHE library")), "{text}");
        let said = format!("{file}: {what} of the TFHE library");
        place.refuses(&format!("convert {file} --to native --out x"), &[&said, "are converted"]);
        place.refuses(&format!("convert {file} --to tfhe-lib --out x"), &[&said, "are converted"]);
        place.refuses(
            &format!("encrypt 4.png --model toy --out x --key {file}"),
            &[&said, "where a secret key is needed"],
        );
    }
    fs::copy(vectors.join("cts.bin"), place.path("cts.bin")).unwrap();
    place.refuses(
        "encrypt 4.png --model toy --out x --key cts.bin",
        &["cts.bin: ciphertexts of the TFHE library, where a secret key is needed"],
    );
}

#[test]
fn the_papers_protocol_runs_from_picture_to_label() {
    let place = Place::new();
    toy::write_sign_model(&place.path("signs"));
    toy::write_picture(&place.path("digit.png"), &[0, 10, 200, 0, 255, 30, 90, 0, 0]);
    assert_eq!(toy::SIGN_SIDE * toy::SIGN_SIDE, 9);
    let text = place.paper_keygen("keys");
    assert!(text.contains("94 bits") && text.contains("the paper's protocol"), "{text}");
    assert_eq!((len(&place, "keys/secret.key"), len(&place, "keys/cloud.key")), (82_057_720, 82_051_616));

    place.run("paper encrypt digit.png --model signs").succeeded();
    assert_eq!(len(&place, "secret_cloud.data"), 9 * SAMPLE);
    assert_eq!(len(&place, "K_cloud.data"), 4 * 20 * SAMPLE);
    place.refuses("paper encrypt digit.png --model signs", &["secret_cloud.data", "--force"]);
    let infer = "paper infer --model signs";
    place.refuses_usage(&format!("{infer} secret_cloud.data"), &["two", "K_cloud.data"]);
    place.refuses(&format!("{infer} K_cloud.data secret_cloud.data"), &["K_cloud.data", "80", "9"]);
    place.refuses(
        &format!("{infer} secret_cloud.data K_cloud.data --cloud-key keys/secret.key"),
        &["keys/secret.key", "a secret key", "a cloud key"],
    );
    let text = place.run(&format!("{infer} secret_cloud.data K_cloud.data")).succeeded();
    assert!(text.contains("answer.data"), "{text}");
    assert_eq!(len(&place, "answer.data"), 2 * 12 * SAMPLE);
    assert!(!place.path("answer.data.state").exists());
    let decrypt = "paper decrypt answer.data --model signs --compare digit.png";
    let text = place.run(decrypt).succeeded();
    assert!(text.contains("equal, bit for bit"), "{text}");

    // No file says whose it is: by its bits.
    place.paper_keygen("other");
    place.refuses(&format!("{decrypt} --key other/secret.key"), &["answer.data", "another cloud key"]);

    // The real sizes: 784 signs, and 576 magnitudes of 20 bits.
    fs::create_dir(place.path("real")).unwrap();
    let digit = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits/7.png");
    place.run(&format!("paper encrypt {digit} --model binarized-cnn --out real")).succeeded();
    assert_eq!(len(&place, "real/secret_cloud.data"), 784 * SAMPLE);
    assert_eq!(len(&place, "real/K_cloud.data"), 11_520 * SAMPLE);
    let perceptron = format!("paper encrypt {digit} --model perceptron --out real --force");
    place.refuses(&perceptron, &["perceptron", "20 bits"]);
}
