//! Ctrl-C in the middle of work.

#![cfg(unix)]

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::place::Place;

#[test]
fn an_interrupted_demo_leaves_no_key_behind() {
    let place = Place::furnished();
    fs::create_dir(place.path("tmp")).unwrap();
    let before = place.listing();
    let mut command = place.command("demo");
    command.env("TMPDIR", place.path("tmp")).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();

    let patience = Instant::now() + Duration::from_secs(60);
    let has_key = || {
        let mut folders = fs::read_dir(place.path("tmp")).unwrap();
        folders.any(|folder| folder.unwrap().path().join("secret.key").exists())
    };
    while !has_key() {
        assert!(Instant::now() < patience, "the demo makes no key");
        thread::sleep(Duration::from_millis(5));
    }
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());

    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "bnn: interrupted\n");
    assert!(before == place.listing(), "the demo's folder is still there");
}
