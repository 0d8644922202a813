//! The functional engine against the oracle and against the noise that its plan predicts.

use std::{path::Path, sync::OnceLock};

use bnn::{
    Error,
    data::GreyImage,
    encrypted::{EncryptedImage, EncryptedScores},
    engine::{self, functional::Plan},
    model::Model,
};
use tfhe_core::{
    backend::Backend,
    evaluator::Evaluator,
    keys::{CloudKey, SecretKey},
    parameters::{FUNCTIONAL_2048, GATES_DEFAULT},
    random::SecretSeed,
    serial::Existing,
};

use crate::toy::{Folder, Tensor, perceptron, picture};

/// One key for all tests here: it takes a second to make.
fn keys() -> &'static (SecretKey, Evaluator) {
    static KEYS: OnceLock<(SecretKey, Evaluator)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let key = SecretKey::generate(&FUNCTIONAL_2048, SecretSeed::deterministic_for_tests(1));
        let cloud = CloudKey::generate(&key, SecretSeed::deterministic_for_tests(2));
        (key, Evaluator::new(&cloud, Backend::select().unwrap()).unwrap())
    })
}

fn scores(model: &Model, image: &GreyImage, seed: u64) -> engine::Scores {
    let (key, evaluator) = keys();
    let plan = Plan::new(model, &FUNCTIONAL_2048).unwrap();
    let encoded = model.input().encode(image).unwrap();
    let encrypted = plan.encrypt(key, &encoded, SecretSeed::deterministic_for_tests(seed)).unwrap();
    plan.decrypt(key, &plan.infer(evaluator, &encrypted, |_| ()).unwrap()).unwrap()
}

/// Signs with the pattern of the bits of a product of odd numbers: spread, and the same in every run.
fn signs(count: usize, salt: u64) -> Vec<i8> {
    let sign =
        |i: u64| if (i * 2 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ salt) >> 63 == 1 { 1 } else { -1 };
    (0..count as u64).map(sign).collect()
}

/// Sums are few units and units are large: noise turns no sign, and the scores are exact.
#[test]
fn a_small_network_is_evaluated_exactly() {
    let model =
        perceptron(4, 16, (&signs(16 * 12, 1), &[0; 12]), (&signs(12 * 3, 2), &[1, -2, 0])).open().unwrap();
    for (number, pattern) in [0xF0F0_u32, 0x1234, 0x0000, 0xFFFF, 0x8001].into_iter().enumerate() {
        let image = picture(4, 4, &std::array::from_fn::<_, 16, _>(|i| pattern >> i & 1 == 1));
        let oracle = engine::evaluate(&model, &model.input().encode(&image).unwrap()).unwrap();
        assert_eq!(scores(&model, &image, 10 + number as u64), oracle, "pattern {pattern:#x}");
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
    let model = Folder { manifest, tensors }.open().unwrap();
    assert_eq!(Plan::new(&model, &FUNCTIONAL_2048).unwrap().bootstraps(), 14);
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
    let plan = Plan::new(&model, &FUNCTIONAL_2048).unwrap();
    let (_, bound, noise_units) = plan.margins()[0];
    // 98 of the set pixels and the 60 others count as plus.
    assert_eq!(bound, 2 * (98 + 60 + 200) + 1);
    // P(noise < -1 unit) for a sum of +1 unit, 2 * 0 + 1.
    let turned_share = libm::erfc(1.0 / noise_units / std::f64::consts::SQRT_2) / 2.0;
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
#[test]
fn scores_are_as_noisy_as_the_plan_predicts() {
    const NEURONS: usize = 200;
    const WEIGHT: i8 = 60;
    // Every neuron sums other pixels, so that each has a key switch and a blind rotation of its own.
    let weights = signs(256 * NEURONS, 8);
    let mut scores_weights = vec![0; NEURONS * NEURONS];
    (0..NEURONS).for_each(|i| scores_weights[i * NEURONS + i] = WEIGHT);
    let biases = vec![300; NEURONS];
    // A class that sums many neurons makes the units small enough for the noise to show.
    scores_weights[..10].fill(WEIGHT);
    let model = perceptron(16, 250, (&weights, &biases), (&scores_weights, &[0; NEURONS])).open().unwrap();
    let plan = Plan::new(&model, &FUNCTIONAL_2048).unwrap();
    // The plan's figure is for the noisiest class, of 10 equal weights; the others have one.
    let deviation = plan.margins()[1].2 / 10f64.sqrt();
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
    let (key, evaluator) = keys();
    let open = |bias| perceptron(4, 16, (&signs(32, 6), &[bias, 0]), (&signs(4, 7), &[0, 0])).open().unwrap();
    let (model, other_model) = (open(0), open(2));
    let plan = Plan::new(&model, &FUNCTIONAL_2048).unwrap();
    let other_plan = Plan::new(&other_model, &FUNCTIONAL_2048).unwrap();
    let encoded = model.input().encode(&picture(4, 4, &[true; 16])).unwrap();
    let seed = SecretSeed::deterministic_for_tests;

    let image = plan.encrypt(key, &encoded, seed(50)).unwrap();
    assert!(matches!(other_plan.infer(evaluator, &image, |_| ()), Err(Error::OtherModel { .. })));
    let scores = plan.infer(evaluator, &image, |_| ()).unwrap();
    assert!(matches!(other_plan.decrypt(key, &scores), Err(Error::OtherModel { .. })));

    let stranger = SecretKey::generate(&FUNCTIONAL_2048, seed(51));
    let error = plan.decrypt(&stranger, &scores).unwrap_err();
    assert!(matches!(error, Error::Crypto(tfhe_core::Error::OtherKey { .. })), "{error}");
    let strange_image = plan.encrypt(&stranger, &encoded, seed(52)).unwrap();
    assert!(matches!(plan.infer(evaluator, &strange_image, |_| ()), Err(Error::Crypto(_))));

    let gates_key = SecretKey::generate(&GATES_DEFAULT, seed(53));
    assert!(matches!(plan.encrypt(&gates_key, &encoded, seed(54)), Err(Error::OtherParameters { .. })));
}

#[test]
fn images_and_scores_survive_their_files() {
    let (key, evaluator) = keys();
    let model = perceptron(4, 16, (&signs(32, 6), &[0, 0]), (&signs(4, 7), &[0, 0])).open().unwrap();
    let plan = Plan::new(&model, &FUNCTIONAL_2048).unwrap();
    let encoded = model.input().encode(&picture(4, 4, &[true; 16])).unwrap();
    let image = plan.encrypt(key, &encoded, SecretSeed::deterministic_for_tests(60)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (image_path, scores_path) = (folder.path().join("image"), folder.path().join("scores"));
    image.save(&image_path, Existing::Refuse).unwrap();
    assert_eq!(image_path.metadata().unwrap().len(), 168 + 4 * 16);
    assert_eq!(EncryptedImage::load(&image_path).unwrap(), image);
    let scores = plan.infer(evaluator, &image, |_| ()).unwrap();
    scores.save(&scores_path, Existing::Refuse).unwrap();
    assert_eq!(EncryptedScores::load(&scores_path).unwrap(), scores);
    assert!(EncryptedImage::load(&scores_path).is_err());
}

/// The network that ships, on the ten digits that ship: the encrypted label is the oracle's. (Each is predicted to
/// agree with a probability that the test prints.)
#[test]
fn the_shipped_network_reads_the_shipped_digits() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let model = Model::open(&models.join("binarized-perceptron")).unwrap();
    let plan = Plan::new(&model, &FUNCTIONAL_2048).unwrap();
    for digit in 0..10 {
        let image = GreyImage::load(&models.join(format!("digits/{digit}.png")), None).unwrap();
        let encoded = model.input().encode(&image).unwrap();
        let oracle = engine::evaluate(&model, &encoded).unwrap();
        let agreement = plan.predict(&encoded, 100, 1).unwrap();
        println!("digit {digit}: the oracle says {}, agreement predicted {agreement}", oracle.label());
        assert!(agreement > 0.98);
        assert_eq!(scores(&model, &image, 70 + digit).label(), oracle.label(), "digit {digit}");
    }
}
