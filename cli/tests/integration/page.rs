//! The commands of docs/service.md, as they stand there.

#![cfg(unix)]

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use assert_cmd::cargo::cargo_bin;

use crate::{
    place::{Outcome, Place},
    served::Served,
};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn the_page_begins_with_commands_that_give_the_label() {
    if lacks("curl") {
        return;
    }
    let place = place();
    let served = Served::new(&place, "");
    let [serve, ask] = blocks("## Begin").try_into().unwrap();
    assert_eq!(serve, "cargo run --release -- serve\n");
    let told = give(&place, &ask, "http://127.0.0.1:8000", &served.url);
    assert!(told.contains("label is 7"), "{told}");
}

#[test]
fn another_machine_is_served_over_tls() {
    if lacks("openssl") {
        return;
    }
    let place = place();
    let [serve, ask] = blocks("### From another machine").try_into().unwrap();
    // The service in the place of the shell, on this machine only.
    let serve = replaced(&replaced(&serve, "0.0.0.0:8443", "127.0.0.1:0"), "bnn serve", "exec bnn serve");
    let served =
        Served::told_by(shell(&place, &serve), |line| Some(line.strip_prefix("service  ")?.trim().into()));
    let url = replaced(&served.url, "127.0.0.1", "localhost");
    let told = give(&place, &ask, "https://localhost:8443", &url);
    for picture in ["models/digits/3.png  3 ", "models/digits/7.png  7 "] {
        assert!(told.lines().any(|line| line.starts_with(picture)), "{told}");
    }
}

/// Whether a program that the page uses is not there.
fn lacks(program: &str) -> bool {
    let lacks = Command::new(program).arg("--version").output().is_err();
    if lacks {
        println!("not run: no {program}, which docs/service.md uses");
    }
    lacks
}

/// The blocks of commands below a heading of the page, up to the next heading.
fn blocks(heading: &str) -> Vec<String> {
    let page = fs::read_to_string(Path::new(SOURCES).join("docs/service.md")).unwrap();
    let (_, below) = page.split_once(&format!("\n{heading}\n")).unwrap();
    let below = below.split("\n##").next().unwrap();
    below.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap().into()).collect()
}

/// A folder with the models and pictures of the sources.
fn place() -> Place {
    let place = Place::new();
    symlink(Path::new(SOURCES).join("models"), place.path("models")).unwrap();
    place
}

fn shell(place: &Place, commands: &str) -> Command {
    let folder = cargo_bin!("bnn").parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.into()).chain(std::env::split_paths(&path));
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", commands]).current_dir(place.path(""));
    shell
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("XDG_DATA_HOME", place.path("data-of-user"));
    shell
}

/// What commands print that ask the service of the page, which is elsewhere here.
fn give(place: &Place, commands: &str, of_page: &str, url: &str) -> String {
    let outcome = Outcome::of(shell(place, &replaced(commands, of_page, url)));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome.stdout
}

/// A text with another part, which it must have.
fn replaced(text: &str, part: &str, by: &str) -> String {
    assert!(text.contains(part), "no {part} in {text}");
    text.replace(part, by)
}
