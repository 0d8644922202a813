//! The files that are made, and what `inspect` says of them.

use std::fs;

use tfhe_core::{keys::SecretKey, parameters::GATES_DEFAULT, random::SecretSeed};

use crate::{
    native,
    place::{Outcome, Place, toy_model},
    toy,
};

#[test]
fn the_secret_key_is_for_its_owner_and_keys_are_not_replaced_unasked() {
    let place = Place::new();
    let text = place.run("keygen").succeeded();
    assert!(
        text.contains("keys/secret.key: 484 bytes") && text.contains("keep it with the client"),
        "{text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(place.path("keys/secret.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    place.refuses("keygen", &["keys/secret.key", "exists already", "--force"]);
    fs::remove_file(place.path("keys/secret.key")).unwrap();
    place.refuses("keygen", &["keys/cloud.key", "exists already"]);
    let cloud_before = fs::read(place.path("keys/cloud.key")).unwrap();
    let result = place.run("keygen --force --json").json();
    assert_eq!(result["key_id"].as_str().unwrap().len(), 32);
    assert_eq!(result["cloud_key"]["bytes"], cloud_before.len());
    assert!(fs::read(place.path("keys/cloud.key")).unwrap() != cloud_before);
    assert_eq!(fs::read_dir(place.path("keys")).unwrap().count(), 2);
}

#[test]
fn every_kind_of_file_is_recognised() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    place.run("infer 4.enc --model toy").succeeded();
    let inspect = |name: &str| {
        let mut command = place.command(&format!("inspect {name} --json"));
        command.env("BNN_MODELS", toy_model().parent().unwrap());
        Outcome::of(command).json()
    };
    let id = inspect("keys/secret.key")["key_id"].clone();
    for (file, kind, model) in [
        ("keys/secret.key", "a secret key", None),
        ("keys/cloud.key", "a cloud key", None),
        ("4.enc", "a packed ciphertext", Some("toy")),
        ("4.scores", "a list of ciphertexts", Some("toy")),
    ] {
        let result = inspect(file);
        assert_eq!(result["kind"], kind);
        assert_eq!(result["key_id"], id);
        assert_eq!(result["parameters"]["name"], "FUNCTIONAL_1024");
        assert_eq!(result["parameters"]["security_bits"], 128);
        assert_eq!(result["bytes"], fs::metadata(place.path(file)).unwrap().len());
        assert_eq!(result["model_name"].as_str(), model);
    }
    let text = place.run("inspect 4.enc").succeeded();
    assert!(text.contains("784 values") && text.contains("checksum    holds"), "{text}");
    assert!(text.contains("an encrypted picture (a packed ciphertext)"), "{text}");
    // No gates, no promise for them.
    assert!(text.contains("results have noise") && !text.contains("gates fail"), "{text}");
    assert!(inspect("4.enc")["parameters"]["log2_failure"].is_null());
    native::save(
        &SecretKey::generate(&GATES_DEFAULT, SecretSeed::deterministic_for_tests(1)),
        &place.path("gates.key"),
    );
    let text = place.run("inspect gates.key").succeeded();
    assert!(text.contains("gates fail with probability 2^-128 at most"), "{text}");
}

#[test]
fn a_model_is_inspected_by_folder_and_by_name() {
    let place = Place::furnished();
    let text = place.run("inspect toy").succeeded();
    for fragment in ["Counts pixels", "28 x 28", "16 bootstraps", "binary-dense", "at most 400 ones"] {
        assert!(text.contains(fragment), "no {fragment:?} in {text}");
    }
    let result = place.run("inspect binarized-perceptron --json").json();
    assert_eq!(result["model"]["name"], "binarized-perceptron");
    assert_eq!(result["layers"].as_array().unwrap().len(), 2);
}

/// `--force` replaces old outputs, not what the command itself reads, however the path is written.
#[test]
fn an_output_in_the_place_of_an_input_is_refused() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    let before = place.listing();
    for line in [
        "encrypt 4.png --model toy --out keys/secret.key --force",
        "encrypt 4.png --model toy --out keys/../4.png --force",
        "infer 4.enc --model toy --out ./4.enc --force",
        "infer 4.enc --model toy --out keys/cloud.key --force",
        "encrypt 4.png --model toy --out toy/weights.safetensors --force",
        "infer 4.enc --model toy --out toy/manifest.toml --force",
        "models --client toy --out toy/../toy/weights.safetensors --force",
        "convert keys/cloud.key --to tfhe-lib --out keys/./cloud.key --force",
        "convert keys/secret.key --to tfhe-lib --cloud-key keys/cloud.key --out keys/cloud.key --force",
    ] {
        place.refuses(line, &["is read by the same command", "name another output"]);
    }
    assert_eq!(place.listing(), before);
}

/// What is no place for a file is told as such, and not as one that `--force` would replace.
#[test]
fn a_place_that_takes_no_file_is_refused_by_what_it_is() {
    let place = Place::furnished();
    for force in ["", " --force"] {
        for (out, fragment) in [
            ("--out .", ".: this is a folder"),
            ("--out none/", "none/: this is a folder"),
            (&format!("--out {}", "x".repeat(300)), "File name too long"),
            ("--out-dir 4.png", "4.png: this is no folder"),
            ("--out-dir 4.png/below", "4.png: this is no folder"),
            ("--out /dev/fd/2000", "/dev/fd/2000: a file with a name of its own is needed"),
        ] {
            place.refuses(&format!("encrypt 4.png --model toy {out}{force}"), &[fragment]);
        }
    }
    place.refuses_usage("encrypt 4.png --model toy --out-dir -", &["-: standard output is no folder"]);
    place.refuses_usage("encrypt 4.png ./a/4.png --model toy", &["4.png", "a/4.png", "one by one"]);
    place.refuses_usage("encrypt 4.png 4.png --model toy", &["4.png: this file is given twice"]);
}

/// The folder that a command makes for its outputs goes again where there are none.
#[test]
fn a_command_that_fails_leaves_no_folder() {
    let place = Place::furnished();
    place.refuses("encrypt none.png --model toy --out-dir a/b", &["none.png"]);
    place.refuses("keygen --client 4.png --out a/b", &["4.png"]);
    let before = place.listing();
    assert_eq!(place.run("encrypt none.png nor.png --model toy --out-dir a/b").code, Some(1));
    assert!(place.listing() == before);
}

/// A name is one line, whatever is in it.
#[cfg(unix)]
#[test]
fn a_name_cannot_forge_a_line() {
    let place = Place::furnished();
    let forged = "7.scores: the label is 3";
    for name in [format!("a\n{forged}.png"), format!("b\r{forged}.png"), format!("c\u{2028}{forged}.png")] {
        toy::write_picture(&place.path(&name), &toy::pixels(4));
        let mut command = place.command("encrypt --model toy");
        command.arg(&name);
        let text = Outcome::of(command).succeeded();
        assert!(!text.lines().any(|line| line.starts_with(forged)), "{text}");
        assert!(text.lines().count() == 2 && !text.contains('\u{2028}'), "{text}");
    }
}
