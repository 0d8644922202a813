//! Many files in one command: one that is bad is named, and the others are done.

use std::fs;

use serde_json::Value;
use tfhe_core::parameters::FUNCTIONAL_1024;

use crate::{
    native::write_secret_key,
    place::{Outcome, Place},
    toy,
};

/// The names of inputs in a part of a result.
fn inputs(result: &Value, part: &str) -> Vec<String> {
    let entries = result[part].as_array().unwrap().iter();
    entries.map(|entry| entry["input"].as_str().unwrap().to_owned()).collect()
}

/// A command that failed for some of its files: the object it printed, and what it said of each and at last.
#[track_caller]
fn partly(outcome: &Outcome) -> (Value, Vec<String>) {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let said =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["error"].as_str().unwrap().to_owned();
    (serde_json::from_str(&outcome.stdout).unwrap(), outcome.stderr.lines().map(said).collect())
}

/// The object names what failed, also where that is all.
#[test]
fn an_object_is_printed_where_all_fail() {
    let place = Place::furnished();
    for line in ["encrypt", "infer", "decrypt"] {
        let (result, said) = partly(&place.run(&format!("{line} none nor --model toy --json")));
        assert_eq!(inputs(&result, "failed"), ["none", "nor"], "{line}");
        assert_eq!(said.len(), 3, "{said:?}");
    }
}

#[test]
fn one_bad_file_does_not_lose_the_others() {
    let place = Place::furnished();
    for class in [2, 7] {
        toy::write_picture(&place.path(&format!("{class}.png")), &toy::pixels(class));
    }
    toy::write_picture(&place.path("white.png"), &toy::white());
    fs::write(place.path("text.png"), "no picture").unwrap();

    // The folder of outputs is made.
    let outcome = place
        .run("encrypt 2.png text.png 4.png white.png none.png 7.png --model toy --out-dir in/box --json");
    let (result, said) = partly(&outcome);
    assert_eq!(inputs(&result, "encrypted"), ["2.png", "4.png", "7.png"]);
    assert_eq!(inputs(&result, "failed"), ["text.png", "white.png", "none.png"]);
    for (line, name) in said.iter().zip(["text.png", "white.png", "none.png", "3 of 6 files failed"]) {
        assert!(line.starts_with(name), "{line}");
    }

    // Damaged, of another key, and what was done before.
    let mut bytes = fs::read(place.path("in/box/7.enc")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(place.path("in/box/bad.enc"), bytes).unwrap();
    write_secret_key(&place.path("other.key"), &FUNCTIONAL_1024);
    place.run("encrypt 2.png --model toy --key other.key --out in/box/other.enc").succeeded();
    fs::create_dir(place.path("scores")).unwrap();
    fs::write(place.path("scores/7.scores"), "done before").unwrap();
    let all = "in/box/bad.enc in/box/2.enc in/box/other.enc in/box/4.enc in/box/7.enc";
    let infer = format!("infer {all} --model toy --out-dir scores --json");
    let (result, said) = partly(&place.run(&infer));
    assert_eq!(inputs(&result["inference"], "scores"), ["in/box/2.enc", "in/box/4.enc"]);
    let failed = ["in/box/7.enc", "in/box/bad.enc", "in/box/other.enc"];
    assert_eq!(inputs(&result, "failed"), failed);
    assert!(
        said[0].contains("scores/7.scores: exists already") && said[2].contains("another key"),
        "{said:?}"
    );
    assert_eq!(fs::read(place.path("scores/7.scores")).unwrap(), b"done before");

    let outcome = place.run("decrypt scores/2.scores scores/7.scores scores/4.scores --model toy --json");
    let (result, said) = partly(&outcome);
    assert_eq!(inputs(&result, "decrypted"), ["scores/2.scores", "scores/4.scores"]);
    assert_eq!((&result["decrypted"][0]["label"], &result["decrypted"][1]["label"]), (&2.into(), &4.into()));
    assert!(said[0].starts_with("scores/7.scores") && said[1].starts_with("1 of 3 files failed"), "{said:?}");

    let text = place.run("decrypt scores/2.scores scores/4.scores --model toy").succeeded();
    let line = |name: &str, label: &str| {
        text.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.trim().starts_with(label)))
    };
    assert!(line("scores/2.scores", "2  (") && line("scores/4.scores", "4  ("), "{text}");
}

#[test]
fn what_all_files_share_fails_the_command_at_once() {
    let place = Place::furnished();
    fs::create_dir(place.path("more")).unwrap();
    for name in ["more/4.png", "more/4.bmp", "5.png"] {
        toy::write_picture(&place.path(name), &toy::pixels(4));
    }
    place.refuses_usage(
        "encrypt 4.png more/4.bmp --model toy",
        &["4.png", "more/4.bmp", "4.enc", "one by one"],
    );
    place.refuses_usage("encrypt 4.png 5.png --model toy --out new.enc", &["--out-dir"]);
    place.refuses("encrypt 4.png 5.png --model toy --key none.key", &["none.key", "bnn keygen"]);
    place.refuses("encrypt 4.png 5.png --model toy --out-dir 5.png", &["5.png"]);
    place.refuses_usage("encrypt 4.png - --model toy", &["standard input", "--out"]);
    place.refuses_usage("decrypt 4.scores 5.scores --compare 4.png", &["--compare", "2 files", "one by one"]);
}

/// Standard input for two inputs is told before one of them is read, and so never by what the other lacks.
#[test]
fn standard_input_serves_one_input() {
    let place = Place::furnished();
    for line in [
        "encrypt - --key - --model toy --out new.enc",
        "decrypt - --key - --model toy",
        "decrypt - - --model toy",
        "infer - --cloud-key - --model toy --out new.scores",
        "convert - --to native --key - --out new",
        "evaluate --images - --labels - --model toy",
        "paper encrypt - --key - --model toy",
        "paper decrypt - --key - --model toy",
        "paper infer - - --model toy",
    ] {
        place.refuses_usage(line, &["standard input can be read only once"]);
    }
}

/// A file that was made did not fail because nobody could be told.
#[cfg(target_os = "linux")] // Elsewhere there is no such device.
#[test]
fn a_full_standard_output_is_no_failure_of_an_input() {
    let place = Place::furnished();
    fs::copy(place.path("4.png"), place.path("5.png")).unwrap();
    let mut command = place.command("encrypt 4.png 5.png --model toy");
    command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
    let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let outcome = Outcome::of_child(child);
    assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(1), 1), "{outcome:?}");
    assert!(
        outcome.stderr.contains("stdout: No space left") && !outcome.stderr.contains("failed"),
        "{outcome:?}"
    );
    assert!(place.path("4.enc").exists());
}
