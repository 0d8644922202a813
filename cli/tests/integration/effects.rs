//! Options that have no effect are refused, by name: who gives one expects something of it.

use crate::{place::Place, toy};

#[test]
fn an_option_without_an_effect_is_refused() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key --out gates.enc").succeeded();
    place.paper_keygen("paper");
    toy::write_idx_images(&place.path("images"), &[toy::pixels(1)]);
    let functional = "infer 4.enc --model toy";
    let gates = "infer gates.enc --model toy --cloud-key gates/cloud.key";
    let convert = |arguments: &str| format!("convert paper/{arguments} --to native --out native.key");
    for (line, option) in [
        (format!("{functional} --style optimized"), "--style"),
        (format!("{functional} --out - --save-every 30"), "--save-every"),
        (format!("{gates} --out - --save-every 30"), "--save-every"),
        ("estimate toy --style as-published".into(), "--style"),
        ("estimate toy --engine gates --images images".into(), "--images"),
        ("models --force".into(), "--force"),
        (convert("cloud.key --key paper/secret.key"), "--key"),
        (convert("cloud.key --cloud-key paper/cloud.key"), "--cloud-key"),
        ("inspect 4.enc --threads 2".into(), "--threads"),
        ("decrypt 4.scores --model toy --threads 2".into(), "--threads"),
        ("encrypt 4.png --model toy --out new.enc --backend portable".into(), "--backend"),
        ("keygen --out new --backend portable".into(), "--backend"),
        ("circuit run none.txt --threads 2".into(), "--threads"),
        ("evaluate --images images --labels images --model toy --backend portable".into(), "--backend"),
    ] {
        place.refuses_usage(&line, &[option]);
    }
    // By what the file holds.
    place.refuses("demo --image 4.png --model toy --index 0", &["index"]);
}

/// What is refused is not offered, and what is offered is not refused for having no effect.
#[test]
fn help_offers_what_has_an_effect() {
    let place = Place::new();
    for (name, line) in [
        ("demo", "demo --digit 3"),
        ("keygen", "keygen"),
        ("encrypt", "encrypt none"),
        ("classify", "classify none"),
        ("remote models", "remote models"),
        ("remote keys", "remote keys"),
        ("remote upload", "remote upload"),
        ("remote forget", "remote forget 00112233445566778899aabbccddeeff"),
        ("remote jobs", "remote jobs"),
        ("infer", "infer none"),
        ("decrypt", "decrypt none"),
        ("convert", "convert none --to native --out none/none"),
        ("inspect", "inspect none"),
        ("models", "models --client none"),
        ("calibrate", "calibrate none --images none --out none/none"),
        ("import onnx", "import onnx none --calibrate none --out none/none"),
        ("estimate", "estimate none"),
        ("evaluate", "evaluate --images none --labels none --encrypted"),
        ("circuit info", "circuit info none"),
        ("circuit run", "circuit run none --encrypted"),
        ("vectors check", "vectors check --dir none"),
        ("vectors generate", "vectors generate"),
        ("paper keygen", "paper keygen"),
        ("paper encrypt", "paper encrypt none"),
        ("paper infer", "paper infer none none"),
        ("paper decrypt", "paper decrypt none"),
        ("paper import", "paper import none"),
        ("soak", "soak --record none/none"),
        ("serve", "serve --data none/none --model none"),
        ("token add", "token add anna --data none/none"),
        ("token list", "token list --data none/none"),
        ("token remove", "token remove anna --data none/none"),
        ("completions", "completions bash"),
        ("man", "man"),
    ] {
        let help = place.run(&format!("{name} --help")).succeeded();
        // A folder in which nothing is made, so that no work is begun.
        let out = if line.ends_with("keygen") || line.ends_with("generate") { "--out -" } else { "" };
        let model = if name == "demo" { "--model none" } else { "" };
        for (option, value) in [("--threads", "1"), ("--backend", "portable")] {
            let outcome = place.run(&format!("{line} {out} {model} {option} {value}"));
            let is_refused = outcome.stderr.contains("has no effect");
            assert_eq!(help.contains(option), !is_refused, "{name} {option}: {outcome:?}");
        }
    }
}
