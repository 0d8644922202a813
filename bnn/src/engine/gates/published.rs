//! Units that compute as the paper's system does, for its figures: words of fixed width, Baugh-Wooley multipliers whose
//! constant bits fold, ripple carries of five-gate adders, layers one after the other. docs/circuits.md defines each circuit
//! and compares the count of gates with the published times.

use super::unit::{
    Reads, Units, added, clipped, greatest, looked_up, pooled, rectified, scaled, score_bits, sign, signs,
    total,
};
use crate::{
    circuit::{
        arithmetic::{
            adders::ripple,
            columns::Sign,
            multiply::{baugh_wooley, multiply_constant},
            sums::{popcount, subtract, sum},
        },
        bit::Bit,
        netlist::Netlist,
        word::Word,
    },
    client::shape::Shape,
    layer::{binary_dense::BinaryDense, dense::Dense, kind::Layer, xnor_convolution::XnorConvolution},
    model::network::Model,
};

/// Words that a unit of small circuits leaves.
const UNIT_WORDS: usize = 72;
/// Inputs that a unit of a long sum adds.
const UNIT_INPUTS: usize = 48;

/// The units of a network.
pub(super) fn units(model: &Model) -> Units {
    let inputs = model.input().value_count();
    let mut units = Units::new(inputs);
    let picture: Vec<usize> = (0..inputs).collect();
    // Of what each layer gives.
    let mut given: Vec<Vec<usize>> = Vec::new();
    for (index, (layer, shape)) in model.layers_and_shapes().iter().enumerate() {
        let places = model.reads(index).map_or(&picture, |layer| &given[layer]);
        let results = match layer {
            Layer::Add(add) => added(&mut units, index, add, (places, &given[add.from]), UNIT_WORDS),
            Layer::XnorConvolution(layer) => xnor_convolution(&mut units, index, layer, *shape, places),
            Layer::Relu(_) => rectified(&mut units, index, places, UNIT_WORDS),
            Layer::MaxPool(layer) => pooled(&mut units, index, layer, *shape, places, UNIT_WORDS, greatest),
            Layer::SumPool(layer) => pooled(&mut units, index, layer, *shape, places, UNIT_WORDS, total),
            Layer::Dense(layer) => dense(&mut units, index, layer, places),
            Layer::Scale(scale) => scaled(&mut units, index, scale, places, UNIT_WORDS),
            Layer::Table(table) => looked_up(&mut units, index, table, places),
            Layer::Clip(clip) => clipped(&mut units, index, clip, places, UNIT_WORDS),
            Layer::Sign(_) => signs(&mut units, index, places),
            Layer::BinaryDense(layer) => binary_dense(&mut units, index, layer, places),
            Layer::Convolution(layer) => {
                let output = layer.output(*shape);
                let mut results = Vec::new();
                for place in 0..output.values() {
                    let (row, column) = (place / output.width % output.height, place % output.width);
                    let filter = place / (output.width * output.height);
                    let taps = layer.taps(*shape, layer.group_of(filter), row, column);
                    let weights = layer.weights().row(filter);
                    let (weights, reads): (Vec<i32>, Vec<usize>) =
                        taps.into_iter().map(|(index, place)| (weights[index], places[place])).unzip();
                    let (bias, shift) = (layer.biases()[filter], layer.shift());
                    results.extend(units.push(index, reads, 1, move |netlist, words| {
                        vec![affine(netlist, &weights, bias, shift, words)]
                    }));
                }
                results
            }
        };
        units.finish_layer(index, &results);
        given.push(results);
    }
    units.score_bits = score_bits(model);
    units
}

/// d by XNOR and a count; K d and its product with alpha by Baugh and Wooley, cut to the word; plus b.
fn xnor_convolution(
    units: &mut Units,
    layer: usize,
    convolution: &XnorConvolution,
    picture: Shape,
    places: &[usize],
) -> Vec<usize> {
    let output = convolution.output(picture);
    let mut results = Vec::new();
    for (filter, row) in
        (0..output.channels).flat_map(|filter| (0..output.height).map(move |row| (filter, row)))
    {
        let mut reads = Reads::default();
        let mut index = |place: usize| reads.index(places[place]);
        let windows: Vec<(Vec<usize>, usize)> = (0..output.width)
            .map(|column| {
                let signs = convolution.window(picture, row, column).into_iter().map(&mut index).collect();
                (signs, index(picture.values() + row * output.width + column))
            })
            .collect();
        let convolution = convolution.clone();
        results.extend(units.push(layer, reads.places, windows.len(), move |netlist, words| {
            let weights = convolution.weights().row(filter);
            let (alpha, bias) = (convolution.scales()[filter], convolution.biases()[filter]);
            let window = |(signs, magnitude): &(Vec<usize>, usize)| {
                let signs: Vec<Bit> = signs.iter().map(|&sign| words[sign].bit(0)).collect();
                let scaled = xnor_window(netlist, weights, &signs, &words[*magnitude], &convolution, alpha);
                let bias = Word::constant(bias.into()).extended(convolution.bits());
                Word::signed(ripple(netlist, &scaled, &bias, Bit::FALSE))
            };
            windows.iter().map(window).collect()
        }));
    }
    results
}

/// Bits f.. of K d alpha.
fn xnor_window(
    netlist: &mut Netlist,
    weights: &[i32],
    signs: &[Bit],
    magnitude: &Word,
    convolution: &XnorConvolution,
    alpha: i32,
) -> Vec<Bit> {
    let equal: Vec<Bit> = signs.iter().zip(weights).map(|(&bit, &w)| bit.negate_if(w < 0)).collect();
    let ones = popcount(netlist, &equal).shifted_left(1);
    let d = subtract(netlist, &ones, &Word::constant(weights.len() as i64));
    let (n, bits) = (magnitude.width().max(d.width()), convolution.bits());
    let product = baugh_wooley(netlist, &magnitude.extended(n), &d.extended(n));
    // The model's range keeps the product in the word.
    let product = Word::signed(product).extended(bits);
    let alpha = Word::constant(alpha.into()).extended(bits);
    let shift = convolution.fraction_bits() as usize;
    baugh_wooley(netlist, &product, &alpha)[shift..shift + bits].to_vec()
}

/// Bits of the widest word.
const WIDEST: usize = 63;

/// With a fixed width: products of twice the width (or of the inputs', if they have more), added up one after the other. Without:
/// widths by ranges. Words that would be wider than any are cut: what a layer may sum up to fits (`model::chain`).
fn dense(units: &mut Units, layer: usize, dense: &Dense, places: &[usize]) -> Vec<usize> {
    (0..dense.weights().rows())
        .flat_map(|output| {
            let Some(bits) = dense.bits() else {
                let dense = dense.clone();
                return units.push(layer, places.to_vec(), 1, move |netlist, words| {
                    let bias = dense.biases()[output];
                    vec![affine(netlist, dense.weights().row(output), bias, dense.shift(), words)]
                });
            };
            let shift = dense.shift() as usize;
            let mut sum: Vec<usize> = Vec::new();
            let last = places.len().div_ceil(UNIT_INPUTS) - 1;
            for (index, part) in places.chunks(UNIT_INPUTS).enumerate() {
                let reads = part.iter().chain(&sum).copied().collect();
                let (dense, first, count) = (dense.clone(), index * UNIT_INPUTS, part.len());
                sum = units.push(layer, reads, 1, move |netlist, words| {
                    let weights = &dense.weights().row(output)[first..first + count];
                    let (words, sum) = words.split_at(count);
                    let constants: Vec<Word> =
                        weights.iter().map(|&weight| Word::constant(weight.into())).collect();
                    let n = words.iter().chain(&constants).map(Word::width).fold(bits, usize::max);
                    let whole = (2 * n).max(shift + bits).min(WIDEST);
                    let mut total = sum.first().map_or(vec![Bit::FALSE; whole], |sum| sum.extended(whole));
                    for (weight, word) in constants.iter().zip(words) {
                        let mut product = baugh_wooley(netlist, &word.extended(n), &weight.extended(n));
                        product.truncate(WIDEST);
                        total = ripple(netlist, &total, &Word::signed(product).extended(whole), Bit::FALSE);
                    }
                    if index < last {
                        return vec![Word::signed(total)];
                    }
                    let bias = Word::constant(dense.biases()[output].into()).extended(bits);
                    vec![Word::signed(ripple(netlist, &total[shift..shift + bits], &bias, Bit::FALSE))]
                });
            }
            sum
        })
        .collect()
}

/// h = +-1 by the sign of W x + b.
fn binary_dense(units: &mut Units, layer: usize, dense: &BinaryDense, places: &[usize]) -> Vec<usize> {
    (0..dense.weights().rows())
        .flat_map(|output| {
            let dense = dense.clone();
            units.push(layer, places.to_vec(), 1, move |netlist, words| {
                let bias = Word::constant(dense.biases()[output].into());
                let terms = dense.weights().row(output).iter().map(|&w| Sign::of(w.into())).zip(words);
                let terms: Vec<(Sign, &Word)> = terms.chain([(Sign::Plus, &bias)]).collect();
                vec![sign(&sum(netlist, &terms))]
            })
        })
        .collect()
}

/// Bits of a value that a layer multiplies, and of the sum: a model's values fit (`model::chain`), whatever the words of a layer of
/// fixed width could hold.
const VALUE_BITS: usize = 31;
const SUM_BITS: usize = 52;

/// floor(w x / 2^shift) + b.
fn affine(netlist: &mut Netlist, row: &[i32], bias: i32, shift: u32, words: &[Word]) -> Word {
    let products: Vec<Word> = row
        .iter()
        .zip(words)
        .filter(|&(&weight, _)| weight != 0)
        .map(|(&weight, word)| {
            let is_wide = word.width() > VALUE_BITS;
            let cut = is_wide.then(|| Word::signed(word.extended(VALUE_BITS)));
            multiply_constant(netlist, cut.as_ref().unwrap_or(word), weight.into())
        })
        .collect();
    let largest: i128 =
        products.iter().map(|word| i128::from(word.low()).abs().max(word.high().into())).sum();
    let total = if largest < 1 << (WIDEST - 1) {
        let terms: Vec<(Sign, &Word)> = products.iter().map(|word| (Sign::Plus, word)).collect();
        sum(netlist, &terms)
    } else {
        Word::signed(products.iter().fold(vec![Bit::FALSE; SUM_BITS], |total, product| {
            ripple(netlist, &total, &product.extended(SUM_BITS), Bit::FALSE)
        }))
    };
    let total = total.shifted_right(shift);
    sum(netlist, &[(Sign::Plus, &total), (Sign::Plus, &Word::constant(bias.into()))])
}
