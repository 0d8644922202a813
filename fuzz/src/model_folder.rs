//! Model folders: a manifest, a zero byte, and the file of weights. What is accepted is planned and evaluated too.
//!
//! Bound of the memory: 200 bytes a byte of the manifest (a layer of 30 bytes is a table of strings), eight a byte of the
//! weights (one of 8 bits becomes 32, in vectors that grow), and 1 MiB.

use std::sync::Arc;

use bnn::{
    circuit::Style,
    data::Image,
    engine::{self, functional, gates},
    model::Model,
};
use tfhe_core::parameters::GATES_DEFAULT;

use crate::memory::{MIB, bounded};

/// The most values of all layers, and the most bytes of weights, of networks that are planned and evaluated.
const EVALUATED: usize = 2000;

pub(crate) fn model_folder(data: &[u8]) {
    let at = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    let (manifest, weights) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let bound = 200 * manifest.len() + 8 * weights.len() + MIB;
    let model = match bounded(bound, || Model::from_bytes(manifest, weights)) {
        Ok(model) => Arc::new(model),
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            return;
        }
    };
    let values: usize = model.layers().map(|layer| layer.inputs()).sum();
    if values > EVALUATED || weights.len() > EVALUATED {
        return;
    }
    let (channels, width, height) = (model.input().channels(), model.input().width(), model.input().height());
    let pixels = (0..channels * width * height).map(|place| (place * 37 % 256) as u8);
    let image = Image::new(channels, width, height, pixels.collect());
    let encoded = model.input().encode(&image.expect("as many pixels"));
    let _ = functional::Plan::new(Arc::clone(&model), &tfhe_core::parameters::FUNCTIONAL_2048);
    for style in [Style::Optimized, Style::AsPublished] {
        let plan = gates::Plan::new(Arc::clone(&model), &GATES_DEFAULT, style);
        if let Ok(encoded) = &encoded {
            let expected = engine::evaluate(&model, encoded).expect("an encoded picture has scores");
            let found = plan.simulate(encoded, |_, _| ()).expect("a network has a circuit");
            assert_eq!(found, expected, "circuit and oracle");
        }
    }
}
