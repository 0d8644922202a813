//! From a picture to its label.

use std::fs;

use bnn::data::Image;

use crate::{
    place::{Place, cloud_key},
    toy,
};

#[test]
fn client_and_server_need_only_their_own_key() {
    let (client, server) = (Place::furnished(), Place::new());
    client.run("encrypt 4.png --model toy").succeeded();

    fs::hard_link(cloud_key(), server.path("cloud.key")).unwrap();
    toy::write_model(&server.path("toy"), "toy");
    fs::copy(client.path("4.enc"), server.path("4.enc")).unwrap();
    let text = server.run("infer 4.enc --cloud-key cloud.key --model toy").succeeded();
    assert!(text.contains("16 bootstraps") && text.contains("4.scores"), "{text}");

    fs::copy(server.path("4.scores"), client.path("4.scores")).unwrap();
    let text = client.run("decrypt 4.scores --model toy").succeeded();
    assert!(text.contains("The label is 4.") && text.contains("\n> 4 "), "{text}");
    let result = client.run("decrypt 4.scores --model toy --json").json();
    let decrypted = &result["decrypted"][0];
    assert_eq!((&decrypted["label"], &decrypted["input"]), (&4.into(), &"4.scores".into()));
    assert_eq!(decrypted["scores"].as_array().unwrap().len(), 10);
}

#[test]
fn many_pictures_go_through_at_once() {
    let place = Place::furnished();
    fs::create_dir(place.path("results")).unwrap();
    for class in [2, 7] {
        toy::write_picture(&place.path(&format!("{class}.png")), &toy::pixels(class));
    }
    for class in [2, 4, 7] {
        place.run(&format!("encrypt {class}.png --model toy")).succeeded();
    }
    let text = place.run("infer 2.enc 4.enc 7.enc --model toy --out-dir results").succeeded();
    assert!(text.contains("3 images in") && text.contains("a minute: 48 bootstraps"), "{text}");
    for class in [2, 4, 7] {
        let result = place.run(&format!("decrypt results/{class}.scores --model toy --json")).json();
        assert_eq!(result["decrypted"][0]["label"], class);
    }
    let result = place.run("infer 2.enc 4.enc 7.enc --model toy --json").json();
    let inference = &result["inference"];
    assert_eq!(inference["scores"].as_array().unwrap().len(), 3);
    let minutes = inference["seconds"].as_f64().unwrap() / 60.0;
    assert!((inference["images_per_minute"].as_f64().unwrap() * minutes - 3.0).abs() < 1e-6);
}

#[test]
fn a_key_is_made_for_a_model() {
    let place = Place::furnished();
    let result = place.run("keygen --model toy --out made --json").json();
    assert_eq!(result["parameters"]["name"], "FUNCTIONAL_1024");
}

#[test]
fn bmp_and_idx_are_read_and_the_index_is_in_the_name() {
    let place = Place::furnished();
    toy::write_picture(&place.path("2.bmp"), &toy::pixels(2));
    place.run("encrypt 2.bmp --model toy").succeeded();
    toy::write_idx_images(&place.path("set.idx"), &[toy::pixels(0), toy::pixels(1)]);
    let result = place.run("encrypt set.idx --index 1 --model toy --json").json();
    let encrypted = &result["encrypted"][0];
    assert_eq!((&encrypted["file"], &encrypted["input"]), (&"set-1.enc".into(), &"set.idx, image 1".into()));
    assert_eq!(encrypted["bytes"], fs::metadata(place.path("set-1.enc")).unwrap().len());
    assert!(place.path("2.enc").exists());
}

#[test]
fn the_demo_says_what_happens_and_the_label() {
    let place = Place::furnished();
    let before = place.listing();
    let text = place.run("demo --image 4.png --model toy --threads 1").succeeded();
    for fragment in [
        "█",
        "784 -> 16 -> 10",
        "128 bits of security",
        "1 threads",
        "secret.key, ",
        "cloud.key, 28.4 MB",
        "16 bootstraps",
        "The encrypted network says 4, and so does the same network in the clear.",
    ] {
        assert!(text.contains(fragment), "no {fragment:?} in {text}");
    }
    assert!(before == place.listing());
}

#[test]
fn the_demo_gives_one_json_object() {
    let place = Place::furnished();
    toy::write_idx_images(&place.path("set.idx"), &[toy::pixels(0), toy::pixels(9)]);
    let result = place.run("demo --image set.idx --index 1 --model toy --json --backend portable").json();
    assert_eq!(
        (&result["label"], &result["plain_label"], &result["agrees"]),
        (&9.into(), &9.into(), &true.into())
    );
    assert_eq!(result["inference"]["backend"], "portable");
    assert_eq!(result["inference"]["bootstraps"], 16);
}

/// What a newcomer types first: the model and the digit that ship.
#[test]
fn the_demo_runs_without_arguments() {
    let text = Place::new().run("demo").succeeded();
    assert!(text.contains("binarized-cnn") && text.contains("The encrypted network says"), "{text}");
}

#[test]
fn ten_sample_digits_ship() {
    for digit in 0..10 {
        let path = format!("{}/../models/digits/{digit}.png", env!("CARGO_MANIFEST_DIR"));
        let image = Image::decode(&fs::read(&path).unwrap(), None).unwrap();
        assert_eq!((image.width(), image.height()), (28, 28), "{path}");
    }
}

#[test]
fn models_are_found_by_name_and_a_broken_one_hides_no_other() {
    let place = Place::new();
    fs::create_dir(place.path("models")).unwrap();
    toy::write_model(&place.path("models/here"), "here");
    toy::write_model(&place.path("models/broken"), "broken");
    fs::write(place.path("models/broken/weights.safetensors"), "nothing").unwrap();
    let elsewhere = Place::new();
    toy::write_model(&elsewhere.path("there"), "there");

    let mut command = place.command("models --json");
    command.env("BNN_MODELS", elsewhere.path(""));
    let result = crate::place::Outcome::of(command).json();
    let model = |name: &str| {
        let models = result["models"].as_array().unwrap();
        models.iter().find(|model| model["name"] == name).unwrap_or_else(|| panic!("no {name} in {result}"))
    };
    for name in ["here", "there", "binarized-perceptron"] {
        assert!(model(name)["error"].is_null() && model(name)["bootstraps"].is_number(), "{result}");
    }
    assert!(model("broken")["error"].is_string());

    let text = place.run("models").succeeded();
    assert!(text.contains("784 -> 16 -> 10") && text.contains("16 bootstraps an image"), "{text}");
}

/// A network as a circuit of gates, by the same commands; with a key for gates, everything else follows.
#[test]
fn gates_run_from_the_command_and_give_the_scores_in_the_clear() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    place.run("encrypt 4.png --model toy --key gates/secret.key").succeeded();
    let text = place.run("infer 4.enc --model toy --cloud-key gates/cloud.key").succeeded();
    assert!(text.contains("optimized") && text.contains("4.scores") && text.contains("2^-1"), "{text}");
    assert!(!place.path("4.scores.state").exists());
    let text = place.run("decrypt 4.scores --model toy --key gates/secret.key --compare 4.png").succeeded();
    assert!(text.contains("equal, bit for bit") && text.contains("The label is 4."), "{text}");
    // Another picture has other scores.
    toy::write_picture(&place.path("5.png"), &toy::pixels(5));
    let line = "decrypt 4.scores --model toy --key gates/secret.key --compare 5.png";
    let outcome = place.run(line);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("differ from those of the network in the clear"), "{outcome:?}");
    place.run("encrypt 5.png --model toy --key gates/secret.key").succeeded();
    place.refuses(
        "infer 4.enc 5.enc --model toy --out-dir gates --cloud-key gates/cloud.key",
        &["one at a time"],
    );
    // A key of one engine does not read what was made for the other.
    place.refuses(
        "infer 4.enc --model toy --out x.scores",
        &["keys/cloud.key", "FUNCTIONAL_1024", "GATES_DEFAULT", "bnn keygen --engine gates"],
    );
    place.refuses("decrypt 4.scores --model toy", &["GATES_DEFAULT"]);
}

/// The functional engine's scores differ from those in the clear, and its label is the same nearly always.
#[test]
fn a_comparison_of_noisy_scores_is_one_of_labels() {
    let place = Place::furnished();
    place.run("encrypt 4.png --model toy").succeeded();
    place.run("infer 4.enc --model toy").succeeded();
    let text = place.run("decrypt 4.scores --model toy --compare 4.png").succeeded();
    assert!(text.contains("It is that of the network in the clear on 4.png"), "{text}");
    assert!(text.contains("is the same in 100 of 100 runs by prediction"), "{text}");
    let result = place.run("decrypt 4.scores --model toy --compare 4.png --json").json();
    let decrypted = &result["decrypted"][0];
    assert_eq!((&decrypted["plain_label"], &decrypted["predicted_agreement"]), (&4.into(), &1.0.into()));
    toy::write_picture(&place.path("5.png"), &toy::pixels(5));
    let outcome = place.run("decrypt 4.scores --model toy --compare 5.png");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.contains("the decrypted label is 4, that of the network in the clear is 5"),
        "{outcome:?}"
    );
}

#[test]
fn an_estimate_says_bootstraps_time_and_memory() {
    let place = Place::furnished();
    for engine in ["functional", "gates"] {
        let result = place.run(&format!("estimate toy --engine {engine} --json")).json();
        assert_eq!(result["engine"], engine);
        let bootstraps = result["bootstraps"].as_f64().unwrap();
        let expected = bootstraps / result["bootstraps_per_second"].as_f64().unwrap();
        assert!(bootstraps >= 16.0 && (result["seconds"].as_f64().unwrap() / expected - 1.0).abs() < 1e-6);
        assert!(result["memory_bytes"].as_f64().unwrap() > 5e7);
    }
    toy::write_idx_images(&place.path("images"), &[toy::pixels(1), toy::pixels(8), toy::white()]);
    let result = place.run("estimate toy --images images --json").json();
    assert_eq!(
        (&result["details"]["label_changes"], &result["details"]["upload_bytes"]),
        (&0.0.into(), &3308.into())
    );
    let text = place.run("estimate toy --engine gates --style as-published").succeeded();
    assert!(text.contains("layer       hidden") && text.contains("measured"), "{text}");
}
