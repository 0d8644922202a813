//! A small model whose label noise cannot turn, and pictures for it.
//!
//! Neuron j fires from 20 + 20 j set pixels on, and class c scores highest where the neurons 0 to c fire: the picture
//! of class c has 30 + 20 c set pixels, half a step from either neighbour, which is many times the noise.

use std::{fs, path::Path};

use image::GrayImage;
use safetensors::{Dtype, tensor::TensorView};

pub(crate) const CLASSES: usize = 10;
pub(crate) const SIDE: usize = 28;
const NEURONS: usize = 16;

/// Writes the model to a new folder; models with another `name` have another digest.
pub(crate) fn write_model(folder: &Path, name: &str) {
    fs::create_dir(folder).unwrap();
    let (pixels, neurons, classes) = (SIDE * SIDE, NEURONS, CLASSES);
    let manifest = format!(
        r#"format = 1
name = "{name}"
description = "Counts pixels"
[input]
width = {SIDE}
height = {SIDE}
encoding = "threshold"
threshold = 128
max_active = 400
[[layers]]
name = "hidden"
kind = "binary-dense"
inputs = {pixels}
outputs = {neurons}
weights = "hidden.weights"
biases = "hidden.biases"
[[layers]]
name = "scores"
kind = "dense"
inputs = {neurons}
outputs = {classes}
fraction_bits = 3
weights = "scores.weights"
biases = "scores.biases"
"#
    );
    fs::write(folder.join("manifest.toml"), manifest).unwrap();

    let thresholds: Vec<u8> = (0..NEURONS as i32).flat_map(|j| (-20 - 20 * j).to_le_bytes()).collect();
    let score = |class: usize, neuron: usize| if neuron <= class { 8_i8 } else { -8 };
    let scores: Vec<u8> = (0..CLASSES)
        .flat_map(|class| (0..NEURONS).map(move |neuron| score(class, neuron).cast_unsigned()))
        .collect();
    let tensors = [
        ("hidden.weights", Dtype::I8, vec![neurons, pixels], vec![1; neurons * pixels]),
        ("hidden.biases", Dtype::I32, vec![neurons], thresholds),
        ("scores.weights", Dtype::I8, vec![classes, neurons], scores),
        ("scores.biases", Dtype::I32, vec![classes], vec![0; 4 * classes]),
    ];
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| (*name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
    fs::write(folder.join("weights.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
}

/// The side of the pictures of [`write_sign_model`].
pub(crate) const SIGN_SIDE: usize = 3;

/// Writes a model that reads pictures of 3 x 3 as the paper's does, with magnitudes of 20 bits, of which 4 can vary.
pub(crate) fn write_sign_model(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let manifest = r#"format = 1
name = "signs"
description = "One filter on nine pixels"
[input]
width = 3
height = 3
encoding = "sign-and-scale"
window = 2
fraction_bits = 2
bits = 20
largest = 12
[[layers]]
name = "convolution"
kind = "xnor-convolution"
filters = 1
size = 2
fraction_bits = 2
bits = 12
weights = "convolution.weights"
scales = "convolution.scales"
biases = "convolution.biases"
[[layers]]
name = "scores"
kind = "dense"
inputs = 4
outputs = 2
bits = 12
fraction_bits = 2
weights = "scores.weights"
biases = "scores.biases"
"#;
    fs::write(folder.join("manifest.toml"), manifest).unwrap();
    let signed = |values: &[i8]| values.iter().map(|value| value.cast_unsigned()).collect::<Vec<u8>>();
    let words = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let tensors = [
        ("convolution.weights", Dtype::I8, vec![1, 2, 2], signed(&[1, -1, -1, 1])),
        ("convolution.scales", Dtype::I32, vec![1], words(&[3])),
        ("convolution.biases", Dtype::I32, vec![1], words(&[-1])),
        ("scores.weights", Dtype::I8, vec![2, 4], signed(&[1, 2, -1, 3, -2, 1, 1, -1])),
        ("scores.biases", Dtype::I32, vec![2], words(&[5, -7])),
    ];
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| (*name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
    fs::write(folder.join("weights.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
}

/// The picture of a class.
pub(crate) fn pixels(class: usize) -> Vec<u8> {
    (0..SIDE * SIDE).map(|i| if i < 30 + 20 * class { 255 } else { 0 }).collect()
}

/// A picture that is too bright for the model.
pub(crate) fn white() -> Vec<u8> {
    vec![255; SIDE * SIDE]
}

/// Writes a square picture as PNG or BMP, by the name's extension.
pub(crate) fn write_picture(path: &Path, pixels: &[u8]) {
    let side = pixels.len().isqrt() as u32;
    GrayImage::from_raw(side, side, pixels.into()).unwrap().save(path).unwrap();
}

/// Writes pictures as an IDX file.
pub(crate) fn write_idx_images(path: &Path, pictures: &[Vec<u8>]) {
    let side = SIDE as u32;
    let header = [0x803, pictures.len() as u32, side, side].map(u32::to_be_bytes);
    fs::write(path, [header.concat(), pictures.concat()].concat()).unwrap();
}

/// Writes labels as an IDX file.
pub(crate) fn write_idx_labels(path: &Path, labels: &[u8]) {
    let header = [0x801, labels.len() as u32].map(u32::to_be_bytes);
    fs::write(path, [&header.concat(), labels].concat()).unwrap();
}
