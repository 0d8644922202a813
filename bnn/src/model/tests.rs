//! The numbers of layers, which are seen from inside only.

#![allow(clippy::unwrap_used)]

use testkit::toys::toy;

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
