//! The oracle against the definition, written down as plainly as can be.

use std::sync::Arc;

use bnn::{
    Error,
    client::EncodingFault,
    data::{IdxFault, IdxImages, IdxLabels},
    engine::{evaluate, trace},
    model::Model,
};
use proptest::{collection::vec, prelude::*};

use crate::toy::{ModelFiles, Open, Tensor, picture, toy};

/// A network of two hidden layers, and a picture for it.
#[derive(Debug, Clone)]
struct Case {
    /// Width, height, outputs of the hidden layers, classes.
    width: usize,
    height: usize,
    outputs: [usize; 3],
    weights: [Vec<i8>; 3],
    biases: [Vec<i32>; 3],
    fraction_bits: u32,
    picture: Vec<bool>,
}

fn cases() -> impl Strategy<Value = Case> {
    (1..=4_usize, 1..=4_usize, [1..=5_usize, 1..=5, 1..=4]).prop_flat_map(|(width, height, outputs)| {
        let pixels = width * height;
        let binary = |length| vec(prop_oneof![Just(-1_i8), Just(1)], length);
        let weights = (
            binary(pixels * outputs[0]),
            binary(outputs[0] * outputs[1]),
            vec(any::<i8>(), outputs[1] * outputs[2]),
        );
        // Biases of a hidden layer about as large as its sums, so that the sum 0 is common.
        let biases =
            (vec(-4..=4_i32, outputs[0]), vec(-4..=4_i32, outputs[1]), vec(any::<i32>(), outputs[2]));
        (weights, biases, 0..=30_u32, vec(any::<bool>(), pixels)).prop_map(
            move |(weights, biases, fraction_bits, picture)| Case {
                width,
                height,
                outputs,
                weights: weights.into(),
                biases: biases.into(),
                fraction_bits,
                picture,
            },
        )
    })
}

impl Case {
    fn model(&self) -> Arc<Model> {
        let Self { width, height, fraction_bits, .. } = self;
        let pixels = width * height;
        let inputs = [pixels, self.outputs[0], self.outputs[1]];
        let mut manifest = format!(
            "format = 1\nname = \"case\"\ndescription = \"random\"\n[input]\nwidth = {width}\nheight = {height}\n\
             encoding = \"threshold\"\nthreshold = 128\nmax_active = {pixels}\n"
        );
        for (layer, kind) in
            ["binary-dense\"", "binary-dense\"", &format!("dense\"\nfraction_bits = {fraction_bits}")]
                .iter()
                .enumerate()
        {
            manifest += &format!(
                "[[layers]]\nname = \"{layer}\"\nkind = \"{kind}\ninputs = {}\noutputs = {}\nweights = \"w{layer}\"\n\
                 biases = \"b{layer}\"\n",
                inputs[layer], self.outputs[layer],
            );
        }
        let mut tensors = Vec::new();
        for (layer, (w, b)) in [("w0", "b0"), ("w1", "b1"), ("w2", "b2")].into_iter().enumerate() {
            tensors.push(Tensor::matrix(w, inputs[layer], &self.weights[layer]));
            tensors.push(Tensor::biases(b, &self.biases[layer]));
        }
        ModelFiles { manifest, tensors }.open().unwrap()
    }

    /// `W x + b` of one layer, with rows of `W` one after the other.
    fn affine(&self, layer: usize, x: &[i64]) -> Vec<i64> {
        let mut sums = Vec::new();
        for output in 0..self.outputs[layer] {
            let mut sum = i64::from(self.biases[layer][output]);
            for (input, value) in x.iter().enumerate() {
                sum += i64::from(self.weights[layer][output * x.len() + input]) * value;
            }
            sums.push(sum);
        }
        sums
    }
}

/// `sign(s + 1/2)`.
fn sign(sum: &i64) -> i64 {
    (*sum as f64 + 0.5).signum() as i64
}

proptest! {
    #[test]
    fn the_oracle_follows_the_definition(case in cases()) {
        let model = case.model();
        let encoded = model.input().encode(&picture(case.width, case.height, &case.picture)).unwrap();
        let (trace, found) = (trace(&model, &encoded).unwrap(), evaluate(&model, &encoded).unwrap());

        let x: Vec<i64> = case.picture.iter().map(|&bit| i64::from(bit)).collect();
        let first = case.affine(0, &x);
        let second = case.affine(1, &first.iter().map(sign).collect::<Vec<_>>());
        let scores = case.affine(2, &second.iter().map(sign).collect::<Vec<_>>());

        let mut label = 0;
        for class in 1..scores.len() {
            if scores[class] > scores[label] {
                label = class;
            }
        }
        prop_assert_eq!(found.label(), label);
        let reals: Vec<f64> = scores.iter().map(|&score| score as f64 / f64::from(1_u32 << case.fraction_bits)).collect();
        prop_assert_eq!(found.reals(), reals);
        prop_assert_eq!(found.integers(), &scores[..]);
        let signs = |sums: &[i64]| sums.iter().map(sign).collect::<Vec<_>>();
        prop_assert_eq!(trace, [signs(&first), signs(&second), scores.clone()]);
    }
}

#[test]
fn the_toy_model_by_hand() {
    let model = toy().open().unwrap();
    let encoded = model.input().encode(&picture(2, 2, &[true, false, false, true])).unwrap();
    let (trace, scores) = (trace(&model, &encoded).unwrap(), evaluate(&model, &encoded).unwrap());
    // Neuron 0: 1 - 1 - 1 = -1, so h = -1; neuron 1: 1 - 1 + 0 = 0, so h = +1 by the half.
    assert_eq!(trace[0], [-1, 1]);
    assert_eq!(scores.integers(), [-3 - 5 + 7, -127 - 128 - 1000, 1 + 2]);
    assert_eq!(scores.reals(), [-0.25, -313.75, 0.75]);
    assert_eq!(scores.label(), 2);
}

#[test]
fn a_picture_encoded_for_another_model_is_refused() {
    let mut folder = toy().replace("width = 2", "width = 3").replace("inputs = 4", "inputs = 6");
    folder.tensors[0] = Tensor::matrix("hidden.weights", 6, &[1; 12]);
    let other = folder.open().unwrap();
    let encoded = other.input().encode(&picture(3, 2, &[false; 6])).unwrap();
    let error = evaluate(&toy().open().unwrap(), &encoded).unwrap_err();
    assert_eq!(error.to_string(), "the encoded image has 6 values, this model reads 4");
}

#[test]
fn pictures_of_a_data_set_are_evaluated_or_refused() {
    // The picture of the hand calculation, of class 2, twice; and one with all four pixels set, one too many.
    let pixels = [[255, 0, 0, 255], [200, 127, 3, 128], [255; 4]].concat();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2][..], &pixels].concat();
    let images = IdxImages::from_bytes(&images).unwrap();
    let labels = IdxLabels::from_bytes(&[0, 0, 8, 1, 0, 0, 0, 3, 2, 1, 2]).unwrap();

    let model = toy().open().unwrap();
    labels.check(images.len(), model.classes()).unwrap();
    let outcome = |(index, &label): (usize, &u8)| {
        let encoded = model.input().encode(&images.image(index).unwrap())?;
        Ok(evaluate(&model, &encoded)?.label() == usize::from(label))
    };
    let outcomes: Vec<bnn::Result<bool>> = labels.as_slice().iter().enumerate().map(outcome).collect();
    assert!(
        matches!(
            outcomes[..],
            [Ok(true), Ok(false), Err(Error::Encoding(EncodingFault::TooManyActive { .. }))]
        ),
        "{outcomes:?}"
    );

    let too_few = IdxLabels::from_bytes(&[0, 0, 8, 1, 0, 0, 0, 2, 2, 1]).unwrap();
    assert!(matches!(
        too_few.check(images.len(), model.classes()),
        Err(Error::Idx(IdxFault::LabelCount { labels: 2, images: 3 }))
    ));
}
