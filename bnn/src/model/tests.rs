//! The numbers of layers, which are seen from inside only.

#![allow(clippy::unwrap_used)]

use safetensors::{Dtype, serialize, tensor::TensorView};

use super::network::Model;
use crate::layer::kind::Layer;

const MANIFEST: &str = r#"
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

#[test]
fn layers_have_the_numbers_of_the_files() {
    let bytes = |entries: &[i8]| entries.iter().map(|entry| entry.cast_unsigned()).collect::<Vec<u8>>();
    let words = |entries: &[i32]| entries.iter().flat_map(|entry| entry.to_le_bytes()).collect::<Vec<u8>>();
    let tensors = [
        ("hidden.weights", Dtype::I8, vec![2, 4], bytes(&[1, -1, 1, -1, 1, 1, -1, -1])),
        ("hidden.biases", Dtype::I32, vec![2], words(&[-1, 0])),
        ("scores.weights", Dtype::I8, vec![3, 2], bytes(&[3, -5, 127, -128, 0, 1])),
        ("scores.biases", Dtype::I32, vec![3], words(&[7, -1000, 2])),
    ];
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, data)| (*name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    let model = Model::from_bytes(MANIFEST.as_bytes(), &serialize(views, None).unwrap()).unwrap();
    let layers: Vec<&Layer> = model.layers_and_shapes().iter().map(|(layer, _)| layer).collect();
    let [Layer::BinaryDense(hidden), Layer::Dense(scores)] = layers[..] else { panic!("two layers") };
    assert_eq!(hidden.name(), "hidden");
    assert_eq!(hidden.weights().iter().collect::<Vec<_>>(), [[1, -1, 1, -1], [1, 1, -1, -1]]);
    assert_eq!((hidden.weights().rows(), hidden.weights().columns()), (2, 4));
    assert_eq!(hidden.biases(), [-1, 0]);
    assert_eq!((scores.name(), scores.fraction_bits()), ("scores", 2));
    assert_eq!(scores.weights().iter().collect::<Vec<_>>(), [[3, -5], [127, -128], [0, 1]]);
    assert_eq!(scores.biases(), [7, -1000, 2]);
}
