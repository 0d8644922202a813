//! Ctrl-C, and other requests to end, in the middle of work.

#![cfg(unix)]

use std::{fs, process::Stdio};

use crate::{
    place::{Outcome, Place},
    stopped::{go_on, signal, stop},
};

#[test]
fn an_interrupted_demo_leaves_no_key_behind() {
    interrupted_leaves_no_key_behind("INT");
}

#[test]
fn a_demo_that_is_told_to_end_leaves_no_key_behind() {
    interrupted_leaves_no_key_behind("TERM");
}

#[test]
fn a_demo_whose_terminal_is_closed_leaves_no_key_behind() {
    if hangups_are_ignored() {
        println!("skipped: these tests run where hangups are ignored");
        return;
    }
    interrupted_leaves_no_key_behind("HUP");
}

/// Whether this process, and so the commands that it starts, was started by `nohup` or the like.
fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
}

/// A run of days is begun by `nohup`, and goes on when its terminal is closed.
#[cfg(target_os = "linux")]
#[test]
fn a_command_that_is_to_outlive_its_terminal_does() {
    let place = Place::furnished();
    let demo = place.command("demo --image 4.png --model toy");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(demo.get_program()).args(demo.get_args());
    command.current_dir(place.path("")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // By then the shell has become the command.
    let is_demo = || fs::read(format!("/proc/{}/comm", child.id())).is_ok_and(|name| name == b"bnn\n");
    while !is_demo() {}
    assert!(stop(&mut child));
    signal(&child, "HUP");
    go_on(&child);
    Outcome::of_child(child).succeeded();
}

fn interrupted_leaves_no_key_behind(name: &str) {
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
            signal(&child, name);
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

/// Folders that were made for outputs go again, where nothing came into them.
#[test]
fn an_interrupted_command_leaves_no_empty_folder() {
    loop {
        let place = Place::furnished();
        let before = place.listing();
        let mut command = place.command("keygen --engine gates --out a/b");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !place.path("a/b").exists() && child.try_wait().unwrap().is_none() {}
        if stop(&mut child) {
            signal(&child, "INT");
            go_on(&child);
        }
        let outcome = Outcome::of_child(child);
        // Where the keys were there first, there was nothing to take away: again.
        if outcome.code == Some(130) && !place.path("a/b/cloud.key").exists() {
            assert!(place.listing() == before, "{outcome:?}");
            break;
        }
    }
}
