//! Several processes with one output: one writes it, or the last one does, and the file is whole.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{assert_label, assert_pair_works, key_id, temporaries};
use crate::{
    evaluate,
    place::{Outcome, Place},
    toy,
};

const PROCESSES: usize = 4;

/// Starts a command several times at once, and waits for all.
fn all_at_once(place: &Place, line: &str) -> Vec<Outcome> {
    let start = |_| start(place.command(line));
    let started: Vec<Child> = (0..PROCESSES).map(start).collect();
    started.into_iter().map(Outcome::of_child).collect()
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Starts a command that writes the record `record`, and waits until it holds it.
fn start_on_record(place: &Place, line: &str) -> Child {
    let started = start(place.command(line));
    wait_for(place, "record");
    // The record is made and locked at once, but for a moment.
    thread::sleep(Duration::from_millis(100));
    started
}

/// One process of several succeeds, and the others say that the output is there.
fn assert_one_wins(outcomes: &[Outcome]) {
    let (winners, losers): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.code == Some(0));
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    for loser in losers {
        assert_eq!((loser.code, loser.stderr.lines().count()), (Some(1), 1), "{loser:?}");
        assert!(loser.stderr.contains("exists already"), "{loser:?}");
    }
}

fn assert_all_win(outcomes: &[Outcome]) {
    assert!(outcomes.iter().all(|outcome| outcome.code == Some(0)), "{outcomes:?}");
}

#[test]
fn one_output_is_written_by_one_process_or_by_the_last() {
    let place = Place::furnished();
    for (line, output) in [("encrypt 4.png --model toy", "4.enc"), ("infer 4.enc --model toy", "4.scores")] {
        assert_one_wins(&all_at_once(&place, line));
        key_id(&place, output);
        assert_all_win(&all_at_once(&place, &format!("{line} --force")));
        key_id(&place, output);
    }
    assert_label(&place, "4.scores --model toy");
    assert_eq!(temporaries(&place.path("")), 0);
}

#[test]
fn a_pair_of_keys_is_of_one_process() {
    let place = Place::furnished();
    fs::remove_dir_all(place.path("keys")).unwrap();
    assert_one_wins(&all_at_once(&place, "keygen"));
    assert_pair_works(&place);
    assert_all_win(&all_at_once(&place, "keygen --force"));
    assert_pair_works(&place);
    assert_eq!(fs::read_dir(place.path("keys")).unwrap().count(), 2);
}

#[test]
fn a_record_has_one_writer() {
    let place = evaluate::labelled();
    let line = "evaluate --images images --labels labels --model toy --encrypted --record record --json";
    let first = start_on_record(&place, line);
    let second = place.run(line);
    let first = Outcome::of_child(first).json();
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("record: another process is writing this record"), "{}", second.stderr);
    assert_eq!(first["encrypted"]["evaluated"], 4);
    assert_eq!(fs::read_to_string(place.path("record")).unwrap().lines().count(), 4);
}

#[test]
fn a_record_of_a_soak_test_has_one_writer() {
    let place = Place::new();
    let line = "soak --minutes 0.0001 --record record --json";
    let first = start_on_record(&place, line);
    place.refuses(line, &["record: another process is writing this record"]);
    assert_eq!(Outcome::of_child(first).json()["total"]["rounds"], 1);
    assert_eq!(place.run(line).json()["total"]["rounds"], 2);
}

/// Two runs that save to one file: either goes on from its own state, or is told that it is another's.
#[test]
fn two_runs_with_one_state_end_with_their_own_labels() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    for class in [4, 7] {
        toy::write_picture(&place.path(&format!("{class}.png")), &toy::pixels(class));
        place.run(&format!("encrypt {class}.png --model toy --key gates/secret.key")).succeeded();
    }
    let infer = |class: usize, more: &str| {
        let line = format!(
            "infer {class}.enc --model toy --cloud-key gates/cloud.key --state state --save-every 0 {more}"
        );
        place.command(&line)
    };
    let label = |class: usize| {
        let line = format!("decrypt {class}.scores --model toy --key gates/secret.key --json");
        assert_eq!(place.run(&line).json()["label"], class);
    };
    let [four, seven] = [4, 7].map(|class| start(infer(class, "--force")));
    for outcome in [four, seven].map(Outcome::of_child) {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
    [4, 7].into_iter().for_each(label);

    // Stopped, both: the state is of one of them, and the other is told.
    let mut runs = [4, 7].map(|class| start(infer(class, &format!("--out {class}.new"))));
    wait_for(&place, "state");
    thread::sleep(Duration::from_millis(300));
    for run in &mut runs {
        run.kill().unwrap();
        run.wait().unwrap();
    }
    let again = [4, 7].map(|class| Outcome::of(infer(class, "--resume --force")));
    for (class, outcome) in [4, 7].into_iter().zip(again) {
        match outcome.code {
            Some(0) => label(class),
            _ => assert!(outcome.stderr.contains("state: a run on another encrypted image"), "{outcome:?}"),
        }
    }
}

fn wait_for(place: &Place, name: &str) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !place.path(name).exists() {
        assert!(Instant::now() < patience, "there is no {name}");
        thread::sleep(Duration::from_millis(1));
    }
}
