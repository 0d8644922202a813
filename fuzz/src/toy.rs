//! Small models, from which corpora begin.

use std::sync::Arc;

use bnn::model::Model;
use safetensors::{Dtype, tensor::TensorView};

/// A manifest and its weights, as the target `model_folder` reads them: with a zero byte in between.
#[derive(Debug)]
pub struct Files {
    /// `manifest.toml`.
    pub manifest: &'static str,
    /// `weights.safetensors`.
    pub weights: Vec<u8>,
}

type Tensor = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn files(manifest: &'static str, tensors: &[Tensor]) -> Files {
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        (*name, TensorView::new(*dtype, shape.clone(), bytes).expect("as many numbers as the shape has"))
    });
    Files { manifest, weights: safetensors::serialize(views, None).expect("names of their own") }
}

fn small(name: &'static str, shape: &[usize], numbers: &[i8]) -> Tensor {
    (name, Dtype::I8, shape.into(), numbers.iter().map(|number| number.cast_unsigned()).collect())
}

fn words(name: &'static str, numbers: &[i32]) -> Tensor {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    (name, Dtype::I32, vec![numbers.len()], bytes)
}

/// Two binary neurons on four pixels.
pub fn perceptron() -> Files {
    let manifest = r#"format = 1
name = "p"
description = "d"
[input]
width = 2
height = 2
encoding = "threshold"
threshold = 128
max_active = 3
[[layers]]
name = "h"
kind = "binary-dense"
inputs = 4
outputs = 2
weights = "a"
biases = "b"
[[layers]]
name = "s"
kind = "dense"
inputs = 2
outputs = 3
fraction_bits = 2
weights = "c"
biases = "d"
"#;
    let tensors = [
        small("a", &[2, 4], &[1, -1, 1, -1, 1, 1, -1, -1]),
        words("b", &[-1, 0]),
        small("c", &[3, 2], &[3, -5, 127, -128, 0, 1]),
        words("d", &[7, -1000, 2]),
    ];
    files(manifest, &tensors)
}

/// A filter on grey pixels with stride and shift, a pool, a hidden layer, rectified.
pub fn hybrid() -> Files {
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
        small("a", &[2, 2, 2], &[1, -2, 7, 0, 3, -1, 5, 0]),
        words("b", &[-3, 11]),
        small("c", &[2, 2], &[1, -3, 127, 5]),
        words("d", &[4, -100]),
        small("e", &[2, 2], &[3, 0, -5, 1]),
        words("f", &[-4, 19]),
    ];
    files(manifest, &tensors)
}

/// The paper's kind: binary filters on signs and window means, and signs after.
pub fn binarized() -> Files {
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
        small("a", &[1, 3, 3], &[1, -1, 1, 1, 1, -1, -1, 1, 1]),
        words("s", &[113]),
        words("b", &[-40]),
        small("c", &[2, 4], &[1, 2, -3, 4, 0, -1, 9, 9]),
        words("d", &[3, -1]),
    ];
    files(manifest, &tensors)
}

/// The model of two files.
///
/// # Panics
/// If they are none.
pub fn open(files: &Files) -> Arc<Model> {
    let model = Model::from_bytes(files.manifest.as_bytes(), &files.weights);
    Arc::new(model.expect("a good model"))
}
