//! Ctrl-C in the middle of work.

#![cfg(unix)]

use std::{fs, process::Stdio};

use crate::{
    place::{Outcome, Place},
    stopped::{go_on, signal, stop},
};

#[test]
fn an_interrupted_demo_leaves_no_key_behind() {
    let place = Place::furnished();
    fs::create_dir(place.path("tmp")).unwrap();
    let before = place.listing();
    let has_key = || {
        let mut folders = fs::read_dir(place.path("tmp")).unwrap();
        folders.any(|folder| folder.unwrap().path().join("secret.key").exists())
    };
    let outcome = loop {
        let mut command = place.command("demo");
        command.env("TMPDIR", place.path("tmp")).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        while !has_key() && child.try_wait().unwrap().is_none() {}
        if stop(&mut child) {
            signal(&child, "INT");
            go_on(&child);
        }
        let outcome = Outcome::of_child(child);
        // Where the demo was over first, there was nothing to interrupt: again.
        if outcome.code != Some(0) {
            break outcome;
        }
    };
    assert_eq!(outcome.code, Some(130));
    assert_eq!(outcome.stderr, "bnn: interrupted\n");
    assert!(before == place.listing(), "the demo's folder is still there");
}
