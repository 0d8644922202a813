//! Model folders: a good one is read as it is, and each way to spoil one has its error.

use std::fs;

use bnn::{
    Error,
    encoding::PixelEncoding,
    layer::{InputBound, Layer},
    model::Model,
};
use proptest::prelude::*;
use safetensors::Dtype;
use sha2::{Digest, Sha256};

use crate::toy::{Folder, Tensor, toy};

/// The message that opening the folder fails with, without the path of the temporary folder.
fn message(folder: &Folder) -> String {
    let folder = folder.write();
    let message = Model::open(folder.path()).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message:?} is one line");
    message.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_good_folder_is_read_as_it_is() {
    let model = toy().open().unwrap();
    assert_eq!((model.name(), model.description()), ("toy", "Two neurons on four pixels"));
    let input = model.input();
    let pixels = PixelEncoding::Threshold { threshold: 128, max_active: 3 };
    assert_eq!((input.width(), input.height(), input.pixels()), (2, 2, pixels));

    let layers: Vec<&Layer> = model.layers().collect();
    let [Layer::BinaryDense(hidden), Layer::Dense(scores)] = layers[..] else { panic!("two layers") };
    assert_eq!(hidden.name(), "hidden");
    assert_eq!(hidden.weights().iter().collect::<Vec<_>>(), [[1, -1, 1, -1], [1, 1, -1, -1]]);
    assert_eq!((hidden.weights().rows(), hidden.weights().columns()), (2, 4));
    assert_eq!(hidden.biases(), [-1, 0]);
    assert_eq!((scores.name(), scores.fraction_bits()), ("scores", 2));
    assert_eq!(scores.weights().iter().collect::<Vec<_>>(), [[3, -5], [127, -128], [0, 1]]);
    assert_eq!(scores.biases(), [7, -1000, 2]);

    // By hand: two of three ones on the minuses of neuron 0 and its bias: |2 (-2 - 1) + 1|.
    assert_eq!(hidden.sum_bound(InputBound::Bits { active: 3 }), 5);
    assert_eq!(hidden.sum_bound(InputBound::Signs), 9);
    assert_eq!(scores.sum_bound(), 1255);
}

#[test]
fn the_digest_is_that_of_the_two_files_and_changes_with_them() {
    let digest = |folder: &Folder| folder.open().unwrap().digest();
    let files = [toy().manifest.as_bytes(), &toy().weights()].concat();
    assert_eq!(digest(&toy()), <[u8; 32]>::from(Sha256::digest(files)));

    assert_ne!(digest(&toy()), digest(&toy().replace("max_active = 3", "max_active = 4")));
    let mut other_bias = toy();
    other_bias.tensors[1] = Tensor::biases("hidden.biases", &[-1, 1]);
    assert_ne!(digest(&toy()), digest(&other_bias));
}

#[test]
fn missing_and_too_large_files() {
    let folder = toy().write();
    let weights = folder.path().join("weights.safetensors");
    fs::File::options().write(true).open(&weights).unwrap().set_len((256 << 20) + 1).unwrap();
    assert!(matches!(Model::open(folder.path()), Err(Error::TooLarge { limit, .. }) if limit == 256 << 20));
    fs::remove_file(&weights).unwrap();
    assert!(matches!(Model::open(folder.path()), Err(Error::Read { path, .. }) if path == weights));

    let mut padded = toy();
    padded.manifest.push_str(&"\n".repeat(1 << 20));
    assert_eq!(
        message(&padded),
        "manifest.toml: the content is larger than 1048576 bytes, the most that is read"
    );
}

#[test]
fn every_truncation_of_the_weights_is_an_error() {
    let folder = toy().write();
    let weights = toy().weights();
    for length in 0..weights.len() {
        fs::write(folder.path().join("weights.safetensors"), &weights[..length]).unwrap();
        assert!(Model::open(folder.path()).is_err(), "{length} bytes of {}", weights.len());
    }
}

#[test]
fn every_truncation_of_the_manifest_is_an_error() {
    let folder = toy().write();
    let manifest = toy().manifest;
    let needed = manifest.trim_end().len();
    for length in 0..needed {
        fs::write(folder.path().join("manifest.toml"), &manifest[..length]).unwrap();
        assert!(Model::open(folder.path()).is_err(), "{length} bytes of {needed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A bit flipped in either file: an error on one line, or another model.
    #[test]
    fn every_bit_flip_is_an_error_or_another_model(at: prop::sample::Index, bit in 0..8_u32) {
        let folder = toy().write();
        for (name, mut content) in [("manifest.toml", toy().manifest.into_bytes()), ("weights.safetensors", toy().weights())]
        {
            let whole = content.clone();
            content[at.index(whole.len())] ^= 1_u8 << bit;
            fs::write(folder.path().join(name), &content).unwrap();
            match Model::open(folder.path()) {
                Ok(model) => prop_assert_ne!(model.digest(), toy().open().unwrap().digest()),
                Err(error) => prop_assert!(!error.to_string().contains(char::is_control), "{}", error),
            }
            fs::write(folder.path().join(name), whole).unwrap();
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
    let folder = toy().write();
    for position in 0..toy().manifest.len() {
        let mut manifest = toy().manifest.into_bytes();
        manifest[position] = 0xff;
        fs::write(folder.path().join("manifest.toml"), &manifest).unwrap();
        let error = Model::open(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Manifest { .. }), "byte {position}: {error}");
    }
}

#[test]
fn manifests_that_are_not_of_the_format() {
    let cases = [
        ("format = 1", "format = 2", "model format 2, this program reads format 1"),
        // A newer format is told before the keys it may have added.
        ("format = 1", "format = 2\nnew = 1", "model format 2, this program reads format 1"),
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
        "weights.safetensors: tensor \"hidden.weights\" is U8, expected I8"
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
    let folder = toy().write();
    fs::write(folder.path().join("weights.safetensors"), b"\x08\0\0\0\0\0\0\0\x1b[2J\n\n\n\n").unwrap();
    let error = Model::open(folder.path()).unwrap_err();
    assert!(matches!(error, Error::SafeTensors { .. }));
    assert!(!error.to_string().contains(char::is_control));
}
