//! Files that are others when they are read again, or while a run that read them goes on: the label is right, or the run is
//! refused.

use std::{
    fs::{self, File},
    process::Stdio,
};

use tfhe_core::{keys::CloudKey, random::SecretSeed};

use super::assert_label;
use crate::{
    native,
    place::Place,
    stopped::{go_on, stop},
    toy,
};

const INFER: &str = "infer 4.enc --model toy --cloud-key gates/cloud.key --save-every 0.05";

/// A place with keys for circuits of gates, the picture of a 4, and the scores of a run that nobody disturbed.
fn gates() -> Place {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key").succeeded();
    place.run(&format!("{INFER} --out whole.scores")).succeeded();
    place
}

/// How a run ends.
#[derive(PartialEq, Eq)]
enum End {
    Killed,
    Whole,
}

/// Starts the run, stops it once it is saved, which is after all was read, does something, and waits for its end.
fn interfere(place: &Place, end: &End, act: impl FnOnce()) {
    let [scores, state] = ["4.scores", "4.scores.state"].map(|name| place.path(name));
    let mut run = loop {
        let mut run = place.command(INFER).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !state.exists() && run.try_wait().unwrap().is_none() {}
        if stop(&mut run) && state.exists() {
            break run;
        }
        // It was over, or all but over, before it was stopped: again.
        go_on(&run);
        assert!(run.wait().unwrap().success());
        fs::remove_file(&scores).unwrap();
    };
    if *end == End::Killed {
        run.kill().unwrap();
    }
    act();
    if *end == End::Whole {
        go_on(&run);
    }
    assert_eq!(run.wait().unwrap().success(), *end == End::Whole);
}

#[test]
fn what_a_saved_run_was_made_with_cannot_be_exchanged() {
    let place = gates();
    interfere(&place, &End::Killed, || {});
    let resume = format!("{INFER} --resume");
    let with_key = |key: &str| resume.replace("gates/cloud.key", key);

    // Another key pair.
    place.run("keygen --engine gates --out other").succeeded();
    place.refuses(&with_key("other/cloud.key"), &["4.enc", "another key"]);
    place.run("encrypt 4.png --model toy --key other/secret.key --out other.enc").succeeded();
    let all_other = with_key("other/cloud.key").replace("4.enc", "other.enc");
    let state = "--state 4.scores.state";
    place.refuses(&format!("{all_other} {state}"), &["4.scores.state", "a run on another encrypted image"]);
    place.run("encrypt 4.png --model toy --key gates/secret.key --out again.enc").succeeded();
    let again = resume.replace("4.enc", "again.enc");
    place.refuses(&format!("{again} {state}"), &["4.scores.state", "a run on another encrypted image"]);
    // A key that was cut off, and one that was damaged.
    let key = fs::read(place.path("gates/cloud.key")).unwrap();
    fs::write(place.path("bad.key"), &key[..key.len() / 2]).unwrap();
    place.refuses(&with_key("bad.key"), &["bad.key", "truncated"]);
    let mut damaged = key;
    damaged[1_000_000] ^= 1;
    fs::write(place.path("bad.key"), damaged).unwrap();
    place.refuses(&with_key("bad.key"), &["bad.key", "checksum"]);
    // Another model under the same name.
    fs::rename(place.path("toy"), place.path("kept")).unwrap();
    toy::write_model(&place.path("toy"), "other");
    place.refuses(&resume, &["4.enc", "bnn inspect"]);
    fs::remove_dir_all(place.path("toy")).unwrap();
    fs::rename(place.path("kept"), place.path("toy")).unwrap();

    // Another cloud key of the same secret key: as good as the first.
    let secret = native::load(&place.path("gates/secret.key"));
    let cloud = CloudKey::generate(&secret, SecretSeed::from_os().unwrap()).unwrap();
    native::save(&cloud, &place.path("gates/cloud.key"));
    place.run(&resume).succeeded();
    assert_label(&place, "4.scores --model toy --key gates/secret.key");
    assert!(fs::read(place.path("4.scores")).unwrap() != fs::read(place.path("whole.scores")).unwrap());
}

/// All was read whole before the run began: what happens to the files is nothing to it.
#[test]
fn files_that_are_cut_off_or_exchanged_during_a_run_do_not_change_it() {
    let place = gates();
    interfere(&place, &End::Whole, || {
        for file in ["gates/cloud.key", "4.enc", "toy/manifest.toml", "toy/weights.safetensors"] {
            File::options().write(true).open(place.path(file)).unwrap().set_len(0).unwrap();
        }
        fs::write(place.path("4.enc"), "another").unwrap();
        fs::remove_dir_all(place.path("toy")).unwrap();
        toy::write_model(&place.path("toy"), "other");
        place.run("keygen --engine gates --out gates --force").succeeded();
    });
    assert_eq!(fs::read(place.path("4.scores")).unwrap(), fs::read(place.path("whole.scores")).unwrap());
}
