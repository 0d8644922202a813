//! Output for programs: what every command prints with `--json`, against docs/json.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use serde_json::Value;

use crate::{
    import,
    place::Place,
    remote::{Fake, Faults},
    service::Service,
    toy,
};

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/json.md"));
const DIGIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits/7.png");

/// The blocks of the page by the headings that they are under.
fn blocks() -> BTreeMap<&'static str, Value> {
    let sections = PAGE.split("\n## ").skip(1);
    let block = |section: &'static str| {
        let (heading, rest) = section.split_once('\n').unwrap();
        let (_, block) = rest.split_once("```json\n").unwrap_or_else(|| panic!("no block under {heading}"));
        let (block, _) = block.split_once("\n```").unwrap();
        (heading, serde_json::from_str(block).unwrap_or_else(|error| panic!("{heading}: {error}")))
    };
    sections.map(block).collect()
}

/// What is wrong with a value that is to be of a type of the page, if anything.
fn fault(found: &Value, expected: &Value, parts: &Value, place: &str) -> Option<String> {
    let wrong = || Some(format!("{place}: {found}, where the page has {expected}"));
    match expected {
        Value::String(name) => {
            let name = match name.strip_suffix(" or null") {
                Some(_) if found.is_null() => return None,
                Some(name) => name,
                None => name,
            };
            let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            let is_so = match name {
                "text" => found.is_string(),
                "boolean" => found.is_boolean(),
                "integer" => found.is_i64() || found.is_u64(),
                "number" => found.is_number(),
                "hex" => found.as_str().is_some_and(is_hex),
                part => {
                    return fault(
                        found,
                        parts.get(part).unwrap_or_else(|| panic!("no {part}")),
                        parts,
                        place,
                    );
                }
            };
            if is_so { None } else { wrong() }
        }
        Value::Array(elements) => {
            let [element] = &elements[..] else { panic!("{place}: a list of one type") };
            let Some(found) = found.as_array() else { return wrong() };
            found.iter().find_map(|value| fault(value, element, parts, &format!("{place}[]")))
        }
        Value::Object(fields) => {
            let Some(found) = found.as_object() else { return wrong() };
            if let Some(any) = fields.get("*") {
                return found.values().find_map(|value| fault(value, any, parts, &format!("{place}.*")));
            }
            let names =
                |fields: &serde_json::Map<String, Value>| fields.keys().cloned().collect::<BTreeSet<_>>();
            if names(found) != names(fields) {
                return Some(format!("{place}: {:?}, where the page has {:?}", names(found), names(fields)));
            }
            found
                .iter()
                .find_map(|(name, value)| fault(value, &fields[name], parts, &format!("{place}.{name}")))
        }
        _ => panic!("{place}: {expected} is no type"),
    }
}

/// The commands that a help page lists.
fn listed(place: &Place, command: &str) -> Vec<String> {
    let help = place.run(&format!("{command} --help")).succeeded();
    let Some((_, commands)) = help.split_once("Commands:\n") else { return Vec::new() };
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

/// A run of gates that was killed once it was saved: `saved.state`.
fn leave_a_saved_run(place: &Place) {
    let state = place.path("saved.state");
    while !state.exists() {
        let _ = fs::remove_file(place.path("saved"));
        let mut run = place
            .command("infer gates.enc --model toy --cloud-key gates/cloud.key --out saved --save-every 0");
        let mut run = run.stdout(std::process::Stdio::null()).spawn().unwrap();
        while !state.exists() && run.try_wait().unwrap().is_none() {}
        run.kill().unwrap();
        run.wait().unwrap();
    }
}

#[test]
fn every_command_prints_what_the_page_says() {
    let place = Place::furnished();
    toy::write_sign_model(&place.path("signs"));
    toy::write_picture(&place.path("sign.png"), &[0, 10, 200, 0, 255, 30, 90, 0, 0]);
    toy::write_idx_images(&place.path("images"), &[toy::pixels(1)]);
    toy::write_idx_labels(&place.path("labels"), &[1]);
    fs::write(place.path("and.txt"), "1 3\n2 1 1\n1 1\n2 1 0 1 2 AND\n").unwrap();
    fs::create_dir(place.path("released")).unwrap();
    fs::write(place.path("released/convolution_new.txt"), "1 ".repeat(75)).unwrap();
    fs::write(place.path("released/full_connection_new.txt"), "5 ".repeat(4320)).unwrap();

    let mut blocks = blocks();
    let parts = blocks.remove("Reading the objects").unwrap();
    let _ = blocks.remove("Errors, warnings and progress").unwrap();
    let mut left: BTreeSet<&str> = blocks.keys().copied().collect();
    let mut run = |heading: &str, line: &str| {
        let result = place.run(&format!("{line} --json")).json();
        let fault = fault(&result, &blocks[heading], &parts, "");
        assert_eq!(fault, None, "bnn {line}, under {heading}: {result}");
        left.remove(heading);
        result
    };
    let (keygen, gates) =
        ("`bnn keygen`, `bnn paper keygen`", "`bnn infer` on the gate engine, `bnn paper infer`");
    let (decrypt, encrypted) =
        ("`bnn decrypt`, `bnn paper decrypt`", "`bnn inspect` of a key, ciphertexts or scores");
    run("`bnn demo`", "demo --image 4.png --model toy");
    run(keygen, "keygen --engine gates --out gates");
    let paper = place.run("paper keygen --out paper --json");
    assert_eq!(fault(&serde_json::from_str(&paper.stdout).unwrap(), &blocks[keygen], &parts, ""), None);
    let warning: Value = serde_json::from_str(&paper.stderr).unwrap();
    assert!(warning["warning"].as_str().unwrap().contains("94 bits of security"), "{warning}");
    run("`bnn encrypt`", "encrypt 4.png --model toy");
    run("`bnn encrypt`", "encrypt 4.png --model toy --key gates/secret.key --out gates.enc");
    run("`bnn infer`", "infer 4.enc --model toy");
    run(gates, "infer gates.enc --model toy --cloud-key gates/cloud.key");
    run(decrypt, "decrypt 4.scores --model toy");
    run(decrypt, "decrypt 4.scores --model toy --compare 4.png");
    run(decrypt, "decrypt gates.scores --model toy --key gates/secret.key --compare 4.png");
    run("`bnn paper encrypt`", "paper encrypt sign.png --key paper/secret.key --model signs");
    run(gates, "paper infer secret_cloud.data K_cloud.data --cloud-key paper/cloud.key --model signs");
    run(decrypt, "paper decrypt answer.data --key paper/secret.key --model signs --compare sign.png");
    run("`bnn paper import`", "paper import released --out released/model");
    run("`bnn convert`", "convert paper/cloud.key --to native --out native.key");
    run("`bnn convert`", "convert secret_cloud.data --to native --key paper/secret.key --out native.data");
    for file in ["keys/secret.key", "keys/cloud.key", "4.enc", "gates.enc", "4.scores"] {
        run(encrypted, &format!("inspect {file}"));
    }
    for file in ["paper/secret.key", "secret_cloud.data"] {
        run("`bnn inspect` of a file of the TFHE library", &format!("inspect {file}"));
    }
    leave_a_saved_run(&place);
    run("`bnn inspect` of a saved run", "inspect saved.state");
    run("`bnn models --client`", "models --client toy --out toy.json");
    run("`bnn inspect` of a client specification", "inspect toy.json");
    for model in ["toy", "signs", "sign-cnn"] {
        run("`bnn inspect` of a model", &format!("inspect {model}"));
    }
    run("`bnn models`", "models");
    run("`bnn calibrate`", "calibrate toy --images images --out calibrated");
    let network = import::with_network();
    for name in ["cnn.onnx", "pictures"] {
        fs::copy(network.path(name), place.path(name)).unwrap();
    }
    run("`bnn estimate`", "estimate ./calibrated");
    run("`bnn import onnx`", "import onnx cnn.onnx --calibrate pictures --out cnn");
    run("`bnn estimate`", "estimate toy --images images");
    run("`bnn estimate` on the gate engine", "estimate toy --engine gates");
    for more in ["", " --encrypted"] {
        run("`bnn evaluate`", &format!("evaluate --images images --labels labels --model toy{more}"));
        run("`bnn circuit run`", &format!("circuit run and.txt --input 1 --input 1{more}"));
    }
    run("`bnn circuit info`", "circuit info and.txt");
    let service = Fake::new(Faults::default());
    let url = service.stub.url();
    run("`bnn classify`", &format!("classify 4.png --model toy --server {url}"));
    service.leave_job("left");
    for what in ["models", "keys", "upload", "jobs"] {
        run(&format!("`bnn remote {what}`"), &format!("remote {what} --server {url}"));
    }
    let id = place.run("inspect keys/secret.key --json").json()["key_id"].as_str().unwrap().to_owned();
    run("`bnn remote forget`", &format!("remote forget {id} --server {url}"));
    run("`bnn soak`", "soak --minutes 0.0001");
    run("`bnn vectors check`", "vectors check");
    run("`bnn vectors generate`", "vectors generate --out generated");
    run("`bnn token add`", "token add anna --data service");
    run("`bnn token list`", "token list --data service");
    run("`bnn token remove`", "token remove anna --data service");
    let served = Service::start(&place, "served", "--model toy");
    assert_eq!(fault(&served.object, &blocks["`bnn serve`"], &parts, ""), None, "{}", served.object);
    // It goes on; what it logs is JSON too.
    served.get("/v2").is(200);
    for line in served.end().stderr.lines() {
        assert!(serde_json::from_str::<Value>(line).unwrap()["message"].is_string(), "{line}");
    }
    run("`bnn completions`", "completions bash");
    run("`bnn man`", "man paper keygen");
    // It was looked at above.
    left.remove("`bnn serve`");
    assert!(left.is_empty(), "{left:?}");

    let headings: Vec<&str> = blocks.keys().flat_map(|heading| heading.split('`')).collect();
    for command in listed(&place, "") {
        let below = listed(&place, &command);
        let names = below.iter().map(|below| format!("bnn {command} {below}"));
        let names: Vec<String> =
            if below.is_empty() { vec![format!("bnn {command}")] } else { names.collect() };
        for name in names {
            assert!(headings.contains(&&*name), "the page has nothing of {name}");
        }
    }
}

/// Every line of stderr is an object; progress begins before the work, and ends with all of it.
#[test]
fn progress_is_lines_of_json_where_asked() {
    let place = Place::furnished();
    let stderr = |mut command: Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let mut blocks = blocks();
    let expected = blocks.remove("Errors, warnings and progress").unwrap();
    let parts = blocks.remove("Reading the objects").unwrap();
    let stages = |line: &str| -> Vec<Value> {
        let text = stderr(place.command(&format!("{line} --json --progress")));
        let objects = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        objects
            .map(|mut object| {
                assert_eq!(fault(&object, &expected, &parts, ""), None, "{object}");
                object["progress"].take()
            })
            .collect()
    };
    place.run("encrypt 4.png --model toy").succeeded();
    let infer = stages("infer 4.enc --model toy");
    let done = |stage: &Value| stage["done"].as_u64();
    let uncounted: Vec<&Value> =
        infer.iter().filter(|stage| done(stage).is_none()).map(|stage| &stage["what"]).collect();
    assert_eq!(uncounted, ["simulating noise", "preparing the cloud key"]);
    let counted: Vec<&Value> = infer.iter().filter(|stage| stage["what"] == "bootstraps").collect();
    assert_eq!((done(counted[0]), &counted[0]["total"]), (Some(0), &16.into()), "{infer:?}");
    let last = counted.last().unwrap();
    assert_eq!((done(last), &last["seconds_left"]), (Some(16), &0.0.into()), "{infer:?}");
    assert!(counted.is_sorted_by_key(|stage| done(stage)), "{infer:?}");

    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key --out gates.enc").succeeded();
    let gates = stages("infer gates.enc --model toy --cloud-key gates/cloud.key");
    let layers: BTreeSet<&str> = gates.iter().filter_map(|stage| stage["layer"].as_str()).collect();
    assert!(layers.iter().all(|layer| ["hidden", "scores"].contains(layer)), "{layers:?}");
    let last = gates.last().unwrap();
    assert_eq!((&last["what"], &last["done"]), (&"gates".into(), &last["total"]), "{last}");

    // Not asked for: nothing. Without --json there is nothing to ask for.
    assert_eq!(stderr(place.command("infer 4.enc --model toy --force --json")), "");
    assert_eq!(place.run("models --progress").code, Some(2));
}

#[test]
fn errors_are_objects_among_the_progress() {
    let place = Place::furnished();
    let outcome = place.run(&format!("encrypt {DIGIT} none.png --json --progress"));
    let error =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["error"].as_str().unwrap().to_owned();
    let lines: Vec<String> = outcome.stderr.lines().map(error).collect();
    assert!(lines[0].starts_with("none.png: ") && lines[1].starts_with("1 of 2 files failed"), "{lines:?}");
}
