//! The numbers of layers, which are seen from inside only.

#![allow(clippy::unwrap_used)]

use testkit::toys::{hybrid, signs, toy};

use super::network::Model;
use crate::layer::kind::Layer;

#[test]
fn layers_have_the_numbers_of_the_files() {
    let files = toy();
    let model = Model::from_bytes(files.manifest.as_bytes(), &files.weights()).unwrap();
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

/// PyTorch gives filters a dimension for their one channel; and some tools write vectors as rows.
#[test]
fn shapes_as_frameworks_give_them_are_read() {
    for mut files in [hybrid(), signs()] {
        let model = Model::from_bytes(files.manifest.as_bytes(), &files.weights()).unwrap();
        for tensor in &mut files.tensors {
            match *tensor.shape {
                [filters, height, width] => tensor.shape = vec![filters, 1, height, width],
                [length] => tensor.shape = vec![1, length],
                _ => {}
            }
        }
        let other = Model::from_bytes(files.manifest.as_bytes(), &files.weights()).unwrap();
        let layers = |model: &Model| format!("{:?}", model.layers_and_shapes());
        assert_eq!(layers(&other), layers(&model));

        // The same numbers, and not as many filters.
        files.tensors[0].shape.rotate_left(2);
        assert!(Model::from_bytes(files.manifest.as_bytes(), &files.weights()).is_err());
    }
}
