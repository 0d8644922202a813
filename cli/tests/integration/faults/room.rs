//! No room on the disk, and no right to write.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

use super::within;
use crate::{
    evaluate,
    place::{Outcome, Place, cloud_key, secret_key},
    toy,
};

/// Runs in the place of a file system that is full after `blocks` times 512 bytes: writes that go beyond fail half done.
fn limited(place: &Place, line: &str, blocks: usize) -> Command {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    within(&["sh", "-c", &script, "sh"], &place.command(line), place)
}

#[test]
fn a_full_disk_leaves_the_old_files_and_no_half_ones() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy --out old.enc").succeeded();
    place.run("infer old.enc --model toy --out old.scores").succeeded();
    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key --out gates.enc").succeeded();
    fs::create_dir(place.path("new")).unwrap();
    fs::write(place.path("old.state"), "{\"format\":1, a run that was saved}").unwrap();
    fs::create_dir(place.path("paper")).unwrap();
    fs::write(place.path("paper/convolution_new.txt"), "1 ".repeat(75)).unwrap();
    fs::write(place.path("paper/full_connection_new.txt"), "1 ".repeat(4320)).unwrap();
    let gates = "infer gates.enc --model toy --cloud-key gates/cloud.key --save-every 0";
    // Each with less room than its file needs, the secret key's 484 bytes included.
    for (line, blocks, file) in [
        ("keygen --out new", 8, "new/cloud.key"),
        ("keygen --out new", 0, "new/cloud.key"),
        ("keygen --force", 8, "keys/cloud.key"),
        ("encrypt 4.png --model toy --out new.enc", 2, "new.enc"),
        ("encrypt 4.png --model toy --out old.enc --force", 2, "old.enc"),
        ("infer old.enc --model toy --out new.scores", 2, "new.scores"),
        ("infer old.enc --model toy --out old.scores --force", 2, "old.scores"),
        (&format!("{gates} --out new.scores"), 8, "new.scores.state"),
        (&format!("{gates} --out new.scores --state old.state --force"), 8, "old.state"),
        ("paper import paper --out imported", 2, "weights.safetensors"),
    ] {
        place.refuses_as(limited(&place, line, blocks), line, &[file, "File too large"]);
    }
    // Room for all.
    Outcome::of(limited(&place, "encrypt 4.png --model toy --out new.enc", 100)).succeeded();
    Outcome::of(limited(&place, "paper import paper --out imported", 100)).succeeded();
}

#[test]
fn a_record_that_finds_no_room_goes_on_where_it_was() {
    let place = evaluate::labelled();
    let line = "evaluate --images images --labels labels --model toy --encrypted --record record --json";
    let failed = Outcome::of(limited(&place, line, 1));
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("record: File too large"), "{}", failed.stderr);
    let whole_lines = fs::read_to_string(place.path("record")).unwrap().matches('\n').count();
    assert!((1..4).contains(&whole_lines), "{whole_lines}");
    let result: Value = place.run(line).json();
    assert_eq!(
        (&result["encrypted"]["evaluated"], &result["encrypted"]["resumed"]),
        (&4.into(), &whole_lines.into())
    );
}

/// A file system of its own, of 64 KB, in a namespace of its own.
#[test]
fn a_file_system_that_is_full() {
    let place = Place::furnished();
    fs::create_dir(place.path("full")).unwrap();
    let script = "mount -t tmpfs -o size=64k none full || exit 99; \"$@\"; code=$?; ls -A full; exit $code";
    let mounted = |line: &str| {
        Outcome::of(within(&["unshare", "-rm", "sh", "-c", script, "sh"], &place.command(line), &place))
    };
    if Command::new("unshare").arg("--version").output().is_err() || mounted("models").code != Some(0) {
        println!("skipped: no file system can be mounted here");
        return;
    }
    let outcome = mounted("keygen --out full");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1);
    assert!(outcome.stderr.contains("full/cloud.key: No space left on device"), "{}", outcome.stderr);
}

#[test]
fn a_full_standard_output_is_a_failure() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        println!("skipped: this system has no /dev/full");
        return;
    };
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    place.run("infer 4.enc --model toy").succeeded();
    for line in
        ["models", "inspect 4.enc", "inspect 4.enc --json", "decrypt 4.scores --model toy", "estimate toy"]
    {
        let mut command = place.command(line);
        let output = command
            .stdout(full.try_clone().unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output();
        let output = output.unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{line}: {message}");
        assert!(message.contains("stdout: No space left on device"), "{line}: {message}");
    }
}

#[test]
fn a_device_is_not_replaced() {
    let place = Place::furnished();
    let before = fs::symlink_metadata("/dev/null").unwrap().rdev();
    place.refuses("encrypt 4.png --model toy --out /dev/null --force", &["/dev/null", "not a regular file"]);
    assert_eq!(fs::symlink_metadata("/dev/null").unwrap().rdev(), before);
}

/// The command as somebody who has no right to write in the folder `closed`: root has every right, and becomes nobody.
fn unprivileged(place: &Place, program: &Path, line: &str) -> Command {
    const NOBODY: u32 = 65534;
    let mut command = Command::new(program);
    command.args(line.split_whitespace()).current_dir(place.path("")).env_remove("BNN_MODELS");
    if fs::metadata(place.path("")).unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

#[test]
fn a_folder_that_is_closed_is_told_and_left_alone() {
    // Where nobody may read, too: the build's folder may be in somebody's home.
    let place = Place::new_in(&std::env::temp_dir());
    let allow =
        |name: &str, mode: u32| fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
    allow("", 0o755);
    let program = place.path("bnn");
    fs::copy(cargo_bin!("bnn"), &program).unwrap();
    toy::write_model(&place.path("toy"), "toy");
    toy::write_picture(&place.path("4.png"), &toy::pixels(4));
    for folder in ["closed", "open"] {
        fs::create_dir(place.path(folder)).unwrap();
        for (key, name) in [(secret_key(), "secret.key"), (cloud_key(), "cloud.key")] {
            fs::copy(key, place.path(&format!("{folder}/{name}"))).unwrap();
        }
        allow(&format!("{folder}/secret.key"), 0o644);
    }
    allow("open", 0o777);
    allow("closed", 0o555);
    match unprivileged(&place, &program, "models").output() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            println!("skipped: no program can be started in the temporary folder");
            return;
        }
        started => assert!(started.unwrap().status.success()),
    }
    let run = |line: &str| Outcome::of(unprivileged(&place, &program, line));
    run("encrypt 4.png --model toy --key closed/secret.key --out open/4.enc").succeeded();
    let infer = "infer open/4.enc --model toy --cloud-key closed/cloud.key --out";
    run(&format!("{infer} open/4.scores")).succeeded();
    run("decrypt open/4.scores --model toy --key closed/secret.key").succeeded();
    for (line, file) in [
        ("keygen --out closed/keys".to_owned(), "closed/keys"),
        ("keygen --out closed --force".to_owned(), "closed/secret.key"),
        ("encrypt 4.png --model toy --key open/secret.key --out closed/4.enc".to_owned(), "closed/4.enc"),
        (format!("{infer} closed/4.scores"), "closed/4.scores"),
    ] {
        place.refuses_as(
            unprivileged(&place, &program, &line),
            &line,
            &[file, "no file can be written", "denied"],
        );
    }
    allow("closed", 0o755);
}
