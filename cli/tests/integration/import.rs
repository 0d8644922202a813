//! Networks of one's own: from an ONNX file to an encrypted answer, and what is refused on the way.

use std::{fs, path::PathBuf};

use serde_json::Value;
use testkit::model_files::{ModelFiles, Tensor};

use crate::{
    place::{Outcome, Place},
    toy,
};

/// The side of the pictures of the fixtures.
const SIDE: usize = 8;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../bnn/tests/fixtures/onnx").join(name)
}

/// Pictures of bright rows on black, of which each is one of its own, as an IDX file.
fn write_pictures(place: &Place, name: &str, side: usize) {
    let pictures: Vec<Vec<u8>> = (0..40)
        .map(|number| (0..side * side).map(|at| if (at / 4 + number) % 7 < 2 { 255 } else { 0 }).collect())
        .collect();
    let header = [0x803, pictures.len() as u32, side as u32, side as u32].map(u32::to_be_bytes);
    fs::write(place.path(name), [header.concat(), pictures.concat()].concat()).unwrap();
}

/// A place with a network and pictures to calibrate on.
pub(crate) fn with_network() -> Place {
    let place = Place::furnished();
    fs::copy(fixture("torch_view.onnx"), place.path("cnn.onnx")).unwrap();
    write_pictures(&place, "pictures", SIDE);
    place
}

#[test]
fn three_commands_lead_from_a_file_to_an_encrypted_answer() {
    let place = with_network();
    toy::write_idx_labels(&place.path("labels"), &[2; 40]);
    let line = "import onnx cnn.onnx --calibrate pictures --labels labels --out cnn";
    let text = place.run(line).succeeded();
    for fragment in [
        "40 to calibrate on",
        "real        right on",
        "integers    weights of ",
        "27 bootstraps",
        "cnn: 64 -> 27 -> 5",
    ] {
        assert!(text.contains(fragment), "no {fragment:?} in {text}");
    }
    place.run("encrypt pictures --index 3 --model cnn --as-is --out 3.enc").succeeded();
    place.run("infer 3.enc --model ./cnn").succeeded();
    place.run("decrypt 3.scores --model cnn --compare pictures --index 3 --as-is").succeeded();
    // A model folder like any other.
    let inspected = place.run("inspect cnn --json").json();
    assert_eq!(inspected["layers"].as_array().unwrap().len(), 3);
    place.refuses(line, &["cnn: exists already", "--out"]);
}

#[test]
fn what_cannot_be_imported_is_refused() {
    let place = with_network();
    let import = |rest: &str| format!("import onnx {rest} --out new");
    fs::write(place.path("text.onnx"), "no network").unwrap();
    place.refuses(&import("text.onnx --calibrate pictures"), &["text.onnx: no ONNX file"]);
    place.refuses(&import("none.onnx --calibrate pictures"), &["none.onnx"]);
    for (name, fragment) in [("elu", "node \"node_t\" of type Elu"), ("colours", "1 to 16 channels")] {
        fs::copy(fixture(&format!("refused/{name}.onnx")), place.path("refused.onnx")).unwrap();
        place.refuses(&import("refused.onnx --calibrate pictures"), &["refused.onnx: ", fragment]);
    }
    write_pictures(&place, "large", 9);
    place.refuses(
        &import("cnn.onnx --calibrate large"),
        &["large: the picture is 9 x 9, this model reads 8 x 8"],
    );
    fs::copy(fixture("colours.onnx"), place.path("colours.onnx")).unwrap();
    place.refuses(
        &import("colours.onnx --calibrate pictures"),
        &["pictures: the picture has 1 channel, this model reads 3"],
    );
    place.refuses(&import("cnn.onnx --calibrate cnn.onnx"), &["cnn.onnx: no IDX file"]);
    toy::write_idx_labels(&place.path("labels"), &[2; 39]);
    place.refuses(&import("cnn.onnx --calibrate pictures --labels labels"), &["39 labels for 40 images"]);
    toy::write_idx_labels(&place.path("labels"), &[5; 40]);
    place.refuses(
        &import("cnn.onnx --calibrate pictures --labels labels"),
        &["label 5 of image 0", "5 classes"],
    );
    place.refuses_usage(&import("- --calibrate -"), &["standard input can be read only once"]);
    place.refuses_usage(
        &import("cnn.onnx --calibrate pictures --weight-bits 3,3"),
        &["gives 2 widths, and layers with weights after the first are 1 in number"],
    );
    let outcome = place.run(&import("cnn.onnx --calibrate pictures --weight-bits 9"));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
}

/// Ten neurons that are the same, whose scores only noise tells apart.
fn write_undecided_model(place: &Place) {
    let layer = |name: &str, inputs: usize, tensors: &str| {
        format!(
            "\n[[layers]]\nname = \"{name}\"\nkind = \"dense\"\ninputs = {inputs}\noutputs = 10\n{tensors}"
        )
    };
    let manifest = [
        "format = 2\nname = \"undecided\"\ndescription = \"Ten equal neurons\"\n",
        "\n[input]\nwidth = 28\nheight = 28\nencoding = \"grey\"\nbits = 3\n",
        &layer("hidden", 784, "weights = \"hidden.weights\"\nbiases = \"hidden.biases\"\n"),
        "\n[[layers]]\nname = \"relu\"\nkind = \"relu\"\n",
        &layer("scores", 10, "weights = \"scores.weights\"\nbiases = \"scores.biases\"\n"),
    ];
    let identity: Vec<i8> = (0..100).map(|place| i8::from(place % 11 == 0)).collect();
    let tensors = vec![
        Tensor::matrix("hidden.weights", 784, &[1; 7840]),
        Tensor::biases("hidden.biases", &[0; 10]),
        Tensor::matrix("scores.weights", 10, &identity),
        Tensor::biases("scores.biases", &[0; 10]),
    ];
    ModelFiles::new(manifest.concat(), tensors).write(&place.path("undecided"));
}

/// A network whose labels noise would change runs for those who ask for it by the figure.
#[test]
fn a_network_that_noise_would_change_is_refused() {
    let place = Place::furnished();
    write_undecided_model(&place);
    let expected =
        place.run("estimate undecided --json").json()["details"]["label_changes"].as_f64().unwrap();
    assert!(expected > 0.5, "{expected}");
    place.run("encrypt 4.png --model undecided").succeeded();
    place
        .refuses("infer 4.enc --model undecided", &["noise is expected to change", "--accept-label-changes"]);
    place.refuses("infer 4.enc --model undecided --accept-label-changes 0.6", &["--accept-label-changes"]);
    place.run("infer 4.enc --model undecided --accept-label-changes 1").succeeded();
}

#[test]
fn a_calibrated_model_has_less_noise() {
    let place = Place::furnished();
    let pictures: Vec<Vec<u8>> = (0..10).map(toy::pixels).collect();
    toy::write_idx_images(&place.path("digits"), &pictures);
    let text = place.run("calibrate toy --images digits --out calibrated").succeeded();
    assert!(text.contains("with the ranges of 10 pictures") && text.contains("0.3636"), "{text}");
    let noise = |model: &str| {
        let result = place.run(&format!("inspect {model} --json")).json();
        let layers: Vec<Value> = result["layers"].as_array().unwrap().clone();
        layers.iter().find_map(|layer| layer["noise_deviation"].as_f64()).unwrap()
    };
    assert!(noise("./calibrated") <= noise("./toy"));
    // The labels are those of the model before.
    for class in [2, 7] {
        toy::write_picture(&place.path("picture.png"), &toy::pixels(class));
        place.run("encrypt picture.png --model calibrated --force").succeeded();
        place.run("infer picture.enc --model calibrated --force").succeeded();
        place.run("decrypt picture.scores --model calibrated --compare picture.png").succeeded();
    }
    place.refuses("calibrate toy --images digits --out calibrated", &["calibrated: exists already"]);
    toy::write_idx_images(&place.path("white"), &[toy::white()]);
    place.refuses("calibrate toy --images white --out other", &["white: no picture can be used"]);
    let outcome: Outcome = place.run("calibrate toy --images digits --out other --json");
    assert_eq!(outcome.json()["pictures"], 10);
}
