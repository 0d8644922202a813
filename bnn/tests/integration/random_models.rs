//! Random models, valid and nearly so: every kind of layer at every place, and weights at the ends of their range. Each is
//! refused by name or runs as the oracle does; nothing panics.

use bnn::{
    Error,
    circuit::Style,
    client::ClientSpecification,
    data::Image,
    engine::{self, client_specification, functional, gates},
    model::{self, Model},
};
use proptest::{prelude::*, test_runner::RngSeed};
use std::sync::Arc;
use tfhe_core::{
    control::Control,
    parameters::{FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_DEFAULT},
};

use crate::toy::{ModelFiles, Open, Tensor, picture};

macro_rules! tensors {
    ($($number:literal)*) => { [$([concat!("w", $number), concat!("b", $number)]),*] };
}

const SIDE: usize = 4;
/// An encoding of several channels, and how many these are.
const COLOURS: &str = "channels = 3\nencoding = \"grey\"\nbits = 1";
const CHANNELS: usize = 3;
/// Names of tensors live as long as the program.
const TENSORS: [[&str; 2]; 32] = tensors![
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
];

/// A layer to be drawn: its kind, and numbers that it makes use of.
#[derive(Debug, Clone)]
struct Drawn {
    kind: &'static str,
    outputs: usize,
    shift: u32,
    bits: Option<usize>,
    weights: Vec<i32>,
    /// A layer before it, by its place or, where that is no such layer, by what is left of it: the one that is added, or read by a layer
    /// with weights.
    from: Option<usize>,
}

fn weight() -> impl Strategy<Value = i32> {
    prop_oneof![
        8 => -3..=3_i32,
        1 => prop::sample::select(vec![i32::MIN, i32::MIN + 1, i32::MAX, 1 << 30, -(1 << 30), 1 << 20]),
    ]
}

fn drawn(kinds: &'static [&'static str]) -> impl Strategy<Value = Drawn> {
    let weights = prop::collection::vec(weight(), 3..=9);
    let bits = prop_oneof![2 => Just(None), 1 => (2..=31_usize).prop_map(Some)];
    let shift = prop_oneof![2 => Just(0), 1 => 0..=30_u32];
    let from = prop_oneof![4 => Just(None), 1 => (0..6_usize).prop_map(Some)];
    (prop::sample::select(kinds), 1..=3_usize, shift, bits, weights, from).prop_map(
        |(kind, outputs, shift, bits, weights, from)| Drawn { kind, outputs, shift, bits, weights, from },
    )
}

/// The files of a model of these layers, the last one dense, with shapes that fit.
fn files(encoding: &str, layers: &[Drawn]) -> ModelFiles {
    let mut manifest = format!(
        "format = 2\nname = \"random\"\ndescription = \"Random\"\n\n[input]\nwidth = {SIDE}\nheight = {SIDE}\n{encoding}\n"
    );
    let mut tensors = Vec::new();
    // Channels and side of what a layer reads.
    let (mut channels, mut side) = (if encoding == COLOURS { CHANNELS } else { 1 }, SIDE);
    // What each layer gives.
    let mut shapes = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let [weights, biases] = TENSORS[index];
        let (kind, mut outputs, shift) = (layer.kind, layer.outputs, layer.shift);
        let name = if kind == "depthwise" { "convolution" } else { kind };
        manifest += &format!("\n[[layers]]\nname = \"layer {index}\"\nkind = \"{name}\"\n");
        match (kind, layer.from) {
            ("dense" | "convolution" | "depthwise", Some(from)) if index > 0 => {
                (channels, side) = shapes[from % index];
                manifest += &format!("from = \"layer {}\"\n", from % index);
            }
            ("add", from) => {
                let mut fitting: Vec<usize> =
                    (0..index).filter(|&from| shapes[from] == (channels, side)).collect();
                let from = from.filter(|from| fitting.contains(from)).or(fitting.pop()).unwrap_or(index);
                let factor = layer.weights[0].unsigned_abs().max(1);
                manifest += &format!("from = \"layer {from}\"\nfactor = {factor}\n");
            }
            _ => {}
        }
        let inputs = channels * side * side;
        let columns = match kind {
            "dense" | "binary-dense" => {
                manifest += &format!("inputs = {inputs}\noutputs = {outputs}\n");
                (channels, side) = (outputs, 1);
                inputs
            }
            "convolution" => {
                let size = side.min(2);
                manifest += &format!("filters = {outputs}\nsize = {size}\n");
                let columns = channels * size * size;
                (channels, side) = (outputs, side + 1 - size);
                columns
            }
            // A filter a channel, with zeros around.
            "depthwise" => {
                manifest += &format!("filters = {channels}\nsize = 3\npadding = 1\ngroups = {channels}\n");
                outputs = channels;
                9
            }
            "max-pool" | "sum-pool" => {
                let size = side.min(2);
                manifest += &format!("size = {size}\n");
                side /= size;
                0
            }
            "scale" => {
                let scales: Vec<i32> =
                    layer.weights.iter().map(|w| w.saturating_abs()).cycle().take(channels).collect();
                manifest += &format!("scales = \"{weights}\"\n");
                tensors.push(Tensor::biases(weights, &scales));
                0
            }
            "table" => {
                let mut entries = layer.weights.clone();
                entries.sort_unstable();
                manifest += &format!(
                    "least = {}\ncount = {}\nentries = \"{weights}\"\n",
                    -shift.cast_signed(),
                    entries.len()
                );
                tensors.push(Tensor::biases(weights, &entries));
                0
            }
            "clip" => {
                let (least, most) = (layer.weights[0].min(0), layer.weights[1].max(0));
                manifest += &format!("least = {least}\nmost = {most}\n");
                0
            }
            _ => 0,
        };
        if matches!(name, "dense" | "convolution" | "scale") {
            manifest += &format!("shift = {shift}\n");
        }
        if let ("dense", Some(bits)) = (kind, layer.bits) {
            manifest += &format!("bits = {bits}\n");
        }
        if columns > 0 {
            manifest += &format!("weights = \"{weights}\"\nbiases = \"{biases}\"\n");
            let is_binary = kind == "binary-dense";
            let entry = |&w: &i32| if is_binary { 2 * i32::from(w >= 0) - 1 } else { w };
            let entries: Vec<i32> = layer.weights.iter().map(entry).cycle().take(outputs * columns).collect();
            let shape = match kind {
                "depthwise" => vec![outputs, 3, 3],
                "convolution" if columns == 4 => vec![outputs, 2, 2],
                "convolution" if columns == 1 => vec![outputs, 1, 1],
                "convolution" => {
                    let size = if columns.is_multiple_of(4) && side > 1 || columns > 3 { 2 } else { 1 };
                    vec![outputs, columns / (size * size), size, size]
                }
                _ => vec![outputs, columns],
            };
            tensors.push(Tensor { shape, ..Tensor::biases(weights, &entries) });
            let biases_of: Vec<i32> = layer.weights.iter().rev().copied().cycle().take(outputs).collect();
            tensors.push(Tensor::biases(biases, &biases_of));
        }
        shapes.push((channels, side));
    }
    ModelFiles::new(manifest, tensors)
}

/// The scores of a model of one layer, decrypted from the functional engine, are as near as its plan says.
fn check_functional(model: &Arc<Model>, image: &Image) {
    let encoded = model.input().encode(image).unwrap();
    for set in [&FUNCTIONAL_1024, &FUNCTIONAL_2048] {
        let plan = match functional::Plan::new(Arc::clone(model), set) {
            Ok(plan) => plan,
            Err(
                error @ (Error::TooNoisy { .. }
                | Error::UnsupportedLayer { .. }
                | Error::WrappingLayer { .. }
                | Error::TooManyInputs { .. }),
            ) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let simulated = plan.simulate(&encoded, 1, 1, &Control::default()).unwrap();
        let margins = plan.margins();
        if let ([margin], 1) = (&margins[..], model.layers().len()) {
            let expected = engine::evaluate(model, &encoded).unwrap();
            for (found, expected) in simulated[0].integers().iter().zip(expected.integers()) {
                let error = (found - expected).abs() as f64;
                assert!(error <= 10.0 * margin.noise + 1.0, "{found} for {expected}, noise {}", margin.noise);
            }
        }
    }
}

proptest! {
    // The same models in every run: other seeds are for whoever looks for faults.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn a_random_model_runs_as_the_oracle_does_or_is_refused(
        encoding in prop::sample::select(vec![
            "encoding = \"threshold\"\nthreshold = 128\nmax_active = 16",
            "encoding = \"threshold\"\nthreshold = 128\nmax_active = 2",
            "encoding = \"grey\"\nbits = 2",
            COLOURS,
        ]),
        first in prop::collection::vec(
            drawn(&[
                "max-pool", "sum-pool", "scale", "relu", "clip", "table", "sign", "dense", "binary-dense", "convolution", "depthwise", "add",
            ]), 0..=4),
        last in drawn(&["dense"]),
        bits in prop::collection::vec(any::<bool>(), CHANNELS * SIDE * SIDE),
    ) {
        let layers: Vec<Drawn> = first.into_iter().chain([last]).collect();
        let files = files(encoding, &layers);
        let model = match files.open() {
            Ok(model) => model,
            Err(error) => {
                prop_assert!(error.to_string().contains("layer"), "{error}\n{}", files.manifest);
                return Ok(());
            }
        };
        let specification = client_specification(&model).unwrap().to_bytes();
        prop_assert!(ClientSpecification::from_bytes(&specification).is_ok(), "{}", files.manifest);
        let channels = model.input().channels();
        let pixels = bits[..channels * SIDE * SIDE].iter().map(|&bit| if bit { 255 } else { 0 }).collect();
        let image = Image::new(channels, SIDE, SIDE, pixels).unwrap();
        // More pixels may be set than the model accepts.
        let Ok(encoded) = model.input().encode(&image) else { return Ok(()) };
        let expected = engine::evaluate(&model, &encoded).unwrap();
        for style in [Style::AsPublished, Style::Optimized] {
            let plan = gates::Plan::new(Arc::clone(&model), &GATES_DEFAULT, style);
            let scores = plan.simulate(&encoded, |_, _| ()).unwrap();
            prop_assert_eq!(&scores, &expected, "{:?}\n{}", style, files.manifest);
            prop_assert!(plan.estimate().is_ok());
        }
        check_functional(&model, &image);
        // With the ranges of this very picture the sums are the same, and no less near.
        let whole = model::ModelFiles::new(files.manifest.clone().into_bytes(), files.weights());
        let calibrated = Arc::new(engine::calibrate(&whole, std::slice::from_ref(&encoded), &Control::default()).unwrap().model().unwrap());
        prop_assert_eq!(engine::evaluate(&calibrated, &encoded).unwrap(), expected);
        check_functional(&calibrated, &image);
    }
}

/// A block of a residual network: two filters with an activation between them, what the block reads added, and an activation.
#[derive(Debug, Clone)]
struct Block {
    activation: &'static str,
    weights: Vec<i32>,
    factor: i32,
    /// Filters of their own for what is added.
    is_projected: bool,
    /// The sum is an activation's and the next block's.
    is_kept: bool,
}

fn block() -> impl Strategy<Value = Block> {
    let weights = prop::collection::vec(-2..=2_i32, 7);
    (prop::sample::select(vec!["sign", "clip", "relu"]), weights, 1..=5_i32, any::<bool>(), any::<bool>())
        .prop_map(|(activation, weights, factor, is_projected, is_kept)| Block {
            activation,
            weights,
            factor,
            is_projected,
            is_kept,
        })
}

/// Layers of residual blocks, of which each reads what the one before gave.
fn residual(blocks: &[Block]) -> Vec<Drawn> {
    let plain = Drawn {
        kind: "convolution",
        outputs: 2,
        shift: 0,
        bits: None,
        weights: vec![1, -1, 1, 1, 0],
        from: None,
    };
    let mut layers = vec![plain.clone(), Drawn { kind: "sign", ..plain.clone() }];
    let mut kept = None;
    for block in blocks {
        // Small integers, whose steps are far above the noise; a clip ends at 2.
        let drawn = |kind| Drawn { kind, weights: block.weights.clone(), ..plain.clone() };
        let activation = || match block.activation {
            "clip" => Drawn { weights: vec![-1, 2], ..drawn("clip") },
            kind => drawn(kind),
        };
        let (start, reads) = (layers.len() - 1, kept.take());
        layers.extend([drawn("depthwise"), activation(), drawn("depthwise")]);
        let added = if block.is_projected {
            let main = layers.len() - 1;
            layers.push(Drawn { from: Some(start), ..drawn("depthwise") });
            main
        } else {
            reads.unwrap_or(start)
        };
        layers.push(Drawn { weights: vec![block.factor], from: Some(added), ..drawn("add") });
        kept = block.is_kept.then_some(layers.len() - 1);
        layers.push(Drawn { kind: "sign", ..plain.clone() });
    }
    layers.push(Drawn { kind: "dense", ..plain });
    layers
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(2), ..ProptestConfig::with_cases(150) })]

    /// Residual networks of 4 to 12 layers with weights run as the oracle does on every engine.
    #[test]
    fn residual_blocks_run_as_the_oracle_does(
        blocks in prop::collection::vec(block(), 1..=4),
        bits in prop::collection::vec(any::<bool>(), CHANNELS * SIDE * SIDE),
    ) {
        let files = files(COLOURS, &residual(&blocks));
        let model = files.open().unwrap();
        let pixels = bits.iter().map(|&bit| if bit { 255 } else { 0 }).collect();
        let image = Image::new(CHANNELS, SIDE, SIDE, pixels).unwrap();
        let encoded = model.input().encode(&image).unwrap();
        let expected = engine::evaluate(&model, &encoded).unwrap();
        for style in [Style::AsPublished, Style::Optimized] {
            let plan = gates::Plan::new(Arc::clone(&model), &GATES_DEFAULT, style);
            prop_assert_eq!(&plan.simulate(&encoded, |_, _| ()).unwrap(), &expected, "{:?}\n{}", style, files.manifest);
        }
        let plan = match functional::Plan::new(Arc::clone(&model), &FUNCTIONAL_2048) {
            Err(Error::TooNoisy { .. }) => { eprintln!("NOISY"); return Ok(()) },
            plan => plan.unwrap(),
        };
        prop_assert_eq!(&plan.without_noise(&encoded).unwrap(), &expected, "{:?}\n{}", plan.margins(), files.manifest);
    }
}

/// A model of one dense layer, whose first weight is this.
fn one_layer(weight: i32, more: &str) -> ModelFiles {
    let layer =
        Drawn { kind: "dense", outputs: 2, shift: 0, bits: None, weights: vec![weight, 1, -1], from: None };
    let files = files("encoding = \"threshold\"\nthreshold = 128\nmax_active = 16", &[layer]);
    files.replace("shift = 0\n", more)
}

/// The least weight has a magnitude of 32 bits.
#[test]
fn the_least_weight_counts_in_scores() {
    let model = one_layer(i32::MIN, "").open().unwrap();
    let image = picture(SIDE, SIDE, &[true; 16]);
    let encoded = model.input().encode(&image).unwrap();
    let expected = engine::evaluate(&model, &encoded).unwrap();
    let plan = functional::Plan::new(Arc::clone(&model), &FUNCTIONAL_2048).unwrap();
    assert_eq!(plan.simulate(&encoded, 1, 1, &Control::default()).unwrap()[0].label(), expected.label());
    check_functional(&model, &image);
}

/// What a client needs of such a model can be written and read.
fn check_specification(model: &Arc<Model>) {
    let bytes = client_specification(model).unwrap().to_bytes();
    assert_eq!(ClientSpecification::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    for set in [&FUNCTIONAL_1024, &FUNCTIONAL_2048] {
        assert!(functional::Plan::new(Arc::clone(model), set).is_ok());
    }
}

/// A sum without a range leaves the unit of the scores free, which is half a turn at most.
#[test]
fn scores_that_no_picture_changes_have_a_unit() {
    let layer = Drawn { kind: "dense", outputs: 2, shift: 0, bits: None, weights: vec![0], from: None };
    let model = files("encoding = \"grey\"\nbits = 2", &[layer]).open().unwrap();
    check_specification(&model);
    check_functional(&model, &picture(SIDE, SIDE, &[true; 16]));
}

/// Sixteen weights of which one counts: the ranges of their products add up to sixteen parts, where one is enough.
#[test]
fn few_inputs_that_are_set_need_few_parts() {
    for weights in [vec![1], vec![3, -2, 1], vec![i32::MIN, 1]] {
        let layer = Drawn { kind: "dense", outputs: 1, shift: 0, bits: None, weights, from: None };
        let threshold = "encoding = \"threshold\"\nthreshold = 128\nmax_active = 1";
        let model = files(threshold, &[layer]).open().unwrap();
        check_specification(&model);
        let one: Vec<bool> = (0..16).map(|place| place == 1).collect();
        check_functional(&model, &picture(SIDE, SIDE, &one));
    }
}

/// Words of 31 bits, of which the model uses few, times weights of 32: more than a word holds, if all bits counted.
#[test]
fn wide_words_of_small_values_are_multiplied_in_either_style() {
    let wide =
        Drawn { kind: "dense", outputs: 8, shift: 0, bits: Some(31), weights: vec![1, -1, 2], from: None };
    let rectified = Drawn { kind: "relu", ..wide.clone() };
    let last =
        Drawn { outputs: 2, bits: None, weights: vec![i32::MAX, i32::MIN, i32::MAX - 1], ..wide.clone() };
    for layers in [vec![wide.clone(), last.clone()], vec![wide, rectified, last]] {
        let model = files("encoding = \"grey\"\nbits = 2", &layers).open().unwrap();
        let image = picture(SIDE, SIDE, &(0..16).map(|place| place % 3 == 0).collect::<Vec<_>>());
        let encoded = model.input().encode(&image).unwrap();
        let expected = engine::evaluate(&model, &encoded).unwrap();
        for style in [Style::AsPublished, Style::Optimized] {
            let plan = gates::Plan::new(Arc::clone(&model), &GATES_DEFAULT, style);
            assert_eq!(plan.simulate(&encoded, |_, _| ()).unwrap(), expected, "{style:?}");
        }
    }
}

#[test]
fn results_that_wrap_are_refused_by_the_functional_engine() {
    let wrapping = one_layer(3, "bits = 4\n").open().unwrap();
    let error = functional::Plan::new(wrapping, &FUNCTIONAL_2048).unwrap_err();
    let (layer, text) = ("\"layer 0\"", error.to_string());
    assert!(matches!(error, Error::WrappingLayer { bits: 4, .. }) && text.contains(layer), "{text}");
    let wide = one_layer(3, "bits = 12\n").open().unwrap();
    assert!(functional::Plan::new(wide, &FUNCTIONAL_2048).is_ok());
}

#[test]
fn a_layer_before_the_first_linear_one_is_refused_by_name_on_the_functional_engine() {
    let dense =
        Drawn { kind: "dense", outputs: 2, shift: 0, bits: None, weights: vec![1, -1, 2], from: None };
    for kind in ["max-pool", "relu", "sign"] {
        let layers = [Drawn { kind, ..dense.clone() }, dense.clone()];
        let model = files("encoding = \"grey\"\nbits = 2", &layers).open().unwrap();
        let error = functional::Plan::cheapest(Arc::clone(&model)).unwrap_err();
        assert!(matches!(error, Error::UnsupportedLayer { .. }), "{error}");
        assert!(error.to_string().contains("\"layer 0\"") && error.to_string().contains(kind), "{error}");
        // The gates run it.
        let plan = gates::Plan::new(model, &GATES_DEFAULT, Style::Optimized);
        assert!(plan.estimate().unwrap().bootstraps < 2000);
    }
}
