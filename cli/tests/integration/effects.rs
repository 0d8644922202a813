//! Options that have no effect are refused, by name: who gives one expects something of it.

use crate::{place::Place, toy};

#[test]
fn an_option_without_an_effect_is_refused() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key --out gates.enc").succeeded();
    place.run("paper keygen --out paper").succeeded();
    toy::write_idx_images(&place.path("images"), &[toy::pixels(1)]);
    let functional = "infer 4.enc --model toy";
    let gates = "infer gates.enc --model toy --cloud-key gates/cloud.key";
    let convert = |arguments: &str| format!("convert paper/{arguments} --to native --out native.key");
    for (line, option) in [
        (format!("{functional} --style optimized"), "--style"),
        (format!("{functional} --resume"), "--resume"),
        (format!("{functional} --state saved"), "--state"),
        (format!("{functional} --save-every 30"), "--save-every"),
        (format!("{gates} --out - --save-every 30"), "--save-every"),
        ("estimate toy --style as-published".into(), "--style"),
        ("estimate toy --engine gates --images images".into(), "--images"),
        ("models --force".into(), "--force"),
        (convert("cloud.key --key paper/secret.key"), "--key"),
        (convert("cloud.key --cloud-key paper/cloud.key"), "--cloud-key"),
        ("demo --image 4.png --model toy --index 0".into(), "index"),
        ("inspect 4.enc --threads 2".into(), "--threads"),
        ("decrypt 4.scores --model toy --threads 2".into(), "--threads"),
        ("encrypt 4.png --model toy --out new.enc --backend portable".into(), "--backend"),
        ("keygen --out new --backend portable".into(), "--backend"),
        ("evaluate --images images --labels images --model toy --backend portable".into(), "--backend"),
    ] {
        place.refuses(&line, &[option]);
    }
}
