//! File systems that can do less than most: no renaming without replacing, no hard links, no syncing. `strace` lets the calls
//! fail as they do there.

use std::{fs, process::Command};

use super::{assert_label, temporaries, within};
use crate::place::{Outcome, Place};

/// As FUSE and network mounts answer: `EINVAL` to a flag that is not known, `EPERM` or `EOPNOTSUPP` to what is not there.
const LACKING: [&str; 3] = [
    "inject=?renameat2:error=EINVAL",
    "inject=?link,?linkat:error=EPERM",
    "inject=fsync,fdatasync:error=EOPNOTSUPP",
];

/// The command on a file system that lacks these.
fn lacking(faults: &[&str], place: &Place, line: &str) -> Command {
    let mut strace = vec!["strace", "-f", "-qq", "-o", "/dev/null"];
    strace.extend(faults.iter().flat_map(|fault| ["-e", fault]));
    within(&strace, &place.command(line), place)
}

/// Whether the calls of a program can be made to fail here.
fn can_inject() -> bool {
    let traced = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    let can = traced.is_ok_and(|status| status.success());
    if !can {
        println!("skipped: strace, which lets a system call fail, does not run here");
    }
    can
}

#[test]
fn files_are_written_where_nothing_can_be_renamed_without_replacing() {
    if !can_inject() {
        return;
    }
    let place = Place::furnished();
    let poor = |line: &str| Outcome::of(lacking(&LACKING, &place, line));
    poor("keygen --out new").succeeded();
    poor("encrypt 4.png --model toy").succeeded();
    poor("infer 4.enc --model toy").succeeded();
    assert_label(&place, "4.scores --model toy");
    // What is there is not replaced unless asked.
    place.refuses_as(
        lacking(&LACKING, &place, "encrypt 4.png --model toy"),
        "encrypt",
        &["4.enc", "--force"],
    );
    poor("encrypt 4.png --model toy --force").succeeded();
    assert_eq!(temporaries(&place.path("")) + temporaries(&place.path("new")), 0);
}

/// It would else be told after the work.
#[test]
fn a_folder_in_which_nothing_can_be_renamed_is_told_before_the_work() {
    if !can_inject() {
        return;
    }
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    fs::create_dir(place.path("new")).unwrap();
    let faults = ["inject=?rename,?renameat,?renameat2:error=EPERM", LACKING[1]];
    for line in ["keygen --out new", "encrypt 4.png --model toy --out 5.enc", "infer 4.enc --model toy"] {
        place.refuses_as(lacking(&faults, &place, line), line, &["no file can be written", "not permitted"]);
    }
}
