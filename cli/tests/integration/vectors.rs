//! Known-answer vectors: this build against them, and what a changed file comes to.

use std::{fs, path::Path};

use crate::place::{Outcome, Place};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors");

/// A copy of the folder, in `vectors` of a place of its own.
fn copied() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("vectors")).unwrap();
    for name in bnn::vectors::FILES {
        fs::copy(Path::new(RECORDED).join(name), place.path("vectors").join(name)).unwrap();
    }
    place
}

/// Changes one byte of a file of the copy.
fn change(place: &Place, name: &str, offset: usize, flip: u8) {
    let path = place.path("vectors").join(name);
    let mut bytes = fs::read(&path).unwrap();
    bytes[offset] ^= flip;
    fs::write(path, bytes).unwrap();
}

/// Where a text stands in a file of the folder, behind another.
fn find(name: &str, behind: &str, text: &str) -> usize {
    let content = fs::read_to_string(Path::new(RECORDED).join(name)).unwrap();
    let start = content.find(behind).unwrap();
    start + content[start..].find(text).unwrap()
}

#[test]
fn this_build_gives_the_recorded_answers() {
    let report = Place::new().run("vectors check --json").json();
    assert_eq!(report["failed"], 0);
    let vectors = report["vectors"].as_array().unwrap();
    for name in ["masks", "native-files", "toy-nand", "blind-rotation-steps", "gates", "network-sign-cnn"] {
        assert!(vectors.iter().any(|vector| vector["vector"] == name), "no {name}");
    }
    for vector in vectors {
        assert!(vector["error"].as_f64().is_none_or(|error| 0.0 < error && error <= 1.0), "{vector}");
    }
}

#[test]
fn a_changed_byte_is_found_and_told() {
    let place = copied();
    // An output of a step, one of the toy, one of a network, and a word of a binary file.
    change(&place, "steps.json", find("steps.json", "\"masks\"", "\"words\": \"") + 12, 1);
    change(&place, "toy.json", find("toy.json", "\"toy-nand\"", "\"2 sum\": \"") + 12, 1);
    change(&place, "networks.json", find("networks.json", "network-perceptron", "\"sha256\":\"") + 12, 1);
    change(&place, "bootstraps.bin", 500_000 / 8 * 8 + 7, 1);
    let outcome = place.run("vectors check");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("masks: case 1: words is not as recorded"), "{}", outcome.stderr);
    for vector in ["masks", "toy-nand", "network-perceptron", "SHA256SUMS"] {
        let row = outcome.stdout.lines().find(|line| line.starts_with(vector)).unwrap();
        assert!(row.contains("FAILED"), "{row}");
    }
    assert!(outcome.stdout.contains("has another sum than recorded"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("secret-bits") && outcome.stdout.contains(" ok "));
}

#[test]
fn folders_that_are_none_are_told() {
    let place = Place::new();
    place.refuses("vectors check --dir nowhere", &["nowhere/SHA256SUMS"]);
    let broken = copied();
    fs::write(broken.path("vectors/toy.json"), "{\"format\": 2, \"vectors\": []}").unwrap();
    fs::write(broken.path("vectors/steps.json"), "[").unwrap();
    let Outcome { code, stdout, .. } = broken.run("vectors check");
    assert_eq!(code, Some(1));
    assert!(stdout.contains("toy.json: format 2, where 1 is known"), "{stdout}");
    assert!(stdout.contains("steps.json: EOF"), "{stdout}");
}

#[test]
fn files_are_not_replaced_unless_asked() {
    copied().refuses("vectors generate --out vectors", &["vectors/steps.json", "--force"]);
}
