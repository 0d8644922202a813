//! `bnn circuit` from outside: costs, runs in the clear and on ciphertexts, and what is refused.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};

use crate::place::{Outcome, Place};

/// A test circuit of the library.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bnn/tests/data/bristol").join(name)
}

/// Runs `bnn circuit` with a circuit: the exit code, stdout and stderr.
fn run(command: &str, file: &Path, options: &str) -> (Option<i32>, String, String) {
    let mut bnn = Command::new(cargo_bin!("bnn"));
    bnn.args(["circuit", command]).arg(file).args(options.split_whitespace()).env_remove("TFHE_BACKEND");
    let Outcome { code, stdout, stderr } = Outcome::of(bnn);
    (code, stdout, stderr)
}

#[track_caller]
fn text(command: &str, name: &str, options: &str) -> String {
    let (code, stdout, stderr) = run(command, &data(name), options);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    stdout
}

#[track_caller]
fn json(command: &str, name: &str, options: &str) -> Value {
    serde_json::from_str(&text(command, name, &format!("{options} --json"))).unwrap()
}

/// The command must fail with one line that has these fragments.
#[track_caller]
fn refuses(command: &str, file: &Path, options: &str, fragments: &[&str]) {
    let (code, stdout, stderr) = run(command, file, options);
    assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
    for fragment in fragments {
        assert!(stderr.contains(fragment), "no {fragment:?} in {stderr}");
    }
}

#[test]
fn info_tells_what_a_circuit_costs() {
    let text = text("info", "adder8.txt", "");
    for fragment in [
        "kind        Bristol Fashion",
        "2, of 8, 8 bits",
        "1, of 9 bits",
        "optimized",
        " AND",
        " XOR",
        "bootstraps",
        "KB for",
    ] {
        assert!(text.contains(fragment), "no {fragment:?} in {text}");
    }
    let published = json("info", "adder8.txt", "--style as-published");
    assert_eq!(published["kind"], "Bristol Fashion");
    assert_eq!((&published["inputs"], &published["outputs"]), (&json!([8, 8]), &json!([9])));
    // Every gate of the file.
    assert_eq!(published["gates"], json!({ "AND": 8, "XOR": 29 }));
    assert_eq!(published["bootstraps"], 37);
    let optimized = json("info", "adder8.txt", "");
    assert!(optimized["bootstraps"].as_u64() <= published["bootstraps"].as_u64(), "{optimized}");
    assert_eq!((&optimized["ciphertext_bytes"], &optimized["style"]), (&json!(6148), &json!("optimized")));
}

#[test]
fn a_circuit_runs_in_the_clear() {
    let result = text("run", "adder8.txt", "--input 200 --input 0x64");
    assert_eq!(result, "output 1: 300 = 0x12c (9 bits)\n");
    let result = json("run", "adder64.txt", "--input -1 --input 0x0000000000000000000000000000000003");
    assert_eq!(result["outputs"], json!([{ "bits": 64, "decimal": "2", "hex": "0x0000000000000002" }]));
    assert_eq!(result["inputs"][0]["decimal"], "18446744073709551615");
    assert!(result["encrypted"].is_null());
    // With nand = 1 and xnor = 0: nand and the last bit of 6; xnor, nand xor xnor; 0, the first bit of 6.
    let result = json("run", "kinds.txt", "--input 6 --input 0");
    let outputs = result["outputs"].as_array().unwrap();
    assert_eq!(outputs.iter().map(|output| &output["decimal"]).collect::<Vec<_>>(), ["1", "2", "0"]);
}

#[test]
fn values_of_more_than_128_bits_are_hexadecimal() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let copies: String = (0..130).map(|wire| format!("1 1 {wire} {} EQW\n", 130 + wire)).collect();
    fs::write(file.path(), format!("130 260\n1 130\n1 130\n{copies}")).unwrap();
    let hex = format!("0x2{}5", "0".repeat(31));
    let (_, stdout, _) = run("run", file.path(), &format!("--input {hex}"));
    assert_eq!(stdout, format!("output 1: {hex} (130 bits)\n"));
    refuses("run", file.path(), "--input 340282366920938463463374607431768211456", &["130 bits"]);
}

#[test]
fn an_encrypted_run_gives_the_same() {
    let text = text("run", "adder8.txt", "--input 255 --input -1 --encrypted");
    assert!(text.starts_with("output 1: 510 = 0x1fe (9 bits)\nencrypted: equal; "), "{text}");
    let result = json("run", "kinds.txt", "--input 3 --input 1 --encrypted");
    assert_eq!(result["encrypted"]["parameters"]["name"], "GATES_DEFAULT");
    assert!(result["encrypted"]["bootstraps"].as_u64().unwrap() > 0, "{result}");
    assert!(result["encrypted"]["milliseconds_a_bootstrap"].as_f64().unwrap() > 0.0, "{result}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let adder = data("adder8.txt");
    refuses("run", &adder, "", &["adder8.txt", "0 input values", "takes 2, of 8, 8 bits"]);
    refuses("run", &adder, "--input 1 --input 2 --input 3", &["3 input values"]);
    refuses("run", &adder, "--input 1 --input 256", &["\"256\"", "8 bits", "-2^7 to 2^8 - 1"]);
    refuses("run", &adder, "--input 1 --input -129", &["\"-129\""]);
    refuses("run", &adder, "--input 1 --input 0x1ff", &["\"0x1ff\""]);
    refuses("run", &adder, "--input 1 --input one", &["\"one\""]);
    refuses("info", Path::new("none.txt"), "", &["none.txt"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "1 3\n1 2\n1 1\n\n2 1 0 2 2 AND\n").unwrap();
    for command in ["info", "run"] {
        refuses(command, file.path(), "", &["line 5: wire 2 is read before it is written"]);
    }
}

#[test]
fn wrong_usage_is_another_exit_code() {
    for (command, options) in
        [("walk", ""), ("info", "--style fast"), ("info", "--input 1"), ("run", "--input")]
    {
        assert_eq!(run(command, &data("adder8.txt"), options).0, Some(2), "{command} {options}");
    }
}

#[test]
fn the_old_format_is_told_and_run() {
    let place = Place::new();
    let file = place.path("less.txt");
    fs::write(&file, "2 4\n1 1 1\n\n1 1 0 2 INV\n2 1 2 1 3 AND\n").unwrap();
    let (code, stdout, _) = run("info", &file, "");
    assert_eq!(code, Some(0));
    assert!(
        stdout.contains("kind        old Bristol Format") && stdout.contains("2, of 1, 1 bits"),
        "{stdout}"
    );
    for (inputs, less) in
        [("--input 0 --input 1", "output 1: 1 = 0x1"), ("--input 1 --input 1", "output 1: 0")]
    {
        let (_, stdout, _) = run("run", &file, inputs);
        assert!(stdout.contains(less), "{stdout}");
    }
}
