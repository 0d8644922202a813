//! ONNX files. What is read of a small network is evaluated, and becomes integers.
//!
//! Bound of the memory: 400 bytes a byte of the file (a number of 8 bits becomes one of 64, in up to 16 constants and layers, and
//! in vectors that grow), and 64 MiB.

use bnn::import::{PixelScale, RealNetwork};
use tfhe_core::control::Control;

use crate::memory::{MIB, bounded};

/// The most bytes of networks that become integers, and the largest side of their pictures.
const EVALUATED: usize = 4000;
const MOST_SIDE: usize = 16;

pub(crate) fn onnx(data: &[u8]) {
    let read = || RealNetwork::from_onnx(data, PixelScale { black: -0.5, white: 2.0 });
    let network = match bounded(400 * data.len() + 64 * MIB, read) {
        Ok(network) => network,
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            return;
        }
    };
    let (channels, width, height) = network.picture();
    if data.len() > EVALUATED || width.max(height) > MOST_SIDE {
        return;
    }
    let picture: Vec<f64> = (0..channels * width * height).map(|place| (place * 37 % 256) as f64 / 255.0).collect();
    assert_eq!(network.evaluate(&picture).len(), network.classes());
    if let Ok(files) = network.to_integers(("fuzzed", "Of a fuzzer"), &network.ranges(&[picture], &Control::default()).expect("it is never cancelled"), &[8, 4]) {
        assert_eq!(files.model().expect("it was a model when it was made").classes(), network.classes());
    }
}
