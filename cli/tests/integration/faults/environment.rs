//! What a process is started with: no home, no environment, a temporary folder that is none.

use std::fs;

use crate::place::{Outcome, Place};

#[test]
fn nothing_is_needed_of_the_environment() {
    let place = Place::furnished();
    for line in ["demo --image 4.png --model toy", "encrypt 4.png --model toy", "inspect 4.enc", "models"] {
        let mut command = place.command(line);
        command.env_clear();
        Outcome::of(command).succeeded();
    }
}

#[test]
fn a_temporary_folder_that_is_none_is_told() {
    let place = Place::furnished();
    fs::write(place.path("file"), "").unwrap();
    for folder in ["none", "file"] {
        let mut command = place.command("demo --image 4.png --model toy --json");
        command.env("TMPDIR", place.path(folder));
        place.refuses_as(command, "demo", &[place.path(folder).to_str().unwrap()]);
    }
}

/// As a script leaves them that sets a variable to nothing.
#[test]
fn an_empty_variable_counts_as_unset() {
    const VARIABLES: [&str; 9] = [
        "TFHE_BACKEND",
        "BNN_MODELS",
        "NO_COLOR",
        "RAYON_NUM_THREADS",
        "TMPDIR",
        "HOME",
        "XDG_DATA_HOME",
        "TERM",
        "COLUMNS",
    ];
    let place = Place::furnished();
    let [picture, model] = ["4.png", "toy"].map(|name| place.path(name));
    for mut command in [
        place.command("models"),
        place.command(&format!("demo --image {} --model {}", picture.display(), model.display())),
    ] {
        // No folder can be made there: the one for the keys is elsewhere.
        if std::path::Path::new("/proc/self").exists() {
            command.current_dir("/proc");
        }
        command.envs(VARIABLES.map(|variable| (variable, "")));
        Outcome::of(command).succeeded();
    }
}

#[cfg(target_os = "linux")] // Elsewhere names must be UTF-8.
#[test]
fn names_of_models_need_not_be_utf8() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Command};

    use crate::toy;
    let place = Place::furnished();
    let name = OsStr::from_bytes(b"m\xe8tre");
    fs::create_dir(place.path("models")).unwrap();
    toy::write_model(&place.path("models").join(name), "meter");
    let run = |before: &str, after: &str| {
        let mut command: Command = place.command(before);
        command.arg(name).args(after.split_whitespace());
        Outcome::of(command)
    };
    run("encrypt 4.png --model", "").succeeded();
    run("infer 4.enc --model", "").succeeded();
    assert_eq!(run("decrypt 4.scores --model", "--json").json()["decrypted"][0]["label"], 4);
    assert_eq!(run("inspect", "--json").json()["model"]["name"], "meter");
    run("models --client", "").succeeded();
    let mut specification = name.to_owned();
    specification.push(".client.json");
    assert!(place.path("").join(specification).exists());
    let text = place.run("models").succeeded();
    assert!(text.contains("m\u{fffd}tre") && !text.contains("cannot be used"), "{text}");
    fs::remove_dir_all(place.path("models")).unwrap();
    let mut command = place.command("inspect");
    command.arg(name);
    place.refuses_as(command, "inspect", &["m\u{fffd}tre"]);
    let mut command = place.command("estimate");
    command.arg(name);
    place.refuses_as(command, "estimate", &[r"m\xE8tre"]);
}
