//! Limits of a session: on memory, on threads.

use std::{fs, process::Command};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

use super::within;
use crate::place::{Outcome, Place};

/// The command with so many kilobytes of address space.
fn with_memory(kilobytes: usize, place: &Place, line: &str) -> Command {
    let script = format!("ulimit -v {kilobytes} && exec \"$@\"");
    within(&["sh", "-c", &script, "sh"], &place.command(line), place)
}

/// At no limit is there a panic (101) or an abort: the command works, or says in one line what it lacks and what to do.
#[cfg(target_os = "linux")] // Elsewhere there is no such limit.
#[test]
fn too_little_memory_is_one_line() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    let program = fs::metadata(cargo_bin!("bnn")).unwrap().len() as usize / 1000;
    let mut refused = 0;
    for threads in [1, 8] {
        // Beside the program itself, which the system puts into memory before it begins.
        for beside in [10_000, 50_000, 90_000, 190_000, 290_000, 440_000] {
            let kilobytes = program + beside;
            for line in
                ["keygen --out new --force", "infer 4.enc --model toy --force", "inspect keys/cloud.key"]
            {
                let mut command = with_memory(kilobytes, &place, line);
                command.env("RAYON_NUM_THREADS", threads.to_string());
                // The GNU allocator reserves 64 MB of address space whenever threads meet in it: what is left after the command
                // has looked would depend on the machine's load.
                command.env("MALLOC_ARENA_MAX", "1");
                let outcome = Outcome::of(command);
                if outcome.code == Some(0) {
                    continue;
                }
                refused += 1;
                assert_eq!(outcome.code, Some(1), "{kilobytes} KB: bnn {line}: {outcome:?}");
                assert_eq!(outcome.stderr.lines().count(), 1, "{kilobytes} KB: bnn {line}: {outcome:?}");
                assert!(outcome.stderr.contains("ulimit -v"), "{kilobytes} KB: bnn {line}: {outcome:?}");
            }
        }
    }
    assert!(refused > 6, "{refused}");
    let outcome =
        Outcome::of(with_memory(program + 50_000, &place, "keygen --out new --force --threads 1 --json"));
    let error: Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("memory"), "{error}");
}

#[test]
fn more_threads_than_do_any_good_are_refused() {
    let place = Place::furnished();
    for line in ["keygen --threads 100000", "inspect keys/cloud.key --threads 100000"] {
        let outcome = place.run(line);
        assert_eq!(outcome.code, Some(2), "bnn {line}: {outcome:?}");
        assert!(outcome.stderr.contains("8 for each CPU"), "bnn {line}: {outcome:?}");
    }
    let mut command = place.command("keygen --out new");
    command.env("RAYON_NUM_THREADS", "100000");
    place.refuses_as(command, "keygen --out new", &["RAYON_NUM_THREADS", "100000", "at most"]);
    // More than there are CPUs, and within the bound.
    place.run("keygen --out new --threads 64").succeeded();
}

/// `strace` lets the system refuse all threads but the first, which waits for Ctrl-C.
#[test]
fn threads_are_started_by_commands_that_compute_and_a_refusal_is_told() {
    let traced = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if !traced.is_ok_and(|status| status.success()) {
        println!("skipped: strace, which lets a system call fail, does not run here");
        return;
    }
    let place = Place::furnished();
    let refused = |from: usize, line: &str| {
        let inject = format!("inject=?clone,?clone3:error=EAGAIN:when={from}+");
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject];
        within(&strace, &place.command(line), &place)
    };
    for line in ["inspect keys/cloud.key", "models"] {
        Outcome::of(refused(2, line)).succeeded();
    }
    for (from, line) in [(2, "keygen --out new"), (2, "infer 4.enc --model toy"), (1, "models")] {
        place.refuses_as(refused(from, line), line, &["--threads", "ulimit -u"]);
    }
}

/// A write beyond the limit on a file's size fails like one on a full disk, and leaves nothing.
#[cfg(target_os = "linux")] // Elsewhere the system ends the command.
#[test]
fn a_limit_on_files_is_one_line_and_leaves_nothing() {
    let place = Place::furnished();
    for line in ["keygen --out new", "paper keygen --out new"] {
        let command =
            within(&["sh", "-c", "ulimit -f 100 && exec \"$@\"", "sh"], &place.command(line), &place);
        place.refuses_as(command, line, &["new/cloud.key: File too large"]);
    }
}

#[test]
fn a_number_of_threads_that_is_none_is_told() {
    let place = Place::furnished();
    for number in ["two", "0", "-1"] {
        let mut command = place.command("encrypt 4.png --model toy --force");
        command.env("RAYON_NUM_THREADS", number);
        let outcome = Outcome::of(command);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(
            outcome.stderr.starts_with("bnn: warning: RAYON_NUM_THREADS is ")
                && outcome.stderr.contains(number),
            "{outcome:?}"
        );
    }
}
