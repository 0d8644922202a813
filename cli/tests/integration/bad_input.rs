//! What does not fit is refused in one line that names the file, and nothing is written.

use std::fs;

use tfhe_core::{
    keys::CloudKey,
    parameters::{FUNCTIONAL_1024, GATES_BLOCK_BINARY, GATES_DEFAULT},
    random::SecretSeed,
};

use crate::{
    native::{self, write_secret_key},
    place::Place,
    toy,
};

/// A furnished place with an encrypted picture and its scores.
fn complete() -> Place {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    place.run("infer 4.enc --model toy").succeeded();
    place
}

#[test]
fn pictures_that_do_not_fit() {
    let place = Place::furnished();
    fs::write(place.path("text.png"), "not a picture").unwrap();
    toy::write_picture(&place.path("small.png"), &[0; 4]);
    toy::write_picture(&place.path("white.png"), &toy::white());
    toy::write_idx_images(&place.path("set.idx"), &[toy::pixels(0)]);
    let png = fs::read(place.path("4.png")).unwrap();
    fs::write(place.path("cut.png"), &png[..png.len() / 2]).unwrap();
    for command in ["encrypt ", "demo --image "] {
        let refuses = |line: &str, fragments: &[&str]| {
            place.refuses(&format!("{command}{line} --model toy"), fragments)
        };
        refuses("none.png", &["none.png"]);
        refuses("text.png", &["text.png", "neither a PNG, a BMP nor an IDX file, but a text"]);
        refuses("cut.png", &[&format!("cut.png: the picture is cut short at byte {}", png.len() / 2)]);
        refuses("small.png", &["small.png", "2 x 2", "28 x 28"]);
        refuses("white.png", &["white.png", "is blank", "--as-is"]);
        refuses("white.png --as-is", &["white.png", "784 of 784", "inverted"]);
        refuses("set.idx", &["set.idx", "name one by its index"]);
        refuses("set.idx --index 1", &["set.idx", "no image 1"]);
        refuses("4.png --index 0", &["4.png", "leave out the index"]);
    }
}

#[test]
fn keys_that_do_not_fit() {
    let place = complete();
    write_secret_key(&place.path("other.key"), &FUNCTIONAL_1024);
    write_secret_key(&place.path("blocks.key"), &GATES_BLOCK_BINARY);
    let gates = write_secret_key(&place.path("gates.key"), &GATES_DEFAULT);
    let gates_cloud = CloudKey::generate(&gates, SecretSeed::deterministic_for_tests(2)).unwrap();
    native::save(&gates_cloud, &place.path("gates-cloud.key"));
    place.run("encrypt 4.png --model toy --key other.key --out other.enc").succeeded();

    let encrypt = "encrypt 4.png --model toy --out new.enc --key";
    place.refuses(&format!("{encrypt} none.key"), &["none.key", "a secret key", "bnn keygen"]);
    place.refuses(&format!("{encrypt} blocks.key"), &["blocks.key", "GATES_BLOCK_BINARY", "bnn keygen"]);
    place.refuses(&format!("{encrypt} keys/cloud.key"), &["keys/cloud.key", "a cloud key", "a secret key"]);

    let infer = "infer 4.enc --model toy --out new.scores --cloud-key";
    place.refuses(&format!("{infer} none.key"), &["none.key", "a cloud key", "bnn keygen"]);
    place.refuses(&format!("{infer} keys/secret.key"), &["keys/secret.key", "a secret key", "a cloud key"]);
    place.refuses(&format!("{infer} gates-cloud.key"), &["gates-cloud.key", "GATES_DEFAULT"]);
    place.refuses("infer other.enc --model toy", &["other.enc", "another key"]);

    place.refuses("decrypt 4.scores --model toy --key none.key", &["none.key", "bnn keygen"]);
    place.refuses("decrypt 4.scores --model toy --key other.key", &["4.scores", "another key"]);
    place.refuses("decrypt 4.scores --model toy --key gates.key", &["4.scores", "GATES_DEFAULT"]);
}

#[test]
fn several_pictures_that_do_not_fit() {
    let place = complete();
    fs::create_dir(place.path("more")).unwrap();
    fs::copy(place.path("4.enc"), place.path("more/4.enc")).unwrap();
    fs::copy(place.path("4.enc"), place.path("5.enc")).unwrap();
    let infer = "infer --model toy --out-dir more";
    place.refuses_usage(&format!("{infer} 4.enc more/4.enc"), &["4.enc", "more/4.enc", "more/4.scores"]);
    place.refuses_usage("infer --model toy 4.enc 5.enc --out new.scores", &["--out-dir"]);
}

#[test]
fn networks_that_the_engine_does_not_run() {
    let place = Place::furnished();
    toy::write_model(&place.path("deep"), "deep");
    let manifest = fs::read_to_string(place.path("deep/manifest.toml")).unwrap();
    let between = "[[layers]]\nname = \"rectified\"\nkind = \"relu\"\n[[layers]]\nname = \"scores\"";
    let manifest = manifest.replace("[[layers]]\nname = \"scores\"", between);
    fs::write(place.path("deep/manifest.toml"), manifest).unwrap();
    let reason =
        ["layer \"rectified\"", "the functional engine does not run relu here", "bnn keygen --engine gates"];
    place.refuses("encrypt 4.png --model deep --key keys/secret.key", &reason);
    place.refuses("keygen --model deep --out made", &reason);
    place.refuses("demo --model deep", &reason);
}

#[test]
fn files_of_another_kind() {
    let place = complete();
    place.refuses(
        "infer 4.scores --model toy --out new.scores",
        &["4.scores: holds encrypted scores instead of an encrypted picture"],
    );
    place.refuses("infer 4.png --model toy --out new.scores", &["4.png", "not a file of this program"]);
    place.refuses("infer none.enc --model toy", &["none.enc"]);
    place.refuses(
        "decrypt 4.enc --model toy",
        &["4.enc: holds an encrypted picture instead of encrypted scores"],
    );
    place.refuses("inspect 4.png", &["4.png", "not a file of this program"]);
    place.refuses("inspect none", &["none"]);
}

#[test]
fn models_that_do_not_fit() {
    let place = complete();
    toy::write_model(&place.path("second"), "second");
    place.refuses("infer 4.enc --model second --out new.scores", &["4.enc", "second", "bnn inspect"]);
    place.refuses("decrypt 4.scores --model second", &["4.scores", "second", "bnn inspect"]);
    place.refuses("encrypt 4.png --model none --out new.enc", &["\"none\"", "bnn models"]);
    place.refuses("encrypt 4.png --model ./none --out new.enc", &["none/manifest.toml"]);

    let manifest = fs::read_to_string(place.path("second/manifest.toml")).unwrap();
    fs::write(place.path("second/manifest.toml"), manifest.replace("\"dense\"", "\"fuzzy\"")).unwrap();
    place.refuses("inspect second", &["second/manifest.toml", "layer \"scores\"", "fuzzy"]);
    let weights = fs::read(place.path("toy/weights.safetensors")).unwrap();
    fs::write(place.path("toy/weights.safetensors"), &weights[..weights.len() - 1]).unwrap();
    place.refuses("encrypt 4.png --model toy --out new.enc", &["toy/weights.safetensors"]);
    let mut flipped = weights;
    // The last byte is a weight of the scores, which may be any: the digest tells.
    *flipped.last_mut().unwrap() ^= 0x40;
    fs::write(place.path("toy/weights.safetensors"), flipped).unwrap();
    place.refuses("decrypt 4.scores --model toy", &["for the model"]);
}

#[test]
fn damaged_files_of_every_kind() {
    let place = complete();
    for (original, line) in [
        ("keys/secret.key", "encrypt 4.png --model toy --out new.enc --key bad"),
        ("keys/secret.key", "decrypt 4.scores --model toy --key bad"),
        ("keys/cloud.key", "infer 4.enc --model toy --out new.scores --cloud-key bad"),
        ("4.enc", "infer bad --model toy --out new.scores"),
        ("4.scores", "decrypt bad --model toy"),
    ] {
        let content = fs::read(place.path(original)).unwrap();
        for length in [0, 7, 50, content.len() / 2, content.len() - 1] {
            fs::write(place.path("bad"), &content[..length]).unwrap();
            place.refuses(line, &["bad: "]);
            place.refuses("inspect bad", &["bad: "]);
        }
        // The kind, the key id, the context, the body, the checksum.
        for byte in [10, 20, 40, 120, content.len() - 1] {
            let mut flipped = content.clone();
            flipped[byte] ^= 0x10;
            fs::write(place.path("bad"), flipped).unwrap();
            place.refuses(line, &["bad: "]);
            place.refuses("inspect bad", &["bad: "]);
        }
        fs::write(place.path("bad"), [&content[..], b"more"].concat()).unwrap();
        place.refuses(line, &["bad: "]);
    }
}

#[test]
fn outputs_that_cannot_be_written() {
    let place = complete();
    place.refuses("encrypt 4.png --model toy", &["4.enc", "exists already", "--force"]);
    place.refuses("infer 4.enc --model toy", &["4.scores", "exists already", "--force"]);
    for folder in ["none", "4.png"] {
        let encrypt = format!("encrypt 4.png --model toy --out {folder}/new.enc");
        place.refuses(&encrypt, &[&format!("{folder}/new.enc"), "no file can be written"]);
        let infer = format!("infer 4.enc --model toy --out {folder}/new.scores");
        place.refuses(&infer, &[&format!("{folder}/new.scores"), "no file can be written"]);
    }
    place.refuses("keygen --out 4.png", &["4.png", "no folder"]);
    place.refuses("encrypt 4.png --model toy --out toy --force", &["toy", "this is a folder"]);

    let before = fs::read(place.path("4.enc")).unwrap();
    place.run("encrypt 4.png --model toy --force").succeeded();
    assert!(fs::read(place.path("4.enc")).unwrap() != before);
}
