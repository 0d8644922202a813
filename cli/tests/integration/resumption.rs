//! A run of gates killed at any moment goes on to the same result.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::place::Place;

/// The command that is killed, which is saved as often as can be: how often depends on the machine's threads, not its speed.
fn infer(place: &Place, more: &[&str]) -> Command {
    let mut command = place.command("infer 4.enc --model toy --cloud-key gates/cloud.key --save-every 0");
    command.args(more).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn killed_at_any_moment_a_run_goes_on_to_the_same_scores() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key").succeeded();
    assert!(infer(&place, &["--out", "whole.scores"]).status().unwrap().success());
    let [scores, state] = ["4.scores", "4.scores.state"].map(|name| place.path(name));
    let saved = || -> Option<SystemTime> { fs::metadata(&state).ok()?.modified().ok() };

    let (mut kills, mut resumed) = (0, 0);
    while resumed == 0 || !scores.exists() || state.exists() {
        // Where it came to its end with nothing saved that was seen: again.
        let _ = fs::remove_file(&scores);
        let mut run = infer(&place, &["--resume"]).spawn().unwrap();
        // Each run is saved once more than the one before, so that all of them come to an end; the first one not at all.
        let (mut last, mut seen, mut since, mut gap) = (saved(), 0, Instant::now(), Duration::ZERO);
        while seen < kills && run.try_wait().unwrap().is_none() {
            let now = saved();
            if now != last {
                (gap, since, seen, last) = (since.elapsed(), Instant::now(), seen + 1, now);
            }
        }
        // Moments between one save and the next, spread by the golden ratio.
        thread::sleep(gap.mul_f64((0.618 * f64::from(kills)).fract()));
        // SIGKILL: no handler runs.
        run.kill().unwrap();
        run.wait().unwrap();
        kills += 1;
        resumed += u32::from(state.exists());
        assert!(kills < 100, "the run gets on from kill to kill");
    }
    println!("{kills} kills, {resumed} saved runs");
    assert_eq!(fs::read(&scores).unwrap(), fs::read(place.path("whole.scores")).unwrap());
    assert!(!state.exists());
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
