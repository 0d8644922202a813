//! Models: a good one is read as it is, and each way to spoil one has its error.

use std::sync::Arc;

use bnn::{
    Error,
    client::PixelEncoding,
    engine::functional::Plan,
    model::{Model, ModelFault, ModelFile},
};
use proptest::prelude::*;
use safetensors::Dtype;
use sha2::{Digest, Sha256};
use tfhe_core::{control::Control, parameters::FUNCTIONAL_1024};

use crate::toy::{ModelFiles, Open, Tensor, colours, picture, toy};

/// The message that reading the model fails with, behind the name of the file that it is about.
fn message(folder: &ModelFiles) -> String {
    let Error::Model { file, fault } = folder.open().unwrap_err() else { panic!("an error of a model") };
    let message = format!("{}: {fault}", file.name());
    assert!(!message.contains('\n'), "{message:?} is one line");
    message
}

#[test]
fn a_good_folder_is_read_as_it_is() {
    let model = toy().open().unwrap();
    assert_eq!((model.name(), model.description()), ("toy", "Two neurons on four pixels"));
    let input = model.input();
    let pixels = PixelEncoding::Threshold { threshold: 128, max_active: 3 };
    assert_eq!((input.width(), input.height(), input.pixels()), (2, 2, pixels));

    let layers: Vec<_> = model.layers().collect();
    let [hidden, scores] = &layers[..] else { panic!("two layers") };
    assert_eq!(
        (hidden.name(), hidden.kind(), hidden.inputs(), hidden.outputs()),
        ("hidden", "binary-dense", 4, 2)
    );
    assert_eq!((scores.name(), scores.kind(), scores.inputs(), scores.outputs()), ("scores", "dense", 2, 3));
}

#[test]
fn the_digest_is_that_of_the_two_files_and_changes_with_them() {
    let digest = |folder: &ModelFiles| folder.open().unwrap().digest();
    let files = [toy().manifest.as_bytes(), &toy().weights()].concat();
    assert_eq!(digest(&toy()), <[u8; 32]>::from(Sha256::digest(files)));

    assert_ne!(digest(&toy()), digest(&toy().replace("max_active = 3", "max_active = 4")));
    let mut other_bias = toy();
    other_bias.tensors[1] = Tensor::biases("hidden.biases", &[-1, 1]);
    assert_ne!(digest(&toy()), digest(&other_bias));
}

#[test]
fn too_large_files() {
    let weights = vec![0; (256 << 20) + 1];
    let error = Model::from_bytes(toy().manifest.as_bytes(), &weights).unwrap_err();
    let fault = ModelFault::TooLarge { limit: 256 << 20 };
    assert!(matches!(error, Error::Model { file: ModelFile::Weights, fault: found } if found == fault));

    let mut padded = toy();
    padded.manifest.push_str(&"\n".repeat(1 << 20));
    assert_eq!(
        message(&padded),
        "manifest.toml: the content is larger than 1048576 bytes, the most that is read"
    );
}

#[test]
fn every_truncation_of_the_weights_is_an_error() {
    let (manifest, weights) = (toy().manifest, toy().weights());
    for length in 0..weights.len() {
        let model = Model::from_bytes(manifest.as_bytes(), &weights[..length]);
        assert!(model.is_err(), "{length} bytes of {}", weights.len());
    }
}

#[test]
fn every_truncation_of_the_manifest_is_an_error() {
    let (manifest, weights) = (toy().manifest, toy().weights());
    let needed = manifest.trim_end().len();
    for length in 0..needed {
        let model = Model::from_bytes(&manifest.as_bytes()[..length], &weights);
        assert!(model.is_err(), "{length} bytes of {needed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A bit flipped in either file: an error on one line, or another model.
    #[test]
    fn every_bit_flip_is_an_error_or_another_model(at: prop::sample::Index, bit in 0..8_u32) {
        let whole = [toy().manifest.into_bytes(), toy().weights()];
        for file in 0..2 {
            let mut files = whole.clone();
            let place = at.index(files[file].len());
            files[file][place] ^= 1_u8 << bit;
            match Model::from_bytes(&files[0], &files[1]) {
                Ok(model) => prop_assert_ne!(model.digest(), toy().open().unwrap().digest()),
                Err(error) => prop_assert!(!error.to_string().contains(char::is_control), "{}", error),
            }
        }
    }
}

#[test]
fn a_manifest_has_room_for_more_layers_than_a_network_may_have() {
    let layers = |count: usize| {
        let mut folder = toy();
        folder.manifest.push_str(&"[[layers]]\nname = \"r\"\nkind = \"relu\"\n".repeat(count));
        folder
    };
    assert!(layers(254).open().is_ok());
    assert_eq!(message(&layers(255)), "manifest.toml: manifest: `layers` is 257, expected 0 to 256");
}

#[test]
fn a_byte_that_is_no_text_is_an_error_wherever_it_stands() {
    let weights = toy().weights();
    for position in 0..toy().manifest.len() {
        let mut manifest = toy().manifest.into_bytes();
        manifest[position] = 0xff;
        let error = Model::from_bytes(&manifest, &weights).unwrap_err();
        let is_toml =
            matches!(error, Error::Model { file: ModelFile::Manifest, fault: ModelFault::Toml { .. } });
        assert!(is_toml, "byte {position}: {error}");
    }
}

#[test]
fn manifests_that_are_not_of_the_format() {
    let cases = [
        ("format = 1", "format = 3", "model format 3, this program reads formats up to 2"),
        // A newer format is told before the keys it may have added.
        ("format = 1", "format = 3\nnew = 1", "model format 3, this program reads formats up to 2"),
        ("format = 1", "", "line 1: missing field `format`"),
        ("width = 2", "width = ", "line 7: string values must be quoted, expected literal string"),
        ("width = 2", "width = -2", "input: invalid value: integer `-2`, expected usize"),
        (
            "width = 2",
            "width = 2\ndepth = 3",
            "input: unknown field `depth`, expected `threshold` or `max_active`",
        ),
        ("name = \"toy\"", "title = \"toy\"", "line 3: unknown field `title`"),
        (
            "\"threshold\"",
            "\"sign\"",
            "input: unknown variant `sign`, expected one of `threshold`, `grey`, `sign-and-scale`",
        ),
        ("threshold = 128", "threshold = 256", "input: invalid value: integer `256`, expected u8"),
        (
            "\"dense\"",
            "\"conv\"",
            "layer \"scores\": unknown variant `conv`, expected one of `binary-dense`, `dense`,",
        ),
        // An escape sequence in a file does not reach the terminal.
        ("\"dense\"", r#""\u001b[2J""#, "layer \"scores\": unknown variant ` [2J`, expected"),
        ("outputs = 3", "outputs = 3\nstride = 1", "layer \"scores\": unknown field `stride`"),
        ("weights = \"scores.weights\"", "", "layer \"scores\": missing field `weights`"),
        ("outputs = 2", "outputs = 2\nfraction_bits = 2", "layer \"hidden\": unknown field `fraction_bits`"),
        ("name = \"hidden\"", "", "layer 0 without a name: missing field `name`"),
    ];
    for (from, to, expected) in cases {
        let message = message(&toy().replace(from, to));
        assert!(
            message.starts_with(&format!("manifest.toml: {expected}")),
            "{from:?} to {to:?} gave {message:?}"
        );
    }
}

#[test]
fn manifests_whose_values_are_refused() {
    let cases = [
        ("name = \"toy\"", r#"name = "\u001b[2J""#, "manifest: `name` must be one line of text"),
        ("\"Two neurons on four pixels\"", r#""a\nb""#, "manifest: `description` must be one line of text"),
        ("name = \"hidden\"", r#"name = "a\nb""#, r#"layer "a\nb": `name` must be one line of text"#),
        ("width = 2", "width = 0", "input: `width` is 0, expected 1 to 65536"),
        ("height = 2", "height = 65537", "input: `height` is 65537, expected 1 to 65536"),
        (
            "height = 2",
            "height = 9223372036854775807",
            "input: `height` is 9223372036854775807, expected 1 to 65536",
        ),
        ("max_active = 3", "max_active = 0", "input: `max_active` is 0, expected 1 to 4"),
        ("max_active = 3", "max_active = 5", "input: `max_active` is 5, expected 1 to 4"),
        ("outputs = 3", "outputs = 65537", "layer \"scores\": `outputs` is 65537, expected 1 to 65536"),
        ("inputs = 4", "inputs = 0", "layer \"hidden\": `inputs` is 0, expected 1 to 65536"),
        (
            "fraction_bits = 2",
            "fraction_bits = 31",
            "layer \"scores\": `fraction_bits` is 31, expected 0 to 30",
        ),
        ("inputs = 4", "inputs = 5", "layer \"hidden\": 5 inputs, but 4 values come from before it"),
        ("inputs = 2", "inputs = 3", "layer \"scores\": 3 inputs, but 2 values come from before it"),
        ("width = 2", "width = 3", "layer \"hidden\": 4 inputs, but 6 values come from before it"),
    ];
    for (from, to, expected) in cases {
        assert_eq!(
            message(&toy().replace(from, to)),
            format!("manifest.toml: {expected}"),
            "{from:?} to {to:?}"
        );
    }
}

#[test]
fn what_is_of_format_2_says_so_in_format_1() {
    let layers = [
        ("sum-pool", "size = 1", "sum-pool is of format 2"),
        (
            "convolution",
            "filters = 1\nsize = 1\npadding = 0\nweights = \"w\"\nbiases = \"b\"",
            "`padding` is of format 2",
        ),
        (
            "convolution",
            "filters = 1\nsize = 1\ngroups = 1\nweights = \"w\"\nbiases = \"b\"",
            "`groups` is of format 2",
        ),
        (
            "dense",
            "inputs = 4\noutputs = 1\nsums = [0, 1]\nweights = \"w\"\nbiases = \"b\"",
            "`sums` is of format 2",
        ),
    ];
    for (kind, fields, expected) in layers {
        let layer = format!(
            "[[layers]]\nname = \"new\"\nkind = \"{kind}\"\n{fields}\n\n[[layers]]\nname = \"hidden\""
        );
        let folder = toy().replace("[[layers]]\nname = \"hidden\"", &layer);
        assert_eq!(message(&folder), format!("manifest.toml: layer \"new\": {expected}: say `format = 2`"));
        let in_format_2 = message(&folder.replace("format = 1", "format = 2"));
        assert!(!in_format_2.contains("format 2"), "{in_format_2}");
    }
    for channels in [1, 3] {
        let folder = toy().replace("height = 2", &format!("height = 2\nchannels = {channels}"));
        assert_eq!(message(&folder), "manifest.toml: input: `channels` is of format 2: say `format = 2`");
    }
}

#[test]
fn channels_of_the_input_that_do_not_fit() {
    let one = colours().replace("channels = 3", "channels = 1");
    assert_eq!(
        message(&one),
        "weights.safetensors: tensor \"first.weights\" has shape [2, 3, 1, 1], the manifest gives [2, 1, 1]"
    );
    for (from, to, expected) in [
        ("channels = 3", "channels = 0", "`channels` is 0, expected 1 to 16"),
        ("channels = 3", "channels = 17", "`channels` is 17, expected 1 to 16"),
        ("channels = 3", "channels = -3", "invalid value: integer `-3`, expected usize"),
        ("channels = 3", "channel = 3", "unknown field `channel`, expected `bits`"),
        ("width = 2", "width = 20000", "`channels * width * height` is 120000, expected 1 to 65536"),
        (
            "encoding = \"grey\"\nbits = 3",
            "encoding = \"threshold\"\nthreshold = 9\nmax_active = 1",
            "`channels` is 3, and pictures are encoded as \"threshold\" of 1 channel only (as \"grey\" of 1 to 16)",
        ),
        (
            "encoding = \"grey\"\nbits = 3",
            "encoding = \"sign-and-scale\"\nwindow = 2\nfraction_bits = 8\nbits = 20\nlargest = 9",
            "`channels` is 3, and pictures are encoded as \"sign-and-scale\" of 1 channel only (as \"grey\" of 1 to 16)",
        ),
    ] {
        assert_eq!(message(&colours().replace(from, to)), format!("manifest.toml: input: {expected}"));
    }
}

#[test]
fn a_name_is_that_of_one_layer_from_format_2_on() {
    let twice = toy().replace("name = \"scores\"", "name = \"hidden\"");
    assert!(twice.open().is_ok());
    let twice = twice.replace("format = 1", "format = 2");
    assert_eq!(message(&twice), "manifest.toml: two layers are named \"hidden\"");
}

#[test]
fn convolutions_whose_padding_or_groups_do_not_fit() {
    let fields = [
        ("size = 1\npadding = 1", "padding 1 for filters of size 1: some windows read nothing"),
        ("size = 5\npadding = 1", "size 3 on values of 2 a side"),
        ("size = 1\ngroups = 2", "2 groups of 1 channels and 1 filters"),
    ];
    for (fields, expected) in fields {
        let layer = format!(
            "format = 2\n{}",
            toy().manifest.split_once("format = 1\n").unwrap().1.replacen(
                "[[layers]]",
                &format!("[[layers]]\nname = \"first\"\nkind = \"convolution\"\nfilters = 1\n{fields}\nweights = \"w\"\nbiases = \"b\"\n\n[[layers]]"),
                1
            )
        );
        let folder = ModelFiles { manifest: layer, tensors: toy().tensors };
        assert_eq!(message(&folder), format!("manifest.toml: layer \"first\": {expected}"));
    }
}

#[test]
fn layers_in_another_order() {
    let only_hidden =
        toy().replace("kind = \"dense\"", "kind = \"binary-dense\"").replace("fraction_bits = 2", "");
    let mut no_layers = toy();
    no_layers.manifest.truncate(no_layers.manifest.find("[[layers]]").unwrap());
    no_layers.manifest.insert_str(0, "layers = []\n");
    let mut pooled_last = toy();
    pooled_last.manifest.push_str("\n[[layers]]\nname = \"p\"\nkind = \"max-pool\"\nsize = 1\n");
    for folder in [only_hidden, no_layers, pooled_last] {
        assert_eq!(
            message(&folder),
            "manifest.toml: the last layer must be `dense`, with nothing but `relu` after it"
        );
    }
}

#[test]
fn tensors_that_are_not_the_manifests() {
    let with = |index: usize, tensor: Tensor| {
        let mut folder = toy();
        folder.tensors[index] = tensor;
        message(&folder)
    };

    assert_eq!(
        message(&toy().replace("\"hidden.weights\"", "\"hidden\"")),
        "weights.safetensors: tensor \"hidden\" is missing, or the manifest names it twice"
    );
    let mut tied = toy().replace("\"scores.biases\"", "\"hidden.biases\"");
    tied.tensors.pop();
    assert_eq!(
        message(&tied),
        "weights.safetensors: tensor \"hidden.biases\" is missing, or the manifest names it twice"
    );
    let mut unused = toy();
    unused.tensors.push(Tensor::biases("more", &[1]));
    assert_eq!(message(&unused), "weights.safetensors: tensor \"more\" is not named in the manifest");

    assert_eq!(
        with(0, Tensor { dtype: Dtype::U8, ..toy().tensors[0].clone() }),
        "weights.safetensors: tensor \"hidden.weights\" is U8, expected I8 or I32"
    );
    assert_eq!(
        with(3, Tensor { dtype: Dtype::F32, ..toy().tensors[3].clone() }),
        "weights.safetensors: tensor \"scores.biases\" is F32, expected I32"
    );
    assert_eq!(
        with(0, Tensor { shape: vec![4, 2], ..toy().tensors[0].clone() }),
        "weights.safetensors: tensor \"hidden.weights\" has shape [4, 2], the manifest gives [2, 4]"
    );
    assert_eq!(
        with(1, Tensor::biases("hidden.biases", &[1])),
        "weights.safetensors: tensor \"hidden.biases\" has shape [1], the manifest gives [2]"
    );
    for value in [0, 2, -128] {
        assert_eq!(
            with(0, Tensor::matrix("hidden.weights", 4, &[1, -1, 1, -1, 1, value, -1, -1])),
            format!(
                "weights.safetensors: tensor \"hidden.weights\" is {value} at [1, 1], a binary weight is -1 or 1"
            )
        );
    }
}

#[test]
fn weights_that_are_no_safetensors_file() {
    let weights = b"\x08\0\0\0\0\0\0\0\x1b[2J\n\n\n\n";
    let error = Model::from_bytes(toy().manifest.as_bytes(), weights).unwrap_err();
    assert!(!error.to_string().contains(char::is_control));
    let Error::Model { file, fault } = error else { panic!("an error of a model") };
    assert!(matches!((file, fault), (ModelFile::Weights, ModelFault::SafeTensors { .. })));
}

#[test]
fn weights_that_are_something_else_are_called_so() {
    for (weights, found) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"[..], "a Git LFS pointer"),
        (b"PK\x03\x04 a checkpoint", "a ZIP archive"),
        (b"", "an empty file"),
    ] {
        let error = Model::from_bytes(toy().manifest.as_bytes(), weights).unwrap_err().to_string();
        assert!(error.starts_with(&format!("no safetensors file, but {found}")), "{error}");
    }
}

#[test]
fn what_calibration_found_is_checked() {
    let with = |sums: &str| {
        let hidden = "outputs = 2\nweights = \"hidden.weights\"";
        let calibrated = format!("outputs = 2\nsums = {sums}\nweights = \"hidden.weights\"");
        toy().replace("format = 1", "format = 2").replace(hidden, &calibrated)
    };
    assert!(with("[-3, 3]").open().is_ok() && with("[-3, -3]").open().is_ok());
    for (sums, expected) in [
        ("[3, -3]", "the least and then the greatest"),
        ("[1]", "layer \"hidden\""),
        ("7", "layer \"hidden\""),
    ] {
        let message = message(&with(sums));
        assert!(message.contains(expected), "{message}");
    }
    let relu = toy().replace("format = 1", "format = 2").replace(
        "[[layers]]\nname = \"hidden\"",
        "[[layers]]\nname = \"new\"\nkind = \"relu\"\nsums = [0, 1]\n\n[[layers]]\nname = \"hidden\"",
    );
    assert!(message(&relu).contains("those of a layer with weights"));
    for (format, share, is_read) in
        [(2, "0.5", true), (2, "1.5", false), (2, "nan", false), (1, "0.5", false)]
    {
        let stated = format!("format = {format}\nlabel_changes = {share}");
        let model = toy().replace("format = 1", &stated).open();
        assert_eq!(model.is_ok(), is_read, "{stated}");
        assert_eq!(model.ok().and_then(|model| model.label_changes()), is_read.then_some(0.5));
    }
}

/// The ranges hold all sums of the pictures that they are made of, and an eighth more at either end; the plan's units grow with
/// them.
#[test]
fn calibrated_ranges_are_those_of_the_pictures() {
    let files = bnn::model::ModelFiles::new(toy().manifest.into_bytes(), toy().weights());
    let model = Arc::new(files.model().unwrap());
    // Sums of the first neuron p - q + r - s - 1 and of the second p + q - r - s.
    let pictures = [[true, false, false, false], [false, true, true, false]];
    let encode = |bits: &[bool; 4]| model.input().encode(&picture(2, 2, bits)).unwrap();
    let encoded: Vec<_> = pictures.iter().map(encode).collect();
    let calibrated = bnn::engine::calibrate(&files, &encoded, &Control::default()).unwrap();
    // The least sum is -1, the greatest 1: an eighth of 2 is rounded up.
    let manifest = String::from_utf8(calibrated.manifest().to_vec()).unwrap();
    let manifest: String = manifest.split_whitespace().collect();
    assert!(manifest.contains("sums=[-2,2]"), "{manifest}");
    let plan = |model| Plan::new(Arc::new(model), &FUNCTIONAL_1024).unwrap().margins();
    let (before, after) = (plan(files.model().unwrap()), plan(calibrated.model().unwrap()));
    assert_eq!((after[0].range, after[0].worst_case), ((-2, 2), before[0].range));
    assert!(after[0].noise < before[0].noise, "{} {}", after[0].noise, before[0].noise);
    // Again, of the same: the same.
    assert_eq!(bnn::engine::calibrate(&calibrated, &encoded, &Control::default()).unwrap(), calibrated);
}
