//! The command away from the source tree that it was built from, as `cargo install` leaves it.

use std::{fs, path::Path, process::Command};

use assert_cmd::cargo::cargo_bin;

use crate::{
    place::{Outcome, Place},
    toy,
};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// A folder outside of the source tree, with a copy of the command in it.
fn elsewhere() -> Place {
    let place = Place::new_in(&std::env::temp_dir());
    // A name of its own: what is being copied cannot be run while another test starts a process.
    fs::hard_link(cargo_bin!("bnn"), place.path("bnn")).unwrap();
    place
}

/// The copy, with nothing of the environment but a home there.
fn installed(place: &Place, line: &str) -> Command {
    let mut command = Command::new(place.path("bnn"));
    command.args(line.split_whitespace()).current_dir(place.path("")).env_clear().env("HOME", place.path(""));
    command
}

#[test]
fn what_ships_travels_inside_the_command() {
    let place = elsewhere();
    let run = |line: &str| Outcome::of(installed(&place, line));
    let result = run("models --json").json();
    let models = result["models"].as_array().unwrap();
    let names: Vec<&str> = models.iter().map(|model| model["name"].as_str().unwrap()).collect();
    assert_eq!(names, bnn::vectors::MODELS);
    assert!(models.iter().all(|model| model["error"].is_null() && model["folder"].is_null()), "{result}");

    let text = run("demo --model perceptron").succeeded();
    assert!(text.contains("sample digit 7") && text.contains("bnn encrypt digit.png "), "{text}");
    let text = run("inspect sign-cnn").succeeded();
    assert!(text.contains("28 x 28"), "{text}");
    let result = run("vectors check --json").json();
    assert_eq!((&result["failed"], &result["folder"]), (&0.into(), &"this program".into()));
}

/// No path by which the files that ship could be found in the source tree is in the command or in its code.
#[test]
fn nothing_leads_back_to_the_source_tree() {
    let program = fs::read(cargo_bin!("bnn")).unwrap();
    for path in [format!("{CRATE}/.."), format!("{CRATE}/shipped")] {
        assert!(!program.windows(path.len()).any(|bytes| bytes == path.as_bytes()), "{path}");
    }
    let mut folders = vec![Path::new(CRATE).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let code = fs::read_to_string(&path).unwrap();
            let (product, _tests) = code.split_once("#[cfg(test)]").unwrap_or((&code, ""));
            assert!(!product.contains("CARGO_MANIFEST_DIR"), "{}", path.display());
        }
    }
}

/// The folder of the user's data comes after that of the environment, and before what ships.
#[test]
fn models_of_ones_own_are_found_where_the_platform_keeps_data() {
    let place = elsewhere();
    let data = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
    for (folder, name) in
        [(&*format!("{data}/bnn/models"), "own"), ("xdg/bnn/models", "named"), ("others", "few")]
    {
        fs::create_dir_all(place.path(folder)).unwrap();
        toy::write_model(&place.path(folder).join(name), name);
    }
    let folder_of = |command: Command, name: &str| {
        let result = Outcome::of(command).json();
        let models = result["models"].as_array().unwrap().clone();
        models.into_iter().find(|model| model["name"] == name).map(|model| model["folder"].clone())
    };
    let own = place.path(data).join("bnn/models/own");
    assert_eq!(folder_of(installed(&place, "models --json"), "own").unwrap(), own.to_str().unwrap());
    if cfg!(target_os = "linux") {
        let with = |folder: &str| {
            let mut command = installed(&place, "models --json");
            command.env("XDG_DATA_HOME", folder);
            command
        };
        let xdg = place.path("xdg");
        assert!(folder_of(with(xdg.to_str().unwrap()), "named").is_some());
        assert!(folder_of(with(xdg.to_str().unwrap()), "own").is_none());
        // Empty or relative, it counts for nothing.
        for nothing in ["", "xdg"] {
            assert!(folder_of(with(nothing), "own").is_some(), "{nothing:?}");
        }
    }
    let mut command = installed(&place, "inspect few --json");
    command.env("BNN_MODELS", place.path("others"));
    assert_eq!(Outcome::of(command).json()["model"]["name"], "few");
}

#[test]
fn a_folder_without_models_where_some_were_named_is_an_error() {
    let place = Place::new();
    fs::create_dir(place.path("empty")).unwrap();
    for folder in ["empty", "nowhere"] {
        let mut command = place.command("models");
        command.env("BNN_MODELS", folder);
        place.refuses_as(command, "models", &[folder, "BNN_MODELS", "no model"]);
    }
    let mut command = place.command("models");
    command.env("BNN_MODELS", "");
    Outcome::of(command).succeeded();
    place.refuses("inspect none", &["none"]);
    place.refuses("estimate none", &["no model \"none\" in models, ", "this program"]);
}
