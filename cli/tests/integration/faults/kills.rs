//! SIGKILL at every moment that matters: before each system call that brings a file to the disk or gives it a name, where
//! `strace` can stop there; and while files are seen to change, everywhere.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{fs::MetadataExt, process::ExitStatusExt},
    path::Path,
    process::{Command, Stdio},
};

use super::{assert_label, assert_pair_works, key_id, temporaries, within};
use crate::{place::Place, toy};

/// More than any command has.
const MOST_MOMENTS: usize = 60;

/// How much a file grows for a change, in bytes: a cloud key grows seven times.
const STEP: u64 = 1 << 22;

/// When a command is killed.
#[derive(Clone, Copy, Debug)]
enum Killer {
    /// Before its `moment`-th call of a kind, by `strace`.
    BeforeCall(&'static str),
    /// At the `moment`-th change that is seen in its folders.
    AtChange,
}

/// The ways to kill that this machine has.
fn killers() -> Vec<Killer> {
    let traced = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if traced.is_ok_and(|status| status.success()) {
        // Those that bring a file to the disk, and those that give it its name, of which a machine may lack some.
        return vec![
            Killer::BeforeCall("fsync"),
            Killer::BeforeCall("?rename,?renameat,?renameat2"),
            Killer::AtChange,
        ];
    }
    println!("skipped: strace, which kills at a system call, does not run here");
    vec![Killer::AtChange]
}

impl Killer {
    /// Runs a command until its `moment`-th moment, and kills it there; whether it came so far.
    fn run(self, place: &Place, command: Command, moment: usize) -> bool {
        match self {
            Self::BeforeCall(calls) => killed_at_call(place, &command, calls, moment),
            Self::AtChange => killed_at_change(place, command, moment),
        }
    }
}

fn killed_at_call(place: &Place, command: &Command, calls: &str, moment: usize) -> bool {
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:signal=KILL:when={moment}"));
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let mut command = within(&strace, command, place);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success() || status.signal() == Some(9), "{status}");
    !status.success()
}

/// Kills at the `moment`-th change of the names and files in the folder `keys` and the one above that is seen.
fn killed_at_change(place: &Place, mut command: Command, moment: usize) -> bool {
    let seen = || -> BTreeSet<_> {
        let list = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().collect::<Vec<_>>();
        let entries = [place.path(""), place.path("keys")].into_iter().flat_map(|folder| list(&folder));
        entries
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                // A slow disk may show every page of a file that grows.
                Some((entry.path(), metadata.ino(), metadata.len().div_ceil(STEP)))
            })
            .collect()
    };
    let (mut last, mut changes) = (seen(), 0);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while changes < moment && child.try_wait().unwrap().is_none() {
        let now = seen();
        changes += usize::from(now != last);
        last = now;
    }
    child.kill().unwrap();
    child.wait().unwrap().signal() == Some(9)
}

/// Kills a command at its first moment, at its second, and so on until it comes to its end; looks after each.
fn kill_at_all_moments(place: &Place, killer: Killer, line: &str, mut look: impl FnMut()) {
    let mut moment = 1;
    while killer.run(place, place.command(line), moment) {
        look();
        moment += 1;
        assert!(moment < MOST_MOMENTS, "{line} does not end");
    }
    println!("{line}, {killer:?}: killed at {} moments", moment - 1);
    // A quick command may come to its end between two looks at the folder.
    assert!(moment > 1 || matches!(killer, Killer::AtChange), "{line} was never killed");
    look();
}

#[test]
fn a_killed_keygen_leaves_whole_keys_or_none() {
    for killer in killers() {
        let place = Place::furnished();
        fs::remove_dir_all(place.path("keys")).unwrap();
        kill_at_all_moments(&place, killer, "keygen", || {
            let [secret, cloud] = ["keys/secret.key", "keys/cloud.key"].map(|name| place.path(name).exists());
            // The secret key comes last.
            assert!(cloud || !secret);
            if cloud {
                place.refuses("keygen", &["exists already", "--force"]);
                place.run("keygen --force").succeeded();
                assert_eq!(key_id(&place, "keys/secret.key"), key_id(&place, "keys/cloud.key"));
                assert_pair_works(&place);
                fs::remove_dir_all(place.path("keys")).unwrap();
            }
        });
        place.run("keygen").succeeded();
    }
}

#[test]
fn a_killed_forced_keygen_keeps_the_old_secret_key_until_the_new_pair_is_there() {
    for killer in killers() {
        let place = Place::furnished();
        let ids = || ["keys/secret.key", "keys/cloud.key"].map(|name| key_id(&place, name));
        let (mut old, mut mixed) = (ids(), 0);
        kill_at_all_moments(&place, killer, "keygen --force", || {
            let now = ids();
            if now[0] == now[1] {
                old = now;
                return;
            }
            // Between the two renames: the old secret key, and the new cloud key, which is told.
            mixed += 1;
            assert_eq!(now[0], old[0]);
            place.run("encrypt 4.png --model toy --force").succeeded();
            place.refuses(
                "infer 4.enc --model toy",
                &["4.enc", "another key", "use the keys of one `bnn keygen` throughout"],
            );
            place.run("keygen --force").succeeded();
            old = ids();
            assert_eq!(old[0], old[1]);
        });
        println!("{mixed} times between the renames, {} temporary files", temporaries(&place.path("keys")));
        assert_pair_works(&place);
    }
}

/// The picture and the scores are small: the old ones are there until the new ones are.
#[test]
fn a_killed_encryption_or_inference_leaves_the_old_file_or_the_new_one() {
    for killer in killers() {
        let place = Place::furnished();
        place.run("encrypt 4.png --model toy").succeeded();
        place.run("infer 4.enc --model toy").succeeded();
        let written = |name: &str| fs::read(place.path(name)).unwrap();
        let (old, mut new) = (written("4.enc"), 0);
        kill_at_all_moments(&place, killer, "encrypt 4.png --model toy --force", || {
            new += usize::from(written("4.enc") != old);
            place.run("infer 4.enc --model toy --force").succeeded();
            assert_label(&place, "4.scores --model toy");
        });
        assert!(new > 0);
        kill_at_all_moments(&place, killer, "infer 4.enc --model toy --force", || {
            assert_label(&place, "4.scores --model toy");
        });
        for (line, output) in
            [("encrypt 4.png --model toy", "4.enc"), ("infer 4.enc --model toy", "4.scores")]
        {
            fs::remove_file(place.path(output)).unwrap();
            let mut moment = 1;
            while killer.run(&place, place.command(line), moment) && !place.path(output).exists() {
                moment += 1;
                assert!(moment < MOST_MOMENTS);
            }
            assert!(place.path(output).exists());
        }
        assert_label(&place, "4.scores --model toy");
    }
}

/// Nothing in the two files of the paper's protocol tells which picture they are of: signs of one never stand beside
/// magnitudes of another.
#[test]
fn a_killed_encryption_of_the_papers_leaves_no_picture_of_two_halves() {
    for killer in killers() {
        let place = Place::new();
        toy::write_sign_model(&place.path("signs"));
        toy::write_picture(&place.path("digit.png"), &[0, 10, 200, 0, 255, 30, 90, 0, 0]);
        place.paper_keygen("keys");
        let line = "paper encrypt digit.png --model signs --force";
        place.run(line).succeeded();
        let pair = || ["secret_cloud.data", "K_cloud.data"].map(|name| fs::read(place.path(name)).ok());
        let (mut old, mut halves) = (pair(), 0);
        kill_at_all_moments(&place, killer, line, || {
            let now = pair();
            if now[1].is_none() {
                halves += 1;
                let inputs = "secret_cloud.data K_cloud.data --model signs";
                place.refuses(&format!("paper infer {inputs}"), &["K_cloud.data", "No such file"]);
                place.run(line).succeeded();
            } else {
                assert!(now == old || (now[0] != old[0] && now[1] != old[1]));
            }
            old = pair();
        });
        println!("{halves} times between the first change and the last");
    }
}
