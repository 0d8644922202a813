//! The gate engine: circuits of whole networks in the clear against the oracle, in both styles; slices encrypted; runs
//! that stop and go on.

use std::{fs, path::Path, sync::Arc};

use bnn::{
    Error,
    circuit::Style,
    client::{Client, EncryptedImage, EncryptedScores},
    data::Image,
    engine::{self, Server, gates::Plan},
    model::Model,
    paper::import_paper,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tfhe_core::{
    ciphertext::CiphertextList,
    control::Control,
    evaluator::Evaluator,
    keys::SecretKey,
    parameters::{FUNCTIONAL_2048, GATES_BLOCK_BINARY, GATES_DEFAULT, Parameters},
    serial,
};

use crate::{
    parties::{client, evaluator, key, seed, server},
    shipped,
    toy::{ModelFiles, Open, Tensor, colours, perceptron, picture},
};

const STYLES: [Style; 2] = [Style::AsPublished, Style::Optimized];

/// The circuits of a network on a picture, in the clear, give what the oracle gives, layer by layer.
fn check(model: &Arc<Model>, image: &Image, parameters: &'static Parameters, name: &str) {
    let encoded = model.input().encode(image).unwrap();
    let (oracle, expected) =
        (engine::trace(model, &encoded).unwrap(), engine::evaluate(model, &encoded).unwrap());
    for style in STYLES {
        let plan = Plan::new(Arc::clone(model), parameters, style);
        let scores = plan
            .simulate(&encoded, |layer, values| {
                assert_eq!(values, oracle[layer], "{style:?}, layer {layer}, {name}");
            })
            .unwrap();
        assert_eq!(scores, expected, "{style:?}, {name}");
    }
}

/// Whether the pixel at a row and a column is white.
type Pattern = fn(usize, usize) -> bool;

/// Pictures at the ends of what a model may meet: one colour, a square of 5 x 5 (the largest K there is), stripes, noise.
fn extremes() -> Vec<(&'static str, Image)> {
    let patterns: [(&'static str, Pattern); 5] = [
        ("black", |_, _| false),
        ("square", |i, j| (9..14).contains(&i) && (9..14).contains(&j)),
        ("corner", |i, j| i < 5 && j < 5),
        ("stripes", |i, j| (i / 3 + j) % 5 == 0),
        ("dots", |i, j| (i * 31 + j * 17) % 11 == 0),
    ];
    let image = |(name, pattern): (&'static str, Pattern)| {
        let pixels = (0..28 * 28).map(|place| if pattern(place / 28, place % 28) { 255 } else { 0 });
        (name, Image::grey(28, 28, pixels.collect()).unwrap())
    };
    patterns.into_iter().map(image).collect()
}

#[test]
fn networks_that_ship_are_their_circuits() {
    for (name, digits) in [
        ("binarized-cnn", 0..10),
        ("hybrid-cnn", 0..3),
        ("perceptron", 0..10),
        ("binarized-perceptron", 7..8),
    ] {
        let model = shipped::model(name);
        for digit in digits {
            let image = shipped::digit(digit);
            check(&model, &image, &GATES_DEFAULT, &format!("{name}, {digit}"));
        }
        for (pattern, image) in extremes() {
            if model.input().encode(&image).is_ok() {
                check(&model, &image, &GATES_DEFAULT, &format!("{name}, {pattern}"));
            }
        }
    }
}

#[test]
fn other_parameter_sets_have_other_circuits_with_the_same_bits() {
    let model = shipped::model("perceptron");
    let image = shipped::digit(3);
    for parameters in Parameters::ALL {
        check(&model, &image, parameters, parameters.name());
    }
}

/// The figures that the README and docs/circuits.md give.
#[test]
fn bootstraps_are_as_few_as_documented() {
    for (name, most) in [
        ("binarized-cnn", 501_000),
        ("hybrid-cnn", 153_000),
        ("perceptron", 19_000),
        ("binarized-perceptron", 185_000),
    ] {
        let model = shipped::model(name);
        let estimate = Plan::new(Arc::clone(&model), &GATES_DEFAULT, Style::Optimized).estimate().unwrap();
        assert!(estimate.bootstraps <= most, "{name}: {}", estimate.bootstraps);
        let faster = Plan::new(Arc::clone(&model), &GATES_BLOCK_BINARY, Style::Optimized).estimate().unwrap();
        assert!(faster.bootstraps <= estimate.bootstraps, "a set with less noise needs no more");
        let layers: Vec<usize> = estimate.layers.iter().map(|&(_, bootstraps)| bootstraps).collect();
        assert!(layers.is_sorted() && layers.last() == Some(&estimate.bootstraps));
        assert!(estimate.most_held < 200_000, "{name}: {} ciphertexts", estimate.most_held);
    }
}

/// The model of the released parameters, in a folder.
fn authors(folder: &Path) -> Arc<Model> {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let files = import_paper(&read("convolution_new.txt"), &read("full_connection_new.txt")).unwrap();
    Arc::new(files.model().unwrap())
}

/// The released parameters by the definition of the published system, written out here a second time, and in circuits.
#[test]
fn the_authors_parameters_give_the_published_results() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/paper");
    if !folder.join("convolution_new.txt").exists() {
        println!("skipped: the authors' files are not beside the project");
        return;
    }
    let model = authors(&folder);

    let zero = Image::decode(&fs::read(folder.join("0.bmp")).unwrap(), None).unwrap();
    let trace = engine::trace(&model, &model.input().encode(&zero).unwrap()).unwrap();
    let before_last_relu: Vec<i64> = trace[3].clone();
    // To five digits, which is finer than the unit of 2^-15.
    let published =
        [13.78671, -28.76605, 4.76224, -4.91092, -37.48190, -7.79880, 3.96845, -13.07486, -1.03384, -5.78232];
    assert_eq!(before_last_relu, published.map(|score: f64| (score * 32_768.0).round() as i64));
    assert_eq!(by_definition(&folder, &zero), before_last_relu);
    check(&model, &zero, &GATES_DEFAULT, "0.bmp");

    let estimate = Plan::new(Arc::clone(&model), &GATES_DEFAULT, Style::Optimized).estimate().unwrap();
    assert!(estimate.bootstraps <= 900_000, "{}", estimate.bootstraps);
    // PAPER.md's count of the authors' circuits: 13.7 million.
    let published = Plan::new(Arc::clone(&model), &GATES_DEFAULT, Style::AsPublished).estimate().unwrap();
    assert!((10_000_000..14_500_000).contains(&published.bootstraps), "{}", published.bootstraps);
}

/// Steps 1 to 4 of the published network, from the text files, in integers: the scores before the last rectifier.
fn by_definition(folder: &Path, image: &Image) -> Vec<i64> {
    let numbers = |name: &str| -> Vec<i64> {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        text.split_whitespace().map(|word| word.parse().unwrap()).collect()
    };
    let (bits, weights) = (numbers("convolution_new.txt"), numbers("full_connection_new.txt"));
    let fixed = |real: f64| (real * 32_768.0) as i64;
    let alpha = [0.197_217, 0.257_060, 0.218_428].map(fixed);
    let bias = [-0.7915, -1.5237, -1.3206].map(fixed);
    let score_bias =
        [0.0530, 4.5933, 0.4191, -0.4588, -0.6371, 1.5588, -1.1861, 1.8038, -3.5537, -0.9022].map(fixed);

    let x: Vec<f64> = image.pixels().iter().map(|&grey| f64::from(grey)).collect();
    let mean = x.iter().sum::<f64>() / 784.0;
    let deviation = (x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 784.0 + 1e-5).sqrt();
    let z = |row: usize, column: usize| (x[28 * row + column] - mean) / deviation;

    let mut pooled = Vec::new();
    for c in 0..3 {
        for (i, j) in (0..12).flat_map(|i| (0..12).map(move |j| (2 * i, 2 * j))) {
            let mut greatest = 0;
            for (row, column) in [(i, j), (i, j + 1), (i + 1, j), (i + 1, j + 1)] {
                let (mut magnitude, mut d) = (0.0, 0);
                for (u, v) in (0..5).flat_map(|u| (0..5).map(move |v| (u, v))) {
                    let z = z(row + u, column + v);
                    magnitude += z.abs();
                    d += if (z >= 0.0) == (bits[25 * c + 5 * u + v] == 1) { 1 } else { -1 };
                }
                let scaled = (fixed(0.04 * magnitude) * d * alpha[c]) >> 15;
                greatest = greatest.max(scaled + bias[c]);
            }
            pooled.push(greatest);
        }
    }
    let sum = |m: usize| -> i64 { (0..432).map(|i| weights[432 * m + i] * pooled[i]).sum() };
    (0..10).map(|m| (sum(m) >> 15) + score_bias[m]).collect()
}

/// 78.76 % by the argmax before the last rectifier, 78.79 % after it, of the 10,000 test images.
#[test]
fn the_authors_parameters_have_the_accuracy_that_was_measured() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let (paper, mnist) = (shared.join("paper"), shared.join("data/mnist"));
    if !paper.join("convolution_new.txt").exists() || !mnist.exists() {
        println!("skipped: the authors' files or MNIST are not beside the project");
        return;
    }
    let model = authors(&paper);
    let images =
        bnn::data::IdxImages::from_bytes(&fs::read(mnist.join("t10k-images-idx3-ubyte.gz")).unwrap())
            .unwrap();
    let labels =
        bnn::data::IdxLabels::from_bytes(&fs::read(mnist.join("t10k-labels-idx1-ubyte.gz")).unwrap())
            .unwrap();
    let (mut before, mut after) = (0, 0);
    for (index, &label) in labels.as_slice().iter().enumerate() {
        let encoded = model.input().encode(&images.image(index).unwrap()).unwrap();
        let trace = engine::trace(&model, &encoded).unwrap();
        let scores = &trace[3];
        let first = (0..10).rev().max_by_key(|&class| scores[class]);
        before += usize::from(first == Some(label.into()));
        after += usize::from(engine::evaluate(&model, &encoded).unwrap().label() == usize::from(label));
    }
    assert_eq!((before, after), (7_876, 7_879));
}

/// A network of the paper's kind on 6 x 6 pixels, with any weights.
fn small_cnn(
    filters: &[i8],
    scales: [i32; 2],
    biases: [i32; 2],
    weights: &[i32],
    score_biases: [i32; 2],
    bits: usize,
) -> ModelFiles {
    let manifest = format!(
        r#"format = 1
name = "small"
description = "Two filters of 3 x 3 on 6 x 6 pixels"
[input]
width = 6
height = 6
encoding = "sign-and-scale"
window = 3
fraction_bits = 8
bits = 12
largest = 1535
[[layers]]
name = "convolution"
kind = "xnor-convolution"
filters = 2
size = 3
fraction_bits = 8
bits = 25
weights = "a"
scales = "b"
biases = "c"
[[layers]]
name = "rectified"
kind = "relu"
[[layers]]
name = "pooled"
kind = "max-pool"
size = 2
[[layers]]
name = "scores"
kind = "dense"
inputs = 8
outputs = 2
shift = 5
bits = {bits}
fraction_bits = 8
weights = "d"
biases = "e"
"#
    );
    let words = |name, entries: &[i32], shape: &[usize]| Tensor {
        shape: shape.to_vec(),
        ..Tensor::biases(name, entries)
    };
    let tensors = vec![
        Tensor { shape: vec![2, 3, 3], ..Tensor::matrix("a", 9, filters) },
        Tensor::biases("b", &scales),
        Tensor::biases("c", &biases),
        words("d", weights, &[2, 8]),
        Tensor::biases("e", &score_biases),
    ];
    ModelFiles { manifest, tensors }
}

fn sign() -> impl Strategy<Value = i8> {
    prop_oneof![Just(-1_i8), Just(1)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any weights and any picture, scores that wrap included; biases that do and do not let the count be cut off.
    #[test]
    fn any_small_network_is_its_circuit(
        filters in proptest::collection::vec(sign(), 18),
        scales in [0..1000_i32, 0..1000],
        biases in [-3000..200_i32, -3000..200],
        weights in proptest::collection::vec(-3000..3000_i32, 16),
        score_biases in [-9000..9000_i32, -9000..9000],
        bits in 8..26_usize,
        pixels in proptest::collection::vec(any::<u8>(), 36),
    ) {
        let model = small_cnn(&filters, scales, biases, &weights, score_biases, bits).open().unwrap();
        check(&model, &Image::grey(6, 6, pixels).unwrap(), &GATES_DEFAULT, "any");
    }
}

#[test]
fn a_network_of_three_channels_is_its_circuit() {
    let model = colours().open().unwrap();
    for salt in 0..8_u8 {
        let pixels =
            (0..12).map(|place: u8| place.wrapping_mul(73 + 2 * salt).wrapping_add(31 * salt)).collect();
        check(&model, &Image::new(3, 2, 2, pixels).unwrap(), &GATES_DEFAULT, &format!("salt {salt}"));
    }
}

/// A convolution of multi-bit filters on grey pixels, with stride and shift, and a hidden layer: also without rectifiers.
fn small_hybrid() -> ModelFiles {
    let manifest = r#"format = 1
name = "small"
description = "Three filters on 7 x 7 grey pixels, and a hidden layer"
[input]
width = 7
height = 7
encoding = "grey"
bits = 3
[[layers]]
name = "convolution"
kind = "convolution"
filters = 3
size = 3
stride = 2
shift = 1
weights = "a"
biases = "b"
[[layers]]
name = "pooled"
kind = "max-pool"
size = 2
[[layers]]
name = "hidden"
kind = "dense"
inputs = 3
outputs = 4
shift = 2
weights = "c"
biases = "d"
[[layers]]
name = "rectified"
kind = "relu"
[[layers]]
name = "scores"
kind = "dense"
inputs = 4
outputs = 2
weights = "e"
biases = "f"
"#;
    let tensors = vec![
        Tensor {
            shape: vec![3, 3, 3],
            ..Tensor::matrix(
                "a",
                9,
                &[1, -2, 7, 0, 3, -1, 5, 0, -7, 2, 2, -3, 1, 0, 0, -1, 6, 1, -5, 4, 3, 2, 1, 0, -1, -2, -3],
            )
        },
        Tensor::biases("b", &[-3, 0, 11]),
        Tensor::matrix("c", 3, &[1, -3, 127, 5, 0, -128, 9, 9, -9, -1, 0, 0]),
        Tensor::biases("d", &[4, -100, 0, 7]),
        Tensor::matrix("e", 4, &[3, 0, -5, 1, -1, 100, 2, -77]),
        Tensor::biases("f", &[-4, 19]),
    ];
    ModelFiles { manifest: manifest.into(), tensors }
}

#[test]
fn convolutions_with_stride_and_hidden_layers_are_their_circuits() {
    let model = small_hybrid().open().unwrap();
    for shade in [0_usize, 1, 37, 101, 255] {
        let pixels = (0..49).map(|place| (place * shade * 7 % 256) as u8).collect();
        check(&model, &Image::grey(7, 7, pixels).unwrap(), &GATES_DEFAULT, &format!("shade {shade}"));
    }
}

#[test]
fn signs_are_their_circuits() {
    let pooled = "[[layers]]\nname = \"pooled\"";
    let model = small_hybrid()
        .replace("kind = \"relu\"", "kind = \"sign\"")
        .replace(pooled, &format!("[[layers]]\nname = \"signs\"\nkind = \"sign\"\n{pooled}"))
        .open()
        .unwrap();
    for shade in [0_usize, 1, 37, 101, 255] {
        let pixels = (0..49).map(|place| (place * shade * 7 % 256) as u8).collect();
        check(&model, &Image::grey(7, 7, pixels).unwrap(), &GATES_DEFAULT, &format!("shade {shade}"));
    }
}

fn keys() -> (Arc<SecretKey>, Arc<Evaluator>) {
    let key = key(&GATES_DEFAULT, 31);
    let evaluator = evaluator(&key, 32);
    (key, evaluator)
}

/// Client and server, with optimized circuits.
fn parties(model: &Arc<Model>) -> (Client, Server) {
    let (key, evaluator) = keys();
    (client(model, &key), server(model, &evaluator, Style::Optimized))
}

/// The paper's kind of network on ciphertexts, through bytes: left after every batch and taken up again, it gives
/// the same ciphertexts as in one go, and they are the oracle's bits.
#[test]
fn an_encrypted_run_that_stops_and_goes_on_is_the_oracle() {
    let filters: Vec<i8> = (0..18).map(|i| if i * i % 7 < 3 { 1 } else { -1 }).collect();
    let weights: Vec<i32> = (0..16).map(|i| 37 * i - 200).collect();
    let model = small_cnn(&filters, [113, 90], [-40, 25], &weights, [300, -55], 20).open().unwrap();
    let pixels = (0..36).map(|place| (place * place * 5 % 256) as u8).collect();
    let image = Image::grey(6, 6, pixels).unwrap();
    let encoded = model.input().encode(&image).unwrap();
    let (client, server) = parties(&model);
    let bytes = client.encrypt(&encoded, seed(33)).unwrap().to_bytes().unwrap();
    let encrypted = EncryptedImage::from_bytes(&bytes).unwrap();

    let mut whole = server.start(&encrypted).unwrap();
    assert!(matches!(whole.scores(), Err(Error::Unfinished)));
    while whole.advance(&Control::default()).unwrap() > 0 {}
    assert_eq!(whole.bootstraps(), server.bootstraps().unwrap());
    let in_one_go = whole.scores().unwrap();

    let mut parts = server.start(&encrypted).unwrap();
    let mut stops = 0;
    loop {
        let state = parts.save().unwrap();
        parts = server.resume(&encrypted, &state).unwrap();
        if parts.advance(&Control::default()).unwrap() == 0 {
            break;
        }
        stops += 1;
    }
    assert!(stops > 20, "{stops}");
    let scores = EncryptedScores::from_bytes(&parts.scores().unwrap().to_bytes().unwrap()).unwrap();
    assert_eq!(scores, in_one_go);
    assert_eq!(client.decrypt(&scores).unwrap(), engine::evaluate(&model, &encoded).unwrap());
}

#[test]
fn hybrid_and_hidden_layers_on_ciphertexts() {
    let model = small_hybrid().open().unwrap();
    let (client, server) = parties(&model);
    let pixels = (0..49).map(|place| (place * 41 % 256) as u8).collect();
    let encoded = client.encode(&Image::grey(7, 7, pixels).unwrap()).unwrap();
    let image = client.encrypt(&encoded, seed(34)).unwrap();
    let mut inference = server.start(&image).unwrap();
    while inference.advance(&Control::default()).unwrap() > 0 {}
    let scores = client.decrypt(&inference.scores().unwrap()).unwrap();
    assert_eq!(scores, engine::evaluate(&model, &encoded).unwrap());
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (our_key, evaluator) = keys();
    let open = |bias| perceptron(4, 16, (&[1; 32], &[bias, -3]), (&[1, -1, 2, 3], &[0, 0])).open().unwrap();
    let (model, other) = (open(0), open(2));
    let (ours, optimized) = (client(&model, &our_key), server(&model, &evaluator, Style::Optimized));
    let other_server = server(&other, &evaluator, Style::Optimized);
    let published = server(&model, &evaluator, Style::AsPublished);
    let encoded = model.input().encode(&picture(4, 4, &[true; 16])).unwrap();
    let image = ours.encrypt(&encoded, seed(35)).unwrap();
    assert!(matches!(other_server.start(&image), Err(Error::OtherModel { .. })));
    let strange = client(&model, &key(&GATES_DEFAULT, 36)).encrypt(&encoded, seed(37)).unwrap();
    assert!(matches!(optimized.start(&strange), Err(Error::Crypto(_))));
    let functional = client(&model, &key(&FUNCTIONAL_2048, 38)).encrypt(&encoded, seed(39)).unwrap();
    assert!(matches!(optimized.start(&functional), Err(Error::OtherParameters { .. })));

    let mut run = optimized.start(&image).unwrap();
    run.advance(&Control::default()).unwrap();
    let state = run.save().unwrap();
    let refused = |server: &Server, image: &EncryptedImage| {
        server.resume(image, &state).map(|_| ()).unwrap_err().to_string()
    };
    let again = ours.encrypt(&encoded, seed(40)).unwrap();
    assert!(refused(&optimized, &again).ends_with("a run on another encrypted image"));
    assert!(refused(&published, &image).ends_with("a run with the other style of circuits"));
    // Every flipped byte is found: by the checksum of the ciphertexts, which covers that of the line before them.
    for position in (0..state.len()).step_by(state.len() / 97) {
        let mut damaged = state.clone();
        damaged[position] ^= 4;
        assert!(optimized.resume(&image, &damaged).is_err(), "byte {position}");
        let cut = &state[..position];
        assert!(optimized.resume(&image, cut).is_err(), "cut at {position}");
    }
}

/// With all checksums made right again, what a saved run says of itself is compared with its circuit: nothing is built
/// from a file's own numbers.
#[test]
fn a_saved_run_that_is_not_the_circuits_is_refused() {
    let model = perceptron(4, 16, (&[1; 32], &[0, -3]), (&[1, -1, 2, 3], &[0, 0])).open().unwrap();
    let (client, server) = parties(&model);
    let encoded = model.input().encode(&picture(4, 4, &[true; 16])).unwrap();
    let image = client.encrypt(&encoded, seed(41)).unwrap();
    let mut run = server.start(&image).unwrap();
    run.advance(&Control::default()).unwrap();
    let honest = run.save().unwrap();
    let length = honest.iter().position(|&byte| byte == b'\n').unwrap();
    let text = String::from_utf8(honest[..length].to_vec()).unwrap();
    let resealed = |text: &str| {
        let stored = serial::from_bytes::<CiphertextList>(&honest[length + 1..]).unwrap();
        let list = serial::to_bytes(&stored.content, Sha256::digest(text).into()).unwrap();
        let state = [text.as_bytes(), b"\n", &list].concat();
        server.resume(&image, &state).map(|run| run.bootstraps())
    };
    assert_eq!(resealed(&text).unwrap(), run.bootstraps());
    let mut changed = 0;
    for (from, to) in [
        ("\"unit\":0", "\"unit\":1"),
        ("\"unit\":0", "\"unit\":18446744073709551615"),
        ("\"place\":[", "\"place\":[1"),
        ("\"place\":[", "\"place\":[18446744073709551615,0],\"x\":["),
        ("\"bootstraps\":", "\"bootstraps\":1"),
        ("\"bootstraps\":", "\"bootstraps\":1844674407370955161"),
        ("\"low\":0", "\"low\":-4611686018427387903"),
        ("\"high\":1", "\"high\":4611686018427387903"),
        ("\"high\":1", "\"high\":0"),
        ("\"bits\":\"x0\"", "\"bits\":\"x\""),
        (
            "\"bits\":\"x0\"",
            "\"bits\":\"x000000000000000000000000000000000000000000000000000000000000000000000000\"",
        ),
        ("\"bits\":\"x0\"", "\"bits\":\"\""),
        ("[[0,false]]", "[[1,false]]"),
        ("[[0,false]]", "[]"),
        ("{\"place\":0,", "{\"place\":99999,"),
        ("{\"place\":1,", "{\"place\":0,"),
        ("\"words\":[", "\"words\":[{\"place\":0,\"low\":0,\"high\":0,\"bits\":\"\",\"sources\":[]},"),
        ("\"wires\":[", "\"wires\":[0,"),
        ("\"wires\":[", "\"wires\":[18446744073709551615,"),
    ] {
        if text.contains(from) {
            changed += 1;
            let message = resealed(&text.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(!message.contains(char::is_control), "{from} to {to}: {message}");
        }
    }
    assert!(changed >= 17, "{changed} changes of {text}");
}
