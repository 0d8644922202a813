//! Networks from ONNX files: what onnxruntime gives is what they give here, in floating point, in integers and encrypted; and what
//! is not read is refused by its name.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use bnn::{
    circuit::Style,
    client::{Client, EncryptedImage, EncryptedScores},
    data::Image,
    engine::{self, Server, calibrate, client_specification, functional::Plan},
    import::{PixelScale, RealNetwork},
    model::ModelFiles,
};
use proptest::{prelude::*, test_runner::RngSeed};
use serde_json::Value;
use tfhe_core::{
    backend::Backend,
    control::Control,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    random::SecretSeed,
};

const SIDE: usize = 8;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx")
}

fn json(name: &str) -> BTreeMap<String, Value> {
    serde_json::from_slice(&fs::read(fixtures().join(name)).unwrap()).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// A file of [`fixtures`], and what onnxruntime gives: pictures in grey values, and scores.
struct Fixture {
    network: RealNetwork,
    pictures: Vec<Vec<f64>>,
    scores: Vec<Vec<f64>>,
}

fn fixture(name: &str, expected: &Value) -> Fixture {
    let bytes = fs::read(fixtures().join(format!("{name}.onnx"))).unwrap();
    let pixels = PixelScale { white: expected["white"].as_f64().unwrap(), ..PixelScale::default() };
    let lists = |key: &str| expected[key].as_array().unwrap().iter().map(numbers).collect();
    Fixture {
        network: RealNetwork::from_onnx(&bytes, pixels).unwrap(),
        pictures: lists("pictures"),
        scores: lists("scores"),
    }
}

/// Grey values that are always the same, and look like noise.
fn calibration(channels: usize) -> Vec<Vec<f64>> {
    let values = channels * SIDE * SIDE;
    let grey = |place: usize| (place * place * 31 + place * 7919) % 251 + place % 5;
    (0..64)
        .map(|picture| (0..values).map(|place| grey(picture * 64 + place) as f64 / 255.0).collect())
        .collect()
}

fn picture(grey: &[f64]) -> Image {
    Image::new(grey.len() / (SIDE * SIDE), SIDE, SIDE, grey.iter().map(|&grey| grey.round() as u8).collect())
        .unwrap()
}

/// The model in integers, calibrated on the pictures of the fixture and others.
fn integers(fixture: &Fixture, weight_bits: u32) -> ModelFiles {
    let own = fixture.pictures.iter().map(|grey| grey.iter().map(|grey| grey / 255.0).collect());
    let (channels, ..) = fixture.network.picture();
    let pictures: Vec<Vec<f64>> = calibration(channels).into_iter().chain(own).collect();
    let ranges = fixture.network.ranges(&pictures, &Control::default()).unwrap();
    let files = fixture.network.to_integers(("imported", "Of a test"), &ranges, &[8, weight_bits]).unwrap();
    let model = files.model().unwrap();
    let encode = |reals: &Vec<f64>| {
        let grey: Vec<f64> = reals.iter().map(|real| real * 255.0).collect();
        model.input().encode(&picture(&grey)).unwrap()
    };
    calibrate(&files, &pictures.iter().map(encode).collect::<Vec<_>>(), &Control::default()).unwrap()
}

#[test]
fn networks_give_what_onnxruntime_gives() {
    let expected = json("expected.json");
    assert!(expected.len() >= 13);
    for (name, expected) in &expected {
        let fixture = fixture(name, expected);
        let channels = expected["channels"].as_u64().unwrap() as usize;
        assert_eq!(
            (fixture.network.picture(), fixture.network.classes()),
            ((channels, SIDE, SIDE), 5),
            "{name}"
        );
        for (grey, scores) in fixture.pictures.iter().zip(&fixture.scores) {
            let pixels: Vec<f64> = grey.iter().map(|grey| grey / 255.0).collect();
            let found = fixture.network.evaluate(&pixels);
            assert_eq!(found.len(), scores.len());
            for (found, expected) in found.iter().zip(scores) {
                assert!(
                    (found - expected).abs() < 1e-4 * (1.0 + expected.abs()),
                    "{name}: {found} for {expected}"
                );
            }
        }
    }
}

/// Integers of eight bits are near the real numbers: within a twentieth of what the scores of a network span on its pictures. (A sign
/// turns a small difference into a large one, where a sum is near 0.)
#[test]
fn integers_are_near_the_real_numbers() {
    for (name, expected) in &json("expected.json") {
        let fixture = fixture(name, expected);
        let model = integers(&fixture, 8).model().unwrap();
        let all = || fixture.scores.iter().flatten().copied();
        let span = all().fold(f64::MIN, f64::max) - all().fold(f64::MAX, f64::min);
        let mut differences = Vec::new();
        for (grey, scores) in fixture.pictures.iter().zip(&fixture.scores) {
            let found =
                engine::evaluate(&model, &model.input().encode(&picture(grey)).unwrap()).unwrap().reals();
            differences
                .extend(found.iter().zip(scores).map(|(found, expected)| (found - expected).abs() / span));
        }
        let mean = differences.iter().sum::<f64>() / differences.len() as f64;
        println!("{name}: {mean:.4}");
        assert!(mean < 0.05, "{name}: {mean}");
    }
}

/// Encrypted, the scores are those of the integers up to the noise that the plan predicts.
#[test]
fn an_imported_network_runs_encrypted() {
    let expected = json("expected.json");
    // One of them has seven layers with weights, and signs that feed signs.
    for name in [
        "torch_view",
        "sklearn_mlp",
        "signs",
        "pooled_first",
        "deep",
        "colours",
        "curves",
        "steps",
        "fake_quantised",
        "residual",
        "residual_first",
        "residual_signs",
    ] {
        let fixture = fixture(name, &expected[name]);
        let model = Arc::new(integers(&fixture, 4).model().unwrap());
        let plan = Plan::cheapest(Arc::clone(&model)).unwrap();
        let key = Arc::new(SecretKey::generate(plan.parameters(), SecretSeed::deterministic_for_tests(7)));
        let cloud = CloudKey::generate(&key, SecretSeed::deterministic_for_tests(8)).unwrap();
        let evaluator = Arc::new(Evaluator::new(&cloud, Backend::fastest()).unwrap());
        let client = Client::new(Arc::new(client_specification(&model).unwrap()), key).unwrap();
        let server = Server::new(Arc::clone(&model), evaluator, Style::Optimized).unwrap();
        let image = client.encode(&picture(&fixture.pictures[0])).unwrap();
        let encrypted = client.encrypt(&image, SecretSeed::deterministic_for_tests(9)).unwrap();
        let scores = client.decrypt(&in_pieces(&server, &encrypted)).unwrap();
        let (found, exact) = (scores.reals(), engine::evaluate(&model, &image).unwrap().reals());
        // The largest differences of simulated runs, and as much again.
        let simulated = plan.simulate(&image, 200, 0, &Control::default()).unwrap();
        for (class, (found, exact)) in found.iter().zip(&exact).enumerate() {
            let spread =
                simulated.iter().map(|scores| (scores.reals()[class] - exact).abs()).fold(0.0, f64::max);
            assert!(
                (found - exact).abs() <= 2.0 * spread + 1e-9,
                "{name}: {found} for {exact}, spread {spread}"
            );
        }
    }
}

/// What a server answers that saves the run after each stage, and goes on with what it saved.
fn in_pieces(server: &Server, encrypted: &EncryptedImage) -> EncryptedScores {
    let (mut done, mut saved) = (0, server.start(encrypted).unwrap().save().unwrap());
    loop {
        let mut inference = server.resume(encrypted, &saved).unwrap();
        assert_eq!(inference.bootstraps(), done);
        let more = inference.advance(&Control::default()).unwrap();
        if more == 0 {
            assert_eq!((done, inference.layer()), (server.bootstraps().unwrap(), None));
            return inference.scores().unwrap();
        }
        (done, saved) = (done + more, inference.save().unwrap());
    }
}

#[test]
fn what_is_not_read_is_refused_by_its_name() {
    let refused = json("refused/fragments.json");
    assert!(refused.len() >= 26);
    for (name, fragments) in refused {
        let bytes = fs::read(fixtures().join(format!("refused/{name}.onnx"))).unwrap();
        let error = RealNetwork::from_onnx(&bytes, PixelScale::default()).unwrap_err().to_string();
        println!("{name}: {error}");
        for fragment in fragments.as_array().unwrap() {
            assert!(error.contains(fragment.as_str().unwrap()), "{name}: no {fragment} in {error}");
        }
        assert!(!error.contains(char::is_control), "{name}: {error}");
    }
}

/// Grey values that a network was trained to read otherwise.
#[test]
fn black_and_white_are_what_the_network_was_trained_to_read() {
    let bytes = fs::read(fixtures().join("sklearn_mlp.onnx")).unwrap();
    let plain = RealNetwork::from_onnx(&bytes, PixelScale::default()).unwrap();
    let scaled = RealNetwork::from_onnx(&bytes, PixelScale { black: -0.5, white: 2.0 }).unwrap();
    let pixels = &calibration(1)[3];
    let shifted: Vec<f64> = pixels.iter().map(|pixel| 2.5 * pixel - 0.5).collect();
    for (a, b) in scaled.evaluate(pixels).iter().zip(plain.evaluate(&shifted)) {
        assert!((a - b).abs() < 1e-9, "{a} for {b}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Default::default() })]

    /// A damaged file is refused, or is another network; it never panics.
    #[test]
    fn damaged_files_never_panic(
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
        name in prop::sample::select(vec!["torch_cnn", "torch_view", "keras_cnn", "signs", "quantised", "qonnx", "colours", "curves", "steps", "fake_quantised", "residual", "residual_first"]),
    ) {
        let whole = fs::read(fixtures().join(format!("{name}.onnx"))).unwrap();
        let mut damaged = whole.clone();
        damaged[place.index(whole.len())] ^= byte;
        let _ = RealNetwork::from_onnx(&whole[..cut.index(whole.len())], PixelScale::default());
        if let Ok(network) = RealNetwork::from_onnx(&damaged, PixelScale::default()) {
            let (channels, width, height) = network.picture();
            let ranges = network.ranges(&[vec![0.5; channels * width * height]], &Control::default()).unwrap();
            let _ = network.to_integers(("damaged", "Of a test"), &ranges, &[4]);
        }
    }
}
