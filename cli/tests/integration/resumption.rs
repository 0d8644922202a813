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

/// The state of a run says what it is, of which model, and how far it is.
#[test]
fn a_saved_run_is_inspected() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key").succeeded();
    let state = place.path("4.scores.state");
    let inspect = |name: &str| {
        let mut command = place.command(&format!("inspect {name} --json"));
        command.env("BNN_MODELS", place.path(""));
        crate::place::Outcome::of(command)
    };
    // Killed once it is saved; where it came to its end first: again.
    while !state.exists() {
        let _ = fs::remove_file(place.path("4.scores"));
        let mut run = infer(&place, &[]).spawn().unwrap();
        while !state.exists() && run.try_wait().unwrap().is_none() {}
        run.kill().unwrap();
        run.wait().unwrap();
    }
    let result = inspect("4.scores.state").json();
    assert_eq!((&result["kind"], &result["model_name"]), (&"a saved run".into(), &"toy".into()));
    assert_eq!(result["parameters"]["name"], "GATES_DEFAULT");
    let [done, all] = ["bootstraps_done", "bootstraps"].map(|field| result[field].as_u64().unwrap());
    assert!(0 < done && done <= all, "{result}");
    let text = place.run("inspect 4.scores.state").succeeded();
    assert!(text.contains("a saved run") && text.contains(&format!("{done} bootstraps")), "{text}");
    // What is damaged is told, and a client specification is no saved run, though it begins like one.
    let mut bytes = fs::read(&state).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(place.path("damaged"), bytes).unwrap();
    place.refuses("inspect damaged", &["damaged: ", "checksum"]);
    place.run("models --client toy --out 4.client.json").succeeded();
    assert_eq!(inspect("4.client.json").json()["kind"], "a client specification");
    place.refuses(
        "infer 4.enc --model toy --cloud-key gates/cloud.key --state 4.client.json --force",
        &["4.client.json", "no saved run"],
    );
}

/// The functional engine runs in one go, unless its run is to be saved: then it goes on, and ends with the same scores.
#[test]
fn a_run_of_the_functional_engine_goes_on() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    let line = "infer 4.enc --model toy --state saved --save-every 0";
    assert!(!place.run("infer 4.enc --model toy --out whole.scores").succeeded().contains("saved"));
    // Read while the run goes on; where it came to its end first: again.
    let saved = loop {
        let mut run = place.command(&format!("{line} --force"));
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut found = None;
        while run.try_wait().unwrap().is_none() {
            found = found.or_else(|| fs::read(place.path("saved")).ok());
        }
        if let Some(saved) = found {
            break saved;
        }
    };
    assert!(!place.path("saved").exists());
    fs::write(place.path("saved"), &saved).unwrap();
    let inspected = place.run("inspect saved --json").json();
    assert_eq!((&inspected["kind"], &inspected["engine"]), (&"a saved run".into(), &"functional".into()));
    assert!(place.run("inspect saved").succeeded().contains("bootstraps are done"));
    place.refuses(line, &["4.scores: exists already"]);
    fs::remove_file(place.path("4.scores")).unwrap();
    place.refuses(line, &["saved: ", "--resume"]);
    let told = place.run(&format!("{line} --resume")).succeeded();
    assert!(told.contains("resumed saved"), "{told}");
    assert_eq!(fs::read(place.path("4.scores")).unwrap(), fs::read(place.path("whole.scores")).unwrap());
    assert!(!place.path("saved").exists());
    place.run("encrypt 4.png --model toy --out other.enc").succeeded();
    fs::write(place.path("saved"), &saved).unwrap();
    place.refuses(&line.replace("4.enc", "other.enc --resume"), &["saved: ", "another encrypted image"]);
    place.refuses("infer 4.enc other.enc --model toy --resume --force", &["2 pictures", "one by one"]);
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
    fs::write(place.path("4.scores.state"), "{\"format\":0, \"of\": \"no version\"}\n").unwrap();
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
