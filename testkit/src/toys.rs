//! Small models: one whose answers are known, and some that have every kind of layer.

use crate::model_files::{ModelFiles, Tensor};

/// A model of 2 x 2 pixels, two hidden neurons and three classes.
pub fn toy() -> ModelFiles {
    let manifest = r#"
format = 1
name = "toy"
description = "Two neurons on four pixels"

[input]
width = 2
height = 2
encoding = "threshold"
threshold = 128
max_active = 3

[[layers]]
name = "hidden"
kind = "binary-dense"
inputs = 4
outputs = 2
weights = "hidden.weights"
biases = "hidden.biases"

[[layers]]
name = "scores"
kind = "dense"
inputs = 2
outputs = 3
fraction_bits = 2
weights = "scores.weights"
biases = "scores.biases"
"#;
    let tensors = vec![
        Tensor::matrix("hidden.weights", 4, &[1, -1, 1, -1, 1, 1, -1, -1]),
        Tensor::biases("hidden.biases", &[-1, 0]),
        Tensor::matrix("scores.weights", 2, &[3, -5, 127, -128, 0, 1]),
        Tensor::biases("scores.biases", &[7, -1000, 2]),
    ];
    ModelFiles::new(manifest, tensors)
}

/// A model of 3 channels of 2 x 2 pixels: two filters that mix the channels, signs, and two classes.
pub fn colours() -> ModelFiles {
    let manifest = r#"
format = 2
name = "colours"
description = "Two filters on three channels"

[input]
width = 2
height = 2
channels = 3
encoding = "grey"
bits = 3

[[layers]]
name = "first"
kind = "convolution"
filters = 2
size = 1
weights = "first.weights"
biases = "first.biases"

[[layers]]
name = "signs"
kind = "sign"

[[layers]]
name = "scores"
kind = "dense"
inputs = 8
outputs = 2
weights = "scores.weights"
biases = "scores.biases"
"#;
    let first =
        Tensor { shape: vec![2, 3, 1, 1], ..Tensor::matrix("first.weights", 3, &[1, 2, -3, -1, 1, 0]) };
    let tensors = vec![
        first,
        Tensor::biases("first.biases", &[0, -1]),
        Tensor::matrix("scores.weights", 8, &[1, 2, 4, 8, 16, 32, 64, 127, 3, -3, 5, -5, 7, -7, 9, -9]),
        Tensor::biases("scores.biases", &[0, 1]),
    ];
    ModelFiles::new(manifest, tensors)
}

/// A perceptron on square pictures, from its weights, row-major.
pub fn perceptron(
    side: usize,
    max_active: usize,
    hidden: (&[i8], &[i32]),
    scores: (&[i8], &[i32]),
) -> ModelFiles {
    let (inputs, neurons, classes) = (side * side, hidden.1.len(), scores.1.len());
    let manifest = toy()
        .manifest
        .replace("width = 2", &format!("width = {side}"))
        .replace("height = 2", &format!("height = {side}"))
        .replace("max_active = 3", &format!("max_active = {max_active}"))
        .replace("inputs = 4\noutputs = 2", &format!("inputs = {inputs}\noutputs = {neurons}"))
        .replace("inputs = 2\noutputs = 3", &format!("inputs = {neurons}\noutputs = {classes}"));
    let tensors = vec![
        Tensor::matrix("hidden.weights", inputs, hidden.0),
        Tensor::biases("hidden.biases", hidden.1),
        Tensor::matrix("scores.weights", neurons, scores.0),
        Tensor::biases("scores.biases", scores.1),
    ];
    ModelFiles::new(manifest, tensors)
}

/// Classes of [`counting`].
pub const CLASSES: usize = 10;
/// The side of its pictures, in pixels.
pub const SIDE: usize = 28;
const NEURONS: usize = 16;

/// A model whose label noise cannot turn. Models with another `name` have another digest.
///
/// Neuron j fires from 20 + 20 j set pixels on, and class c scores highest where the neurons 0 to c fire: the [picture](pixels)
/// of class c has 30 + 20 c set pixels, half a step from either neighbour, which is many times the noise.
pub fn counting(name: &str) -> ModelFiles {
    let thresholds: Vec<i32> = (0..NEURONS as i32).map(|j| -20 - 20 * j).collect();
    let score = |class: usize, neuron: usize| if neuron <= class { 8_i8 } else { -8 };
    let scores: Vec<i8> =
        (0..CLASSES).flat_map(|class| (0..NEURONS).map(move |neuron| score(class, neuron))).collect();
    let files = perceptron(SIDE, 400, (&[1; NEURONS * SIDE * SIDE], &thresholds), (&scores, &[0; CLASSES]));
    files
        .replace("name = \"toy\"", &format!("name = \"{name}\""))
        .replace("Two neurons on four pixels", "Counts pixels")
        .replace("fraction_bits = 2", "fraction_bits = 3")
}

/// The picture of a class of [`counting`]: grey values, row by row.
pub fn pixels(class: usize) -> Vec<u8> {
    (0..SIDE * SIDE).map(|i| if i < 30 + 20 * class { 255 } else { 0 }).collect()
}

/// The side of the pictures of [`signs`], in pixels.
pub const SIGN_SIDE: usize = 3;

/// A model that reads pictures of 3 x 3 as the paper's does, with magnitudes of 20 bits, of which 4 can vary.
pub fn signs() -> ModelFiles {
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
    let tensors = [
        Tensor::small("convolution.weights", &[1, 2, 2], &[1, -1, -1, 1]),
        Tensor::biases("convolution.scales", &[3]),
        Tensor::biases("convolution.biases", &[-1]),
        Tensor::small("scores.weights", &[2, 4], &[1, 2, -1, 3, -2, 1, 1, -1]),
        Tensor::biases("scores.biases", &[5, -7]),
    ];
    ModelFiles::new(manifest, tensors)
}

/// A filter on grey pixels with stride and shift, a pool, a hidden layer, rectified.
pub fn hybrid() -> ModelFiles {
    let manifest = r#"format = 1
name = "h"
description = "d"
[input]
width = 3
height = 3
encoding = "grey"
bits = 2
[[layers]]
name = "c"
kind = "convolution"
filters = 2
size = 2
stride = 1
shift = 1
weights = "a"
biases = "b"
[[layers]]
name = "p"
kind = "max-pool"
size = 2
[[layers]]
name = "h"
kind = "dense"
inputs = 2
outputs = 2
shift = 2
weights = "c"
biases = "d"
[[layers]]
name = "r"
kind = "relu"
[[layers]]
name = "s"
kind = "dense"
inputs = 2
outputs = 2
bits = 9
weights = "e"
biases = "f"
"#;
    let tensors = [
        Tensor::small("a", &[2, 2, 2], &[1, -2, 7, 0, 3, -1, 5, 0]),
        Tensor::biases("b", &[-3, 11]),
        Tensor::small("c", &[2, 2], &[1, -3, 127, 5]),
        Tensor::biases("d", &[4, -100]),
        Tensor::small("e", &[2, 2], &[3, 0, -5, 1]),
        Tensor::biases("f", &[-4, 19]),
    ];
    ModelFiles::new(manifest, tensors)
}

/// The paper's kind: binary filters on signs and window means, and signs after.
pub fn binarized() -> ModelFiles {
    let manifest = r#"format = 1
name = "b"
description = "d"
[input]
width = 4
height = 4
encoding = "sign-and-scale"
window = 3
fraction_bits = 8
bits = 12
largest = 2047
[[layers]]
name = "x"
kind = "xnor-convolution"
filters = 1
size = 3
fraction_bits = 8
bits = 20
weights = "a"
scales = "s"
biases = "b"
[[layers]]
name = "g"
kind = "sign"
[[layers]]
name = "s"
kind = "dense"
inputs = 4
outputs = 2
weights = "c"
biases = "d"
[[layers]]
name = "r"
kind = "relu"
"#;
    let tensors = [
        Tensor::small("a", &[1, 3, 3], &[1, -1, 1, 1, 1, -1, -1, 1, 1]),
        Tensor::biases("s", &[113]),
        Tensor::biases("b", &[-40]),
        Tensor::small("c", &[2, 4], &[1, 2, -3, 4, 0, -1, 9, 9]),
        Tensor::biases("d", &[3, -1]),
    ];
    ModelFiles::new(manifest, tensors)
}
