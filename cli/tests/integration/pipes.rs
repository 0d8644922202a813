//! Inputs through pipes and standard input, each opened once and read once; outputs to standard output and to pipes.

#![cfg(unix)]

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::Value;
use tfhe_core::{keys::SecretKey, parameters::TFHE_LIB_V1_0_1, random::SecretSeed};

use crate::{
    evaluate, native,
    place::{Outcome, Place},
    toy,
};

/// How an input comes in that is no file.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// A named pipe. Once it is opened, another file has its name: whoever opens it again reads something else.
    NamedPipe,
    /// An open pipe, as a shell's `<(..)` gives it.
    Descriptor,
    /// The name `-`.
    Stdin,
}

const WAYS: [Way; 3] = [Way::NamedPipe, Way::Descriptor, Way::Stdin];

/// Runs a command line whose `{}` stands for an input with the content of `file`.
fn run(place: &Place, line: &str, file: &str, way: Way) -> Outcome {
    let content = fs::read(place.path(file)).unwrap();
    match way {
        Way::NamedPipe => {
            let pipe = make_pipe(place, "input.pipe");
            let child = start(place.command(&line.replace("{}", "input.pipe")));
            let writer = thread::spawn(move || {
                // Opened as soon as the command has opened it.
                let mut open = File::options().write(true).open(&pipe).unwrap();
                fs::remove_file(&pipe).unwrap();
                fs::write(&pipe, "this input was opened twice").unwrap();
                let _ = open.write_all(&content);
            });
            let outcome = Outcome::of_child(child);
            // Where the command never opened its input, the writer still waits for a reader.
            if !writer.is_finished() {
                let _ = File::open(place.path("input.pipe"));
            }
            writer.join().unwrap();
            fs::remove_file(place.path("input.pipe")).unwrap();
            outcome
        }
        Way::Descriptor => {
            let command = place.command(&line.replace("{}", "/dev/fd/3"));
            let mut shell = Command::new("sh");
            shell.args(["-c", "exec 3<&0 </dev/null; exec \"$@\"", "sh"]).arg(command.get_program());
            shell.args(command.get_args()).current_dir(place.path(""));
            fed(shell, content)
        }
        Way::Stdin => fed(place.command(&line.replace("{}", "-")), content),
    }
}

fn make_pipe(place: &Place, name: &str) -> std::path::PathBuf {
    let pipe = place.path(name);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pipe
}

fn start(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs a command with this on its standard input.
fn fed(command: Command, content: Vec<u8>) -> Outcome {
    let mut child = start(command);
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || {
        // A command that refuses its input may not read it to the end.
        let _ = stdin.write_all(&content);
    });
    let outcome = Outcome::of_child(child);
    writer.join().unwrap();
    outcome
}

/// A result without what differs from run to run: the names of inputs, times and what follows from them.
fn lasting(mut result: Value) -> Value {
    const PASSING: [&str; 6] = ["file", "image", "input", "seconds", "key_seconds", "images_per_minute"];
    match &mut result {
        Value::Object(fields) => {
            fields.retain(|name, _| !PASSING.contains(&name.as_str()));
            fields.values_mut().for_each(|value| *value = lasting(value.take()));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = lasting(value.take())),
        _ => {}
    }
    result
}

/// The command gives the same result however its input comes in. After each run, `look` looks at what was made.
#[track_caller]
fn check_and(place: &Place, line: &str, file: &str, ways: &[Way], look: impl Fn()) {
    let line = format!("{line} --json");
    let expected = lasting(place.run(&line.replace("{}", file)).json());
    for &way in ways {
        let outcome = run(place, &line, file, way);
        assert_eq!(outcome.code, Some(0), "{line}, {file}, {way:?}: {outcome:?}");
        assert_eq!(lasting(outcome.json()), expected, "{line}, {file}, {way:?}");
        look();
    }
}

#[track_caller]
fn check(place: &Place, line: &str, file: &str) {
    check_and(place, line, file, &WAYS, || {});
}

fn assert_label(place: &Place, scores: &str) {
    assert_eq!(place.run(&format!("decrypt {scores} --model toy --json")).json()["decrypted"][0]["label"], 4);
}

#[test]
fn client_and_server_read_every_input_from_a_pipe() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    place.run("infer 4.enc --model toy").succeeded();
    let infer = || {
        place.run("infer new.enc --model toy --out new.scores --force").succeeded();
        assert_label(&place, "new.scores");
    };
    let encrypt = "encrypt --model toy --out new.enc --force";
    check_and(&place, &format!("{encrypt} {{}}"), "4.png", &WAYS, infer);
    check_and(&place, &format!("{encrypt} 4.png --key {{}}"), "keys/secret.key", &WAYS, infer);
    toy::write_idx_images(&place.path("set.idx"), &[toy::pixels(0), toy::pixels(4)]);
    check_and(&place, &format!("{encrypt} {{}} --index 1"), "set.idx", &WAYS, infer);

    let look = || assert_label(&place, "new.scores");
    let infer = "infer --model toy --out new.scores --force";
    check_and(&place, &format!("{infer} {{}}"), "4.enc", &WAYS, look);
    check_and(&place, &format!("{infer} 4.enc --cloud-key {{}}"), "keys/cloud.key", &WAYS, look);
    check(&place, "decrypt {} --model toy", "4.scores");
    check(&place, "decrypt 4.scores --model toy --key {}", "keys/secret.key");
}

/// Two inputs at once: one by a descriptor, one by standard input.
#[test]
fn several_inputs_come_through_pipes_at_once() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy --out 4.enc").succeeded();
    let script = |line: &str| {
        let bnn = place.command("").get_program().to_owned();
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line).arg(bnn).current_dir(place.path(""));
        Outcome::of(shell)
    };
    let line = "cat 4.png | { exec 3<&0; cat keys/secret.key | \"$0\" encrypt /dev/fd/3 --key - --model toy --out - ; } \
                | \"$0\" infer - --model toy --out - | \"$0\" decrypt - --model toy --json";
    assert_eq!(script(line).json()["decrypted"][0]["label"], 4);
    // Several pictures, of which one is standard input, need a name for each output.
    let outcome = script("cat 4.enc | \"$0\" infer 4.enc - --model toy --out-dir new");
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("standard input: this input has no name"), "{outcome:?}");
}

#[test]
fn measurements_and_circuits_read_every_input_from_a_pipe() {
    let place = evaluate::labelled();
    let evaluate = "evaluate --model toy";
    check(&place, &format!("{evaluate} --images {{}} --labels labels"), "images");
    check(&place, &format!("{evaluate} --images images --labels {{}}"), "labels");
    for way in WAYS {
        let result = run(&place, "demo --model toy --image {} --index 2 --json", "images", way).json();
        assert_eq!((&result["label"], &result["plain_label"]), (&9.into(), &9.into()), "{way:?}");
        let result = run(&place, "estimate toy --images {} --json", "images", way).json();
        assert_eq!(result["details"]["label_changes"], 0.0, "{way:?}");
    }
    let adder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bnn/tests/data/bristol/adder8.txt");
    fs::copy(adder, place.path("adder8.txt")).unwrap();
    check(&place, "circuit info {}", "adder8.txt");
    check(&place, "circuit run {} --input 2 --input 3", "adder8.txt");
}

/// A place with keys of the TFHE library's parameters in both forms, the model `signs`, and a picture with all that is made
/// of it by the paper's protocol.
fn papers() -> Place {
    let place = Place::new();
    toy::write_sign_model(&place.path("signs"));
    toy::write_picture(&place.path("digit.png"), &[0, 10, 200, 0, 255, 30, 90, 0, 0]);
    place.paper_keygen("keys");
    place.run("paper encrypt digit.png --model signs").succeeded();
    place.run("paper infer secret_cloud.data K_cloud.data --model signs").succeeded();
    place
}

#[test]
fn the_papers_protocol_reads_every_input_from_a_pipe() {
    let place = papers();
    let decrypt = "decrypt answer.data --model signs --compare digit.png";
    let look = || {
        place.run("paper infer secret_cloud.data K_cloud.data --model signs --force").succeeded();
        place.run(&format!("paper {decrypt}")).succeeded();
    };
    let encrypt = "paper encrypt --model signs --force";
    check_and(&place, &format!("{encrypt} {{}}"), "digit.png", &WAYS, look);
    check_and(&place, &format!("{encrypt} digit.png --key {{}}"), "keys/secret.key", &WAYS, look);

    let look = || drop(place.run(&format!("paper {decrypt}")).succeeded());
    let infer = "paper infer --model signs --force";
    check_and(&place, &format!("{infer} {{}} K_cloud.data"), "secret_cloud.data", &WAYS, look);
    check_and(&place, &format!("{infer} secret_cloud.data {{}}"), "K_cloud.data", &WAYS, look);
    let key = format!("{infer} secret_cloud.data K_cloud.data --cloud-key {{}}");
    check_and(&place, &key, "keys/cloud.key", &WAYS, look);

    check(&place, "paper decrypt {} --model signs", "answer.data");
    check(&place, "paper decrypt answer.data --model signs --key {}", "keys/secret.key");
    check(&place, "paper decrypt answer.data --model signs --compare {}", "digit.png");
}

/// The gate engine, and what compares with its exact scores.
#[test]
fn runs_of_gates_read_every_input_from_a_pipe() {
    let place = Place::new();
    toy::write_sign_model(&place.path("signs"));
    toy::write_picture(&place.path("digit.png"), &[0, 10, 200, 0, 255, 30, 90, 0, 0]);
    place.run("keygen --engine gates").succeeded();
    place.run("encrypt digit.png --model signs").succeeded();
    let infer = "infer --model signs --out digit.scores --force";
    let look = || drop(place.run("decrypt digit.scores --model signs --compare digit.png").succeeded());
    check_and(&place, &format!("{infer} {{}}"), "digit.enc", &WAYS, look);
    check_and(&place, &format!("{infer} digit.enc --cloud-key {{}}"), "keys/cloud.key", &WAYS, look);
    check(&place, "decrypt digit.scores --model signs --compare {}", "digit.png");

    // To standard output, a run is saved where that is asked for only.
    let before = place.listing();
    let scores = bytes(place.command("infer digit.enc --model signs --out -"));
    assert!(before == place.listing());
    fs::write(place.path("piped.scores"), scores).unwrap();
    place.run("decrypt piped.scores --model signs --compare digit.png").succeeded();
    place.refuses_usage("infer digit.enc --model signs --out - --resume", &["--resume", "--state"]);
    bytes(place.command("infer digit.enc --model signs --out - --state saved --save-every 0"));
    assert!(!place.path("saved").exists());
}

#[test]
fn conversion_and_inspection_read_every_input_from_a_pipe() {
    let place = papers();
    let seed = |number| SecretSeed::deterministic_for_tests(number);
    let secret = SecretKey::generate(&TFHE_LIB_V1_0_1, seed(1));
    native::save(&secret.encrypt(&[true, false], seed(2)), &place.path("bits.enc"));
    let same = |line: &str, file: &str| {
        let line = format!("convert {line} --force --json");
        place.run(&format!("{line} --out expected").replace("{}", file)).succeeded();
        let expected = fs::read(place.path("expected")).unwrap();
        for way in [Way::NamedPipe, Way::Stdin] {
            run(&place, &format!("{line} --out new"), file, way).succeeded();
            assert!(fs::read(place.path("new")).unwrap() == expected, "{line}, {way:?}");
        }
        let line = format!("{line} --out -").replace(" --json", "");
        assert!(bytes(place.command(&line.replace("{}", file))) == expected, "{line}");
    };
    same("{} --to native", "keys/secret.key");
    same("{} --to native", "keys/cloud.key");
    place.run("convert keys/secret.key --to native --out secret.key").succeeded();
    place.run("convert keys/cloud.key --to native --out cloud.key").succeeded();
    same("{} --to tfhe-lib", "cloud.key");
    same("{} --to tfhe-lib --cloud-key cloud.key", "secret.key");
    same("secret.key --to tfhe-lib --cloud-key {}", "cloud.key");
    same("{} --to tfhe-lib", "bits.enc");
    same("{} --to native --key secret.key", "answer.data");
    same("answer.data --to native --key {}", "keys/secret.key");
    same("answer.data --to native --cloud-key {}", "keys/cloud.key");

    for file in ["keys/secret.key", "keys/cloud.key", "secret.key", "cloud.key", "bits.enc", "answer.data"] {
        check(&place, "inspect {}", file);
    }
}

/// What a command writes to stdout, which must succeed and say nothing else.
#[track_caller]
fn bytes(mut command: Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn outputs_go_to_standard_output_and_to_pipes() {
    let place = Place::furnished();
    // Standard output and pipes are there, and nothing of them is replaced: no --force.
    for name in ["-", "/dev/stdout"] {
        let before = place.listing();
        let encrypted = bytes(place.command(&format!("encrypt 4.png --model toy --out {name}")));
        assert!(before == place.listing());
        fs::write(place.path("new.enc"), encrypted).unwrap();
        let scores = bytes(place.command(&format!("infer new.enc --model toy --out {name}")));
        fs::write(place.path("new.scores"), scores).unwrap();
        assert_label(&place, "new.scores");
    }
    let pipe = make_pipe(&place, "output.pipe");
    let child = start(place.command("infer new.enc --model toy --out output.pipe --json"));
    let mut scores = Vec::new();
    File::open(&pipe).unwrap().read_to_end(&mut scores).unwrap();
    let result = Outcome::of_child(child).json();
    assert_eq!(result["inference"]["scores"][0]["bytes"], scores.len());
    fs::write(place.path("new.scores"), scores).unwrap();
    assert_label(&place, "new.scores");

    // What stdout leads to is written, not replaced.
    let file = File::create(place.path("redirected.enc")).unwrap();
    let mut command = place.command("encrypt 4.png --model toy --out /dev/stdout");
    assert!(command.stdout(file).status().unwrap().success());
    place.run("inspect redirected.enc").succeeded();
}

#[test]
fn what_standard_input_and_output_cannot_be_is_refused() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    let taken = ["--json", "standard output", "--out"];
    place.refuses_usage("encrypt 4.png --model toy --out - --json", &taken);
    place.refuses_usage("infer 4.enc --model toy --out /dev/stdout --json", &taken);
    place.refuses_usage("convert keys/cloud.key --to tfhe-lib --out - --json", &taken);
    let twice = run(&place, "encrypt {} --key - --model toy --out new.enc", "4.png", Way::Stdin);
    assert_eq!((twice.code, twice.stderr.lines().count()), (Some(2), 1), "{twice:?}");
    assert!(twice.stderr.contains("standard input can be read only once"), "{twice:?}");
    place.refuses_usage("encrypt - --model toy", &["standard input", "no name", "--out"]);
    place.refuses_usage("encrypt /dev/fd/0 --model toy", &["/dev/fd/0", "no name", "--out"]);
    place.refuses_usage("infer - --model toy", &["standard input", "no name", "--out"]);
    for line in
        ["keygen --out -", "paper keygen --out -", "vectors generate --out -", "infer 4.enc --out-dir -"]
    {
        place.refuses_usage(line, &["-: standard output is no folder"]);
    }
    // Bad content is told by the name of the input.
    for (line, name) in
        [("inspect {}", "4.png"), ("decrypt {} --model toy", "4.png"), ("circuit info {}", "4.png")]
    {
        let outcome = run(&place, line, name, Way::Stdin);
        assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(1), 1), "{line}: {outcome:?}");
        assert!(outcome.stderr.contains("standard input: "), "{line}: {outcome:?}");
    }
}
