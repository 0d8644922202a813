//! The command line: help, wrong usage, and errors for programs.

use serde_json::Value;

use crate::place::{Outcome, Place};

#[test]
fn help_lists_commands_and_exit_codes() {
    let help = Place::new().run("--help").succeeded();
    for fragment in [
        "demo", "keygen", "encrypt", "infer", "decrypt", "classify", "remote", "inspect", "models",
        "evaluate", "soak",
    ] {
        assert!(help.contains(fragment), "no {fragment:?} in {help}");
    }
    for fragment in [
        "Exit codes:",
        "0    done",
        "1    failed",
        "2    wrong usage",
        "130  interrupted (Ctrl-C, SIGTERM or SIGHUP)",
    ] {
        assert!(help.contains(fragment), "no {fragment:?} in {help}");
    }
}

#[test]
fn wrong_usage_is_another_exit_code() {
    let place = Place::new();
    for line in [
        "",
        "encrpyt",
        "encrypt",
        "demo --digit 10",
        "demo --digit 1 --image x.png",
        "models --backend sse9",
        "models --threads 0",
        "soak --minutes inf",
        "soak --minutes -1",
        "evaluate --images i --labels l --record r",
    ] {
        assert_eq!(place.run(line).code, Some(2), "bnn {line}");
    }
    let outcome = place.run("demo --digit 10 --json");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    let error: Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("--digit"), "{error}");
}

#[test]
fn errors_are_json_if_asked_for() {
    let outcome = Place::new().run("encrypt --json");
    let error: Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert_eq!(error["error"], "the following required arguments were not provided: <PICTURE>...");
    let outcome = Place::furnished().run("decrypt none.scores --json");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    let error: Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().starts_with("none.scores: "), "{error}");
}

#[test]
fn an_unknown_backend_in_the_environment_is_an_error() {
    let place = Place::new();
    let mut command = place.command("demo");
    command.env("TFHE_BACKEND", "sse9");
    let outcome = Outcome::of(command);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("sse9") && outcome.stderr.lines().count() == 1, "{}", outcome.stderr);
}

#[test]
fn the_command_line_comes_before_the_environment_and_an_empty_variable_is_none() {
    let place = Place::furnished();
    for (line, variable, works) in [
        ("estimate toy --backend portable --json", "sse9", true),
        ("estimate toy --json", "portable", true),
        ("estimate toy --json", "", true),
        ("estimate toy --json", "sse9", false),
    ] {
        let mut command = place.command(line);
        command.env("TFHE_BACKEND", variable);
        assert_eq!(Outcome::of(command).code == Some(0), works, "{line}, {variable:?}");
    }
}

#[test]
fn every_command_shows_an_example() {
    let place = Place::new();
    for command in
        ["", "encrypt", "paper", "paper infer", "circuit run", "vectors check", "serve", "token add"]
    {
        let help = place.run(&format!("{command} --help")).succeeded();
        assert!(help.contains("Example") && help.contains(&format!("bnn {command}")), "{command}: {help}");
    }
}

#[test]
fn shells_and_manuals_know_every_command() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = place.run(&format!("completions {shell}")).succeeded();
        for word in ["bnn", "keygen", "as-is", "circuit"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = place.run("man").succeeded();
    assert!(page.contains(".TH bnn") && page.contains("keygen"), "{page}");
    let page = place.run("man circuit run").succeeded();
    assert!(page.contains("bnn\\-circuit\\-run") && page.contains("input"), "{page}");
    let json: Value = serde_json::from_str(&place.run("man encrypt --json").succeeded()).unwrap();
    assert!(json["page"].as_str().unwrap().contains("Examples"));
    let unknown = place.run("man encrpyt");
    assert_eq!(unknown.code, Some(2));
}

/// What is wrong with an argument is told in one line of its own, also where the argument has two.
#[test]
fn an_argument_cannot_forge_a_line() {
    let place = Place::new();
    for argument in ["--x\nbnn: warning: forged", "--threads=9\nbnn: forged"] {
        let mut command = place.command("encrypt");
        command.arg(argument);
        let outcome = Outcome::of(command);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(!outcome.stderr.lines().any(|line| line.starts_with("bnn: ")), "{outcome:?}");
    }
}

#[test]
fn a_group_of_commands_needs_one() {
    let place = Place::new();
    for group in ["paper", "circuit", "vectors", "import", "remote", "token"] {
        for line in [format!("{group} --json"), format!("--json {group}")] {
            let outcome = place.run(&line);
            let error: Value = serde_json::from_str(&outcome.stderr).unwrap();
            let error = error["error"].as_str().unwrap();
            assert!(
                outcome.code == Some(2) && error.contains("command") && !error.contains("Usage"),
                "{line}: {error}"
            );
            assert!(error.contains("requires") || error.contains("missing"), "{line}: {error}");
        }
    }
}
