//! Client specifications: client and server in processes of their own, that share no more than a client and a server may.

use std::{fs, path::Path};

use crate::{place::Place, toy};

/// Files that one side may send to the other.
fn send(from: &Place, to: &Place, names: &[&str]) {
    for name in names {
        fs::copy(from.path(name), to.path(Path::new(name).file_name().unwrap().to_str().unwrap())).unwrap();
    }
}

/// A client whose folder never holds the model, and a server whose folder never holds the secret key or the picture.
fn through_two_processes(engine: &str) {
    let (client, server) = (Place::new(), Place::new());
    toy::write_model(&server.path("toy"), "toy");
    toy::write_picture(&client.path("4.png"), &toy::pixels(4));

    server.run("models --client toy").succeeded();
    send(&server, &client, &["toy.client.json"]);
    client.run(&format!("keygen --engine {engine} --client toy.client.json")).succeeded();
    client.run("encrypt 4.png --client toy.client.json").succeeded();
    send(&client, &server, &["keys/cloud.key", "4.enc"]);
    server.run("infer 4.enc --model toy --cloud-key cloud.key").succeeded();
    send(&server, &client, &["4.scores"]);
    let result = client.run("decrypt 4.scores --client toy.client.json --json").json();
    assert_eq!((&result["decrypted"][0]["label"], &result["model"]["name"]), (&4.into(), &"toy".into()));

    assert!(!client.path("toy").exists() && !server.path("keys").exists() && !server.path("4.png").exists());
}

#[test]
fn a_client_without_the_model_uses_the_functional_engine() {
    through_two_processes("functional");
}

#[test]
fn a_client_without_the_model_uses_the_gate_engine() {
    through_two_processes("gates");
}

#[test]
fn a_specification_goes_through_pipes_and_is_the_same_each_time() {
    let place = Place::furnished();
    place.run("models --client toy").succeeded();
    let told = place.run("models --client toy --out -").succeeded();
    assert_eq!(told, fs::read_to_string(place.path("toy.client.json")).unwrap());
    let inspected = place.run("inspect toy.client.json").succeeded();
    for fragment in
        ["a client specification", "28 x 28 pixels", "with keys of FUNCTIONAL_1024", "GATES_DEFAULT"]
    {
        assert!(inspected.contains(fragment), "no {fragment:?} in {inspected}");
    }
    let error = place.run("models --client toy").stderr;
    assert!(error.contains("toy.client.json: exists already; --force replaces it"), "{error}");
    assert!(!told.contains("weights"), "{told}");
}

/// What `encrypt` says of a damaged specification, which leaves no file.
fn refusal(place: &Place, specification: &str) -> String {
    fs::write(place.path("other.json"), specification).unwrap();
    let outcome = place.run("encrypt 4.png --client other.json --out other.enc");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("other.json: "), "{}", outcome.stderr);
    assert!(!place.path("other.enc").exists());
    outcome.stderr
}

#[test]
fn a_damaged_specification_is_refused_in_one_line() {
    let place = Place::furnished();
    let sound = place.run("models --client toy --out -").succeeded();
    for cut in [0, 1, sound.len() / 2, sound.len() - 3] {
        refusal(&place, &sound[..cut]);
    }
    let flipped = sound.replacen("\"width\":28", "\"width\":29", 1);
    assert_ne!(flipped, sound);
    assert!(refusal(&place, &flipped).contains("checksum"));
    let newer = sound.replacen("\"version\":1", "\"version\":3", 1);
    assert_ne!(newer, sound);
    assert!(refusal(&place, &newer).contains("version 3, this program reads versions up to 2"));
    refusal(&place, "{}");
    refusal(&place, "\u{1b}[31m");
}

#[test]
fn a_specification_of_another_model_does_not_open_scores() {
    let place = Place::furnished();
    fs::create_dir(place.path("more")).unwrap();
    toy::write_model(&place.path("more/renamed"), "renamed");
    let server = |line: &str| {
        let mut command = place.command(line);
        command.env("BNN_MODELS", place.path("more"));
        crate::place::Outcome::of(command).succeeded();
    };
    server("models --client renamed --out renamed.json");
    place.run("encrypt 4.png --model toy --out 4.enc").succeeded();
    place.run("infer 4.enc --model toy").succeeded();
    let error = place.run("decrypt 4.scores --client renamed.json").stderr;
    assert!(error.contains("4.scores: ") && error.contains("where renamed is"), "{error}");
    place.run("encrypt 4.png --client renamed.json --out other.enc").succeeded();
    let error = place.run("infer other.enc --model toy").stderr;
    assert!(error.contains("other.enc: ") && error.contains("where toy is"), "{error}");
}

/// What was redirected to standard input is an input like any other.
#[test]
fn standard_input_is_not_replaced_by_the_output() {
    let place = Place::furnished();
    place.run("models --client toy").succeeded();
    place.run("encrypt 4.png --model toy").succeeded();
    for (input, line) in [
        ("keys/secret.key", "encrypt 4.png --model toy --key - --out keys/secret.key --force"),
        ("toy.client.json", "encrypt 4.png --client - --out toy.client.json --force"),
        ("4.png", "encrypt - --model toy --out 4.png --force"),
        ("4.enc", "infer - --model toy --out 4.enc --force"),
        ("keys/secret.key", "keygen --client - --out keys --force"),
    ] {
        let mut command = place.command(line);
        command.stdin(fs::File::open(place.path(input)).unwrap());
        place.refuses_as(command, line, &[]);
    }
}

#[test]
fn one_of_model_and_specification_is_named() {
    let place = Place::new();
    for line in [
        "encrypt 4.png --client a --model b",
        "keygen --client a --model b",
        "decrypt 4.scores --client a --compare 4.png",
        "models --out a",
    ] {
        assert_eq!(place.run(line).code, Some(2), "{line}");
    }
}
