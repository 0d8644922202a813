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
