//! A run of gates killed at any moment goes on to the same result.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::place::Place;

/// The command that is killed, with a save in every fraction of a second.
fn infer(place: &Place, more: &[&str]) -> Command {
    let mut command = place.command("infer 4.enc --model toy --cloud-key gates/cloud.key --save-every 0.05");
    command.args(more).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn killed_at_any_moment_a_run_goes_on_to_the_same_scores() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key").succeeded();
    let start = Instant::now();
    assert!(infer(&place, &["--out", "whole.scores"]).status().unwrap().success());
    let whole = start.elapsed();

    // Moments spread by the golden ratio, the same in every run of the test.
    let (mut kills, mut resumed) = (0, 0);
    while !place.path("4.scores").exists() {
        let share = (0.618 * f64::from(kills + 1)).fract();
        let mut run = infer(&place, &["--resume"]).spawn().unwrap();
        let deadline = Instant::now() + whole.mul_f64(0.1 + 0.5 * share);
        while Instant::now() < deadline && run.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(2));
        }
        // SIGKILL: no handler runs.
        run.kill().unwrap();
        run.wait().unwrap();
        kills += 1;
        resumed += u32::from(place.path("4.scores.state").exists());
        assert!(kills < 100, "the run gets on from kill to kill");
    }
    println!("{kills} kills, {resumed} saved runs");
    assert!(resumed >= 1);
    assert_eq!(fs::read(place.path("4.scores")).unwrap(), fs::read(place.path("whole.scores")).unwrap());
    assert!(!place.path("4.scores.state").exists());
}

#[test]
fn a_saved_run_is_not_lost_by_accident_nor_mixed_up() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key").succeeded();
    fs::write(place.path("4.scores.state"), "{\"format\":\"of no version\"}\n").unwrap();
    let line = "infer 4.enc --model toy --cloud-key gates/cloud.key";
    place.refuses(
        line,
        &["4.scores.state: a run was saved here; --resume goes on with it, --force begins again"],
    );
    place.refuses(&format!("{line} --resume"), &["4.scores.state: no saved run"]);
    // What is no saved run is nobody's to replace.
    fs::write(place.path("notes"), "{\"not\": \"a run\"}\n").unwrap();
    for force in ["", " --force", " --resume"] {
        place.refuses(&format!("{line} --state notes{force}"), &["notes: this is no saved run", "--state"]);
    }
    for other in ["4.enc", "./4.enc", "gates/../4.scores", "gates/cloud.key"] {
        place.refuses(&format!("{line} --force --state {other}"), &["needs a file of its own"]);
    }
    place.run(&format!("{line} --force")).succeeded();
    assert!(place.path("4.scores").exists() && !place.path("4.scores.state").exists());
}
