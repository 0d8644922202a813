//! Several processes with one output: one writes it, or the last one does, and the file is whole.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
};

use super::{assert_label, assert_pair_works, key_id, temporaries};
use crate::{
    evaluate,
    place::{Outcome, Place},
    stopped::{go_on, stop},
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

/// A command that was stopped once it had said something.
struct Stopped {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Stopped {
    /// Starts a command, and stops it once it has said `words`; none where it has come to its end before.
    fn after(words: &str, mut command: Command) -> Option<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            if stdout.read_line(&mut line).unwrap() == 0 {
                panic!("it never says {words:?}: {:?}", Outcome::of_child(child));
            }
        }
        stop(&mut child).then_some(Self { child, stdout })
    }

    /// Lets it go on to its end, and gives what else it said.
    fn finish(mut self) -> String {
        go_on(&self.child);
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        Outcome::of_child(self.child).succeeded();
        rest
    }
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
    let line = "evaluate --images images --labels labels --model toy --encrypted --record record";
    place.run(&format!("{line} --limit 1")).succeeded();
    let begun = fs::read(place.path("record")).unwrap();
    let first = loop {
        match Stopped::after("1 images are done already", place.command(line)) {
            Some(first) => break first,
            None => fs::write(place.path("record"), &begun).unwrap(),
        }
    };
    place.refuses(line, &["record: another process is writing this record"]);
    let text = first.finish();
    assert!(text.contains("4 of 4, 100.00 %"), "{text}");
    let again = place.run(&format!("{line} --json")).json();
    assert_eq!((&again["encrypted"]["evaluated"], &again["encrypted"]["resumed"]), (&4.into(), &4.into()));
    assert_eq!(fs::read_to_string(place.path("record")).unwrap().lines().count(), 4);
}

#[test]
fn a_record_of_a_soak_test_has_one_writer() {
    let place = Place::new();
    let line = "soak --minutes 0.0001 --record record";
    let first = loop {
        match Stopped::after("0 rounds done before", place.command(line)) {
            Some(first) => break first,
            None => fs::remove_file(place.path("record")).unwrap(),
        }
    };
    place.refuses(line, &["record: another process is writing this record"]);
    let text = first.finish();
    assert!(text.contains("in all  1 keys"), "{text}");
    assert_eq!(place.run(&format!("{line} --json")).json()["total"]["rounds"], 2);
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
        assert_eq!(place.run(&line).json()["decrypted"][0]["label"], class);
    };
    let [four, seven] = [4, 7].map(|class| start(infer(class, "--force")));
    for outcome in [four, seven].map(Outcome::of_child) {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
    [4, 7].into_iter().for_each(label);

    // Stopped, both: the state is of one of them, and the other is told.
    let mut runs = [4, 7].map(|class| start(infer(class, &format!("--out {class}.new"))));
    while !place.path("state").exists() && runs.iter_mut().any(|run| run.try_wait().unwrap().is_none()) {}
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
