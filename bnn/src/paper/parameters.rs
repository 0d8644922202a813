//! The authors' released parameters as a model.
//!
//! "Deep Binarized Convolutional Neural Network Inferences over Encrypted Data" (Zhou, Li, Panaousis, Liang; IEEE
//! CSCloud/EdgeCom 2020) comes with two text files of whitespace-separated integers: `convolution_new.txt` with 3 x 25
//! weight bits (1 for +1, 0 for -1), and `full_connection_new.txt` with 10 x 432 weights in units of 2^-15. The scale of
//! each filter and the biases are printed in the code that is published with them.

use std::ops::RangeInclusive;

use safetensors::{
    Dtype,
    tensor::{TensorView, serialize},
};

use super::fault::{PaperFault, PaperFile};
use crate::{
    error::{Error, Result},
    model::files::ModelFiles,
};

/// The largest file of numbers that is read, in bytes.
const NUMBERS_LIMIT: usize = 1 << 20;
const FILTERS: usize = 3;
const SIDE: usize = 5;
const INPUTS: usize = 432;
const CLASSES: usize = 10;
/// Fraction bits of all fixed-point numbers.
const FRACTION_BITS: u32 = 15;

/// alpha of each filter.
const SCALES: [f64; FILTERS] = [0.197_217, 0.257_060, 0.218_428];
/// b of each filter.
const BIASES: [f64; FILTERS] = [-0.7915, -1.5237, -1.3206];
/// Bias of each score.
const SCORE_BIASES: [f64; CLASSES] =
    [0.0530, 4.5933, 0.4191, -0.4588, -0.6371, 1.5588, -1.1861, 1.8038, -3.5537, -0.9022];

/// The manifest. K is below sqrt(25 x 759) / 25 = 5.51 for any picture of 28 x 28: that of a white square of 5 x 5 on black.
const MANIFEST: &str = r#"format = 1
name = "paper-cnn"
description = "Binarized CNN with the parameters that its authors released"

[input]
width = 28
height = 28
encoding = "sign-and-scale"
window = 5
fraction_bits = 15
bits = 20
largest = 183500

[[layers]]
name = "convolution"
kind = "xnor-convolution"
filters = 3
size = 5
fraction_bits = 15
bits = 25
weights = "convolution.weights"
scales = "convolution.scales"
biases = "convolution.biases"

[[layers]]
name = "rectified"
kind = "relu"

[[layers]]
name = "pooled"
kind = "max-pool"
size = 2

[[layers]]
name = "scores"
kind = "dense"
inputs = 432
outputs = 10
shift = 15
bits = 25
fraction_bits = 15
weights = "scores.weights"
biases = "scores.biases"

[[layers]]
name = "positive"
kind = "relu"
"#;

/// The model of the authors' two files: `convolution_new.txt` and `full_connection_new.txt`.
///
/// # Errors
/// [`Error::Paper`] for a file with other content; [`Error::Model`] where the two are no model.
pub fn import_paper(convolution: &[u8], full_connection: &[u8]) -> Result<ModelFiles> {
    let bits = numbers(PaperFile::Convolution, convolution, FILTERS * SIDE * SIDE, 0..=1)?;
    let weights =
        numbers(PaperFile::FullConnection, full_connection, CLASSES * INPUTS, -(1 << 24)..=1 << 24)?;

    // C++'s conversion to int truncates toward zero, as this one does.
    let fixed = |reals: &[f64]| -> Vec<i32> {
        reals.iter().map(|real| (real * f64::from(FRACTION_BITS).exp2()) as i32).collect()
    };
    let bytes = |words: &[i32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let signs: Vec<u8> = bits.iter().map(|&bit| if bit == 1 { 1 } else { (-1_i8).cast_unsigned() }).collect();
    let tensors = [
        ("convolution.weights", Dtype::I8, vec![FILTERS, SIDE, SIDE], signs),
        ("convolution.scales", Dtype::I32, vec![FILTERS], bytes(&fixed(&SCALES))),
        ("convolution.biases", Dtype::I32, vec![FILTERS], bytes(&fixed(&BIASES))),
        ("scores.weights", Dtype::I32, vec![CLASSES, INPUTS], bytes(&weights)),
        ("scores.biases", Dtype::I32, vec![CLASSES], bytes(&fixed(&SCORE_BIASES))),
    ];
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        (*name, TensorView::new(*dtype, shape.clone(), data).expect("invariant: shapes have as many numbers"))
    });
    let weights = serialize(views, None).expect("invariant: the tensors have names of their own");
    let files = ModelFiles::new(MANIFEST.into(), weights);
    files.model()?;
    Ok(files)
}

/// The integers of a text file, as many as they must be and each within its range.
fn numbers(file: PaperFile, content: &[u8], count: usize, range: RangeInclusive<i32>) -> Result<Vec<i32>> {
    let refuse = |fault| Err(Error::Paper { file, fault });
    if content.len() > NUMBERS_LIMIT {
        return refuse(PaperFault::TooLarge { limit: NUMBERS_LIMIT });
    }
    let mut numbers = Vec::with_capacity(count);
    for (line, text) in content.split(|&byte| byte == b'\n').enumerate() {
        for word in text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            let number = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
            match number.filter(|number| range.contains(number)) {
                Some(number) => numbers.push(number),
                None => {
                    let found = String::from_utf8_lossy(word).chars().take(20).collect();
                    return refuse(PaperFault::Number { line: line + 1, found, range });
                }
            }
        }
    }
    if numbers.len() != count {
        return refuse(PaperFault::NumberCount { found: numbers.len(), expected: count });
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::layer::kind::Layer;

    #[test]
    fn numbers_become_weights_scales_and_biases() {
        let bits = "1 0 1\t1 0\n".repeat(15);
        let weights: String = (0..4320).map(|i| format!("{} ", i * 7 - 9000)).collect();
        let model = import_paper(bits.as_bytes(), weights.as_bytes()).unwrap().model().unwrap();
        let layers: Vec<&Layer> = model.layers_and_shapes().iter().map(|(layer, _)| layer).collect();
        let Layer::XnorConvolution(convolution) = layers[0] else { panic!("first layer") };
        assert_eq!(convolution.weights().row(0)[..5], [1, -1, 1, 1, -1]);
        // 0.197217 x 2^15 = 6462.4, -0.7915 x 2^15 = -25935.9: cut towards zero.
        assert_eq!((convolution.scales()[0], convolution.biases()[0]), (6462, -25935));
        let Layer::Dense(scores) = layers[3] else { panic!("fourth layer") };
        assert_eq!(scores.weights().row(1)[0], 432 * 7 - 9000);
    }
}
