//! The functional engine against the oracle and against the noise that its plan predicts.

use std::sync::{Arc, OnceLock};

use bnn::{
    Error,
    circuit::Style,
    client::{Client, EncryptedImage, EncryptedScores, Scores},
    data::Image,
    engine::{self, Server, functional::Plan},
    model::Model,
};
use tfhe_core::{
    backend::Backend,
    control::Control,
    evaluator::Evaluator,
    keys::SecretKey,
    parameters::{FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_DEFAULT},
};

use crate::{
    parties::{client, evaluator, evaluator_on, key, seed, server},
    shipped,
    toy::{ModelFiles, Open, Tensor, colours, perceptron, picture},
};

/// One key for all tests here: it takes a second to make.
fn keys() -> &'static (Arc<SecretKey>, Arc<Evaluator>) {
    static KEYS: OnceLock<(Arc<SecretKey>, Arc<Evaluator>)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let key = key(&FUNCTIONAL_1024, 1);
        let evaluator = evaluator(&key, 2);
        (key, evaluator)
    })
}

/// Client and server with that key.
fn parties(model: &Arc<Model>) -> (Client, Server) {
    let (key, evaluator) = keys();
    (client(model, key), server(model, evaluator, Style::Optimized))
}

fn scores(model: &Arc<Model>, image: &Image, number: u64) -> Scores {
    let (client, server) = parties(model);
    let encrypted = client.encrypt(&client.encode(image).unwrap(), seed(number)).unwrap();
    client.decrypt(&server.infer(&encrypted, &Control::default()).unwrap()).unwrap()
}

/// Signs with the pattern of the bits of a product of odd numbers: spread, and the same in every run.
fn signs(count: usize, salt: u64) -> Vec<i8> {
    let sign =
        |i: u64| if (i * 2 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ salt) >> 63 == 1 { 1 } else { -1 };
    (0..count as u64).map(sign).collect()
}

/// Sums are few units and units are large: noise turns no sign, and the scores are exact.
#[test]
fn a_small_network_is_evaluated_exactly_on_every_backend() {
    let model =
        perceptron(4, 16, (&signs(16 * 12, 1), &[0; 12]), (&signs(12 * 3, 2), &[1, -2, 0])).open().unwrap();
    let (key, _) = keys();
    let client = client(&model, key);
    for &backend in Backend::ALL {
        if !backend.is_available() {
            println!("not run: this CPU lacks the backend {backend}");
            continue;
        }
        let server = server(&model, &evaluator_on(key, 2, backend), Style::Optimized);
        for (number, pattern) in [0xF0F0_u32, 0x1234, 0x0000, 0xFFFF, 0x8001].into_iter().enumerate() {
            let image = picture(4, 4, &std::array::from_fn::<_, 16, _>(|i| pattern >> i & 1 == 1));
            let encoded = client.encode(&image).unwrap();
            let encrypted = client.encrypt(&encoded, seed(10 + number as u64)).unwrap();
            let scores = client.decrypt(&server.infer(&encrypted, &Control::default()).unwrap()).unwrap();
            let oracle = engine::evaluate(&model, &encoded).unwrap();
            assert_eq!(scores, oracle, "pattern {pattern:#x} on {backend}");
        }
    }
}

#[test]
fn two_hidden_layers_chain() {
    let toy = perceptron(4, 16, (&signs(16 * 9, 3), &[0; 9]), (&signs(9 * 3, 4), &[0; 3]));
    let manifest = toy.manifest.replace("inputs = 9\noutputs = 3", "inputs = 5\noutputs = 3").replace(
        "[[layers]]\nname = \"scores\"",
        "[[layers]]\nname = \"second\"\nkind = \"binary-dense\"\ninputs = 9\noutputs = 5\n\
         weights = \"second.weights\"\nbiases = \"second.biases\"\n\n[[layers]]\nname = \"scores\"",
    );
    let mut tensors = toy.tensors;
    tensors[2] = Tensor::matrix("scores.weights", 5, &signs(5 * 3, 4));
    tensors.push(Tensor::matrix("second.weights", 9, &signs(45, 5)));
    tensors.push(Tensor::biases("second.biases", &[0, 2, -2, 4, 0]));
    let model = ModelFiles { manifest, tensors }.open().unwrap();
    assert_eq!(Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).unwrap().bootstraps(), 14);
    let image = picture(4, 4, &std::array::from_fn::<_, 16, _>(|i| i % 3 == 0));
    let oracle = engine::evaluate(&model, &model.input().encode(&image).unwrap()).unwrap();
    assert_eq!(scores(&model, &image, 20), oracle);
}

/// 300 neurons whose sums are all half a unit from 0, where noise turns signs with a known probability; the scores
/// tell each sign apart. The count of turned signs is binomial: 6 standard deviations fail once in 10^8 seeds.
#[test]
fn signs_turn_as_often_as_the_plan_predicts() {
    const NEURONS: usize = 300;
    // 196 of 256 pixels are set; a row has as many pluses as minuses on them, in another order for each neuron.
    let bits: Vec<bool> = (0..256).map(|i| i < 196).collect();
    let mut weights = Vec::new();
    for neuron in 0..NEURONS as u64 {
        let mut order: Vec<u64> = (0..196).collect();
        order.sort_by_key(|i| (i + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93).wrapping_mul(2 * neuron + 1));
        let mut row = vec![1; 256];
        order[..98].iter().for_each(|&i| row[i as usize] = -1);
        weights.extend(row);
    }
    let identity: Vec<i8> = (0..NEURONS * NEURONS).map(|i| i8::from(i / NEURONS == i % NEURONS)).collect();
    // The bias of a far-off neuron makes the units small: 196 + 200 units on the half torus.
    let mut biases = vec![0; NEURONS];
    biases[0] = 200;
    let model = perceptron(16, 196, (&weights, &biases), (&identity, &[0; NEURONS])).open().unwrap();
    let plan = Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).unwrap();
    let margin = &plan.margins()[0];
    // 98 of the set pixels and the 60 others count as plus.
    assert_eq!(margin.range.1, 98 + 60 + 200);
    // P(noise < -1/2) for a sum of 0, half a unit from the step.
    let turned_share = libm::erfc(0.5 / margin.noise / std::f64::consts::SQRT_2) / 2.0;
    assert!((0.05..0.45).contains(&turned_share), "{turned_share}");

    let image = picture(16, 16, &bits);
    let (mut turned, mut count) = (0.0, 0.0);
    for seed in 30..34 {
        let integers = scores(&model, &image, seed).integers().to_vec();
        turned += integers[1..].iter().filter(|&&h| h < 0).count() as f64;
        count += (NEURONS - 1) as f64;
    }
    let deviation = (count * turned_share * (1.0 - turned_share)).sqrt();
    let expected = count * turned_share;
    println!("{turned} of {count} signs turned, {expected:.0} +- {deviation:.0} predicted");
    assert!((turned - expected).abs() < 6.0 * deviation, "{turned} of {count}, {expected} predicted");
}

/// Scores of one heavily weighted neuron each, whose signs are certain: their errors are the last layer's noise. The
/// variance of 800 draws is known to 5 %; 30 % is 6 standard errors, and room for what one key differs from another.
/// (A set with a large table rounds its results most.)
#[test]
fn scores_are_as_noisy_as_the_plan_predicts() {
    const NEURONS: usize = 200;
    const WEIGHT: i8 = 127;
    // Every neuron sums other pixels, so that each has a key switch and a blind rotation of its own.
    let weights = signs(256 * NEURONS, 8);
    let mut scores_weights = vec![0; NEURONS * NEURONS];
    (0..NEURONS).for_each(|i| scores_weights[i * NEURONS + i] = WEIGHT);
    let biases = vec![300; NEURONS];
    // A class that sums all neurons makes the units small enough for the noise to show, in parts of one bit or of many.
    scores_weights[..NEURONS].iter_mut().enumerate().for_each(|(i, w)| *w = WEIGHT - (i % 2) as i8);
    let model = perceptron(16, 250, (&weights, &biases), (&scores_weights, &[0; NEURONS])).open().unwrap();
    let plan = Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).unwrap();
    // The plan's figure is for the noisiest class, the first; the others have one weight of 127.
    let norm = (100.0 * (127f64.powi(2) + 126f64.powi(2))).sqrt();
    let deviation = plan.margins()[1].noise * f64::from(WEIGHT) / norm;
    assert!(deviation > 1.0, "{deviation}");
    let mut square = 0.0;
    for seed in 40..44 {
        let image = picture(16, 16, &std::array::from_fn::<_, 256, _>(|i| i % (seed as usize - 37) == 0));
        let errors = scores(&model, &image, seed);
        square +=
            errors.integers()[1..].iter().map(|&s| ((s - i64::from(WEIGHT)) as f64).powi(2)).sum::<f64>();
    }
    // Rounding to integers adds 1/12.
    let ratio = square / (4 * (NEURONS - 1)) as f64 / (deviation * deviation + 1.0 / 12.0);
    println!("variance of the scores: {ratio:.3} of the prediction ({deviation:.2} units)");
    assert!((0.7..1.3).contains(&ratio), "{ratio}");
}

#[test]
fn what_belongs_to_others_is_refused() {
    let open = |bias| perceptron(4, 16, (&signs(32, 6), &[bias, 0]), (&signs(4, 7), &[0, 0])).open().unwrap();
    let (model, other_model) = (open(0), open(2));
    let ((ours, server), (others, other_server)) = (parties(&model), parties(&other_model));
    let encoded = model.input().encode(&picture(4, 4, &[true; 16])).unwrap();
    let infer = |server: &Server, image: &EncryptedImage| server.infer(image, &Control::default());

    let image = ours.encrypt(&encoded, seed(50)).unwrap();
    assert!(matches!(infer(&other_server, &image), Err(Error::OtherModel { .. })));
    let scores = infer(&server, &image).unwrap();
    assert!(matches!(others.decrypt(&scores), Err(Error::OtherModel { .. })));

    let stranger = client(&model, &key(&FUNCTIONAL_1024, 51));
    let error = stranger.decrypt(&scores).unwrap_err();
    assert!(matches!(error, Error::Crypto(tfhe_core::Error::OtherKey { .. })), "{error}");
    let strange_image = stranger.encrypt(&encoded, seed(52)).unwrap();
    assert!(matches!(infer(&server, &strange_image), Err(Error::Crypto(_))));

    let gates = client(&model, &key(&GATES_DEFAULT, 53));
    let bits = gates.encrypt(&encoded, seed(54)).unwrap();
    assert!(matches!(infer(&server, &bits), Err(Error::OtherParameters { .. })));
    assert!(matches!(gates.decrypt(&scores), Err(Error::OtherParameters { .. })));
}

#[test]
fn images_and_scores_survive_their_bytes() {
    let model = perceptron(4, 16, (&signs(32, 6), &[0, 0]), (&signs(4, 7), &[0, 0])).open().unwrap();
    let plan = Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).unwrap();
    let (client, server) = parties(&model);
    let encoded = client.encode(&picture(4, 4, &[true; 16])).unwrap();
    let image = client.encrypt(&encoded, seed(60)).unwrap();
    let bytes = image.to_bytes().unwrap();
    assert_eq!(bytes.len(), 172 + 4 * 16);
    assert_eq!(bytes.len(), plan.image_bytes());
    assert_eq!(EncryptedImage::from_bytes(&bytes).unwrap(), image);
    let scores = server.infer(&image, &Control::default()).unwrap();
    let bytes = scores.to_bytes().unwrap();
    assert_eq!(EncryptedScores::from_bytes(&bytes).unwrap(), scores);
    assert_eq!(bytes.len(), plan.scores_bytes());
    assert!(EncryptedImage::from_bytes(&bytes).is_err());
}

/// A network of every kind of layer that the engine runs, on pictures of 8 x 8 with two bits: small enough that noise moves
/// nothing.
fn layered(layers: &str, tensors: Vec<Tensor>) -> Arc<Model> {
    let manifest = format!(
        r#"
format = 2
name = "layered"
description = "Small layers"

[input]
width = 8
height = 8
encoding = "grey"
bits = 1
{layers}
"#
    );
    ModelFiles { manifest, tensors }.open().unwrap()
}

/// A layer of the manifest without tensors, with what else it says.
fn plain(name: &str, kind: &str, rest: &str) -> String {
    format!("[[layers]]\nname = \"{name}\"\nkind = \"{kind}\"\n{rest}\n")
}

/// A layer of the manifest with weights and biases.
fn weighted(name: &str, kind: &str, rest: &str) -> String {
    plain(name, kind, &format!("{rest}\nweights = \"{name}.weights\"\nbiases = \"{name}.biases\""))
}

fn grey(seed: u64) -> Image {
    let pixels = (0..64_u64).map(|i| (((i + 1) * (2 * seed + 1) * 0x9E37_79B9) >> 24) as u8).collect();
    Image::grey(8, 8, pixels).unwrap()
}

fn tensor(name: &'static str, shape: &[usize], entries: &[i8]) -> Tensor {
    Tensor { shape: shape.into(), ..Tensor::matrix(name, *shape.last().unwrap(), entries) }
}

#[test]
fn convolutions_and_signs_chain() {
    let layers = [
        weighted("first", "convolution", "filters = 3\nsize = 3"),
        plain("signs", "sign", ""),
        weighted("second", "convolution", "filters = 2\nsize = 2\nstride = 2"),
        plain("more-signs", "sign", ""),
        weighted("scores", "dense", "inputs = 18\noutputs = 3"),
    ];
    let tensors = vec![
        tensor("first.weights", &[3, 3, 3], &signs(27, 1)),
        Tensor::biases("first.biases", &[0, -1, 1]),
        tensor("second.weights", &[2, 3, 2, 2], &signs(24, 2)),
        Tensor::biases("second.biases", &[1, -2]),
        tensor("scores.weights", &[3, 18], &signs(54, 3)),
        Tensor::biases("scores.biases", &[5, 0, -3]),
    ];
    let model = layered(&layers.concat(), tensors);
    let plan = Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).unwrap();
    assert_eq!(plan.bootstraps(), 3 * 36 + 2 * 9);
    for seed in 0..4 {
        let oracle = engine::evaluate(&model, &model.input().encode(&grey(seed)).unwrap()).unwrap();
        assert_eq!(scores(&model, &grey(seed), 100 + seed), oracle, "picture {seed}");
    }
}

/// Pixel by pixel the filters are r + 2 g - 3 b and g - r - 1, of three bits each.
#[test]
fn channels_come_in_their_order() {
    let model = colours().open().unwrap();
    let shades = |r: [u8; 4], g: [u8; 4], b: [u8; 4]| {
        Image::new(3, 2, 2, [r, g, b].as_flattened().iter().map(|shade| shade << 5 | 17).collect()).unwrap()
    };
    for (number, (image, signs)) in [
        (shades([7, 0, 0, 1], [0, 7, 0, 1], [0, 0, 7, 1]), [1, 1, -1, 1, -1, 1, -1, -1]),
        (shades([4, 4, 5, 5], [0, 1, 5, 6], [2, 2, 4, 6]), [-1, 1, 1, -1, -1, -1, -1, 1]),
    ]
    .into_iter()
    .enumerate()
    {
        let weights = [[1, 2, 4, 8, 16, 32, 64, 127], [3, -3, 5, -5, 7, -7, 9, -9]];
        let dot = |row: [i64; 8]| row.iter().zip(signs).map(|(w, sign)| w * sign).sum::<i64>();
        let expected = [dot(weights[0]), dot(weights[1]) + 1];
        let oracle = engine::evaluate(&model, &model.input().encode(&image).unwrap()).unwrap();
        assert_eq!(oracle.integers(), expected);
        assert_eq!(scores(&model, &image, 300 + number as u64).label(), oracle.label());
    }
}

/// Sums cost no bootstrap: those before a linear map, and those behind one, which become part of it. Around values are zeros, and
/// filters read the channels of their group.
#[test]
fn sums_of_squares_are_free() {
    let layers = [
        weighted("first", "convolution", "filters = 2\nsize = 3\npadding = 1"),
        plain("signs", "sign", ""),
        plain("before", "sum-pool", "size = 2"),
        weighted("second", "convolution", "filters = 2\nsize = 1\ngroups = 2"),
        plain("behind", "sum-pool", "size = 2"),
        plain("more-signs", "sign", ""),
        plain("last", "sum-pool", "size = 2"),
        weighted("scores", "dense", "inputs = 2\noutputs = 3"),
    ];
    let tensors = vec![
        tensor("first.weights", &[2, 3, 3], &signs(18, 1)),
        Tensor::biases("first.biases", &[0, -1]),
        tensor("second.weights", &[2, 1, 1], &[1, -1]),
        Tensor::biases("second.biases", &[1, -2]),
        tensor("scores.weights", &[3, 2], &signs(6, 3)),
        Tensor::biases("scores.biases", &[5, 0, -3]),
    ];
    let model = layered(&layers.concat(), tensors);
    let plan = Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).unwrap();
    assert_eq!(plan.bootstraps(), 2 * 64 + 2 * 4);
    assert_eq!(plan.margins().iter().map(|margin| margin.index).collect::<Vec<_>>(), [0, 3, 7]);
    for seed in 0..4 {
        let oracle = engine::evaluate(&model, &model.input().encode(&grey(seed)).unwrap()).unwrap();
        assert_eq!(scores(&model, &grey(seed), 200 + seed), oracle, "picture {seed}");
    }
}

/// Squares of 2 and of 3: even trees, and one with an operand left over at two levels. Before and after the rectifier.
#[test]
fn maxima_rectifiers_and_dropped_bits_are_those_of_the_oracle() {
    for (size, outputs) in [(2, 9), (3, 4)] {
        let pool = plain("pooled", "max-pool", &format!("size = {size}"));
        let rectified = plain("rectified", "relu", "");
        for middle in [[&rectified, &pool], [&pool, &rectified]] {
            let layers = [
                weighted("first", "convolution", "filters = 1\nsize = 3\nshift = 1"),
                middle.map(String::as_str).concat(),
                weighted("scores", "dense", &format!("inputs = {outputs}\noutputs = 4")),
                plain("positive", "relu", ""),
            ];
            let tensors = vec![
                tensor("first.weights", &[1, 3, 3], &signs(9, 4)),
                Tensor::biases("first.biases", &[1]),
                tensor("scores.weights", &[4, outputs], &signs(4 * outputs, 5)),
                Tensor::biases("scores.biases", &[1, 0, 0, 2]),
            ];
            let model = layered(&layers.concat(), tensors);
            let plan = Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).unwrap();
            assert_eq!(plan.bootstraps(), outputs * size * size);
            for seed in 0..3 {
                let oracle = engine::evaluate(&model, &model.input().encode(&grey(seed)).unwrap()).unwrap();
                assert_eq!(
                    scores(&model, &grey(seed), 110 + seed),
                    oracle,
                    "picture {seed}, squares of {size}"
                );
            }
        }
    }
}

#[test]
fn a_sign_of_what_was_rectified_is_refused_by_name() {
    let layers = [
        weighted("first", "convolution", "filters = 1\nsize = 3"),
        plain("rectified", "relu", ""),
        plain("always", "sign", ""),
        weighted("scores", "dense", "inputs = 36\noutputs = 2"),
    ];
    let tensors = vec![
        tensor("first.weights", &[1, 3, 3], &[1; 9]),
        Tensor::biases("first.biases", &[0]),
        tensor("scores.weights", &[2, 36], &[1; 72]),
        Tensor::biases("scores.biases", &[0, 0]),
    ];
    let error = Plan::new(layered(&layers.concat(), tensors), &FUNCTIONAL_1024).unwrap_err().to_string();
    assert_eq!(error, "layer \"always\": the functional engine does not run sign here");
}

/// Sums of values that a bootstrap brought out, with weights of every size: their noise is beyond what the range bears.
#[test]
fn a_network_whose_sums_drown_in_noise_is_refused_by_name() {
    const WIDTH: usize = 4096;
    let mut weights = vec![0; 2 * WIDTH];
    weights[..WIDTH].fill(1);
    weights[WIDTH] = 100;
    let layers = [
        weighted("first", "dense", &format!("inputs = 64\noutputs = {WIDTH}")),
        plain("rectified", "relu", ""),
        weighted("second", "dense", &format!("inputs = {WIDTH}\noutputs = 2")),
        plain("signs", "sign", ""),
        weighted("scores", "dense", "inputs = 2\noutputs = 2"),
    ];
    let tensors = |second: &[i8]| {
        vec![
            tensor("first.weights", &[WIDTH, 64], &signs(WIDTH * 64, 6)),
            Tensor::biases("first.biases", &[0; WIDTH]),
            tensor("second.weights", &[2, WIDTH], second),
            Tensor::biases("second.biases", &[0; 2]),
            tensor("scores.weights", &[2, 2], &[1; 4]),
            Tensor::biases("scores.biases", &[0; 2]),
        ]
    };
    let model = layered(&layers.concat(), tensors(&weights));
    assert!(Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).is_ok());
    let model = layered(&layers.concat(), tensors(&vec![120; 2 * WIDTH]));
    for error in [
        Plan::new(Arc::clone(&model), &FUNCTIONAL_2048).unwrap_err(),
        Plan::cheapest(Arc::clone(&model)).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.starts_with("layer \"second\": noise of") && text.contains("FUNCTIONAL_2048"), "{text}");
    }
}

/// The networks that ship, on digits that ship: the encrypted label is the oracle's. (Each is predicted to agree with a
/// probability that the test prints.)
#[test]
fn the_shipped_networks_read_shipped_digits() {
    for (name, digits, bootstraps) in
        [("binarized-perceptron", 0..10, 384), ("perceptron", 0..4, 64), ("hybrid-cnn", 4..5, 1728)]
    {
        let model = shipped::model(name);
        let plan = Plan::cheapest(Arc::clone(&model)).unwrap();
        assert_eq!((plan.parameters().name(), plan.bootstraps()), ("FUNCTIONAL_1024", bootstraps), "{name}");
        for digit in digits {
            let image = shipped::digit(digit);
            let encoded = model.input().encode(&image).unwrap();
            let oracle = engine::evaluate(&model, &encoded).unwrap();
            let agreement = plan.predict(&encoded, 100, 1).unwrap();
            println!("{name} says {} of digit {digit}, agreement predicted {agreement}", oracle.label());
            assert!(agreement > 0.95);
            assert_eq!(scores(&model, &image, 70 + digit).label(), oracle.label(), "digit {digit}");
        }
    }
}

/// The paper's network, whose squared errors, of ten scores of three digits, are as large as simulated. The errors of a
/// digit's scores go together, so that their mean square is known to some 30 %.
#[test]
fn the_paper_s_network_errs_as_much_as_simulated() {
    let model = shipped::model("binarized-cnn");
    let plan = Plan::cheapest(Arc::clone(&model)).unwrap();
    assert_eq!((plan.parameters().name(), plan.bootstraps()), ("FUNCTIONAL_1024", 4 * 432));
    assert!(plan.image_bytes() < 150_000);
    let (mut measured, mut simulated) = (0.0, 0.0);
    for digit in [2, 5, 7] {
        let image = shipped::digit(digit);
        let encoded = model.input().encode(&image).unwrap();
        let oracle = engine::evaluate(&model, &encoded).unwrap();
        let square = |scores: &Scores| -> f64 {
            let errors = scores.reals().into_iter().zip(oracle.reals()).map(|(a, b)| (a - b).powi(2));
            errors.sum()
        };
        let found = scores(&model, &image, 80 + digit);
        assert_eq!(found.label(), oracle.label(), "digit {digit}");
        measured += square(&found);
        let draws = plan.simulate(&encoded, 300, digit, &Control::default()).unwrap();
        simulated += draws.iter().map(square).sum::<f64>() / 300.0;
    }
    println!("squared errors of 30 scores: {measured:.2}, simulated {simulated:.2}");
    assert!((0.3..3.0).contains(&(measured / simulated)), "{measured} and {simulated}");
}
