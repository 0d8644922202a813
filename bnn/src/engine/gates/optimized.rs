//! Units with few bootstraps.
//!
//! * Maximum and rectifier change places, and a maximum is taken before what is monotone: the scale of an XNOR
//!   convolution, which is not negative, rounded down, plus a bias, then rectified.
//! * Where a rectifier follows, the count d of an XNOR window is cut off below: the greatest d0 for which every
//!   magnitude K gives floor(K d0 alpha / 2^f) + b <= 0 stands for all d <= d0, because the result is 0 in any case. With
//!   d = 2 e + d0 the product K d has as many rows as e has bits: four, not six.
//! * Every sum is carry-save, with constants folded in; multiples of a number that several outputs need are made once.
//! * A long sum is cut into units; between them it is two rows, not carried through.

use super::unit::{
    Reads, Units, added, clipped, greatest, looked_up, pooled, rectified, scaled, score_bits, sign, signs,
    total,
};
use crate::{
    circuit::{
        arithmetic::{
            columns::{Columns, Sign},
            compare::{Shape as Comparison, max_of, relu},
            multiply::add_multiples,
        },
        bit::Bit,
        netlist::Netlist,
        word::{Word, width},
    },
    client::shape::Shape,
    layer::{
        binary_dense::BinaryDense, convolution::Convolution, dense::Dense, kind::Layer,
        xnor_convolution::XnorConvolution,
    },
    model::network::Model,
};

/// Bits that one unit of a long sum adds, about: a quarter of a minute's work on two cores.
const UNIT_BITS: usize = 20_000;
/// Words that a unit rectifies.
const UNIT_WORDS: usize = 512;

/// The units of a network.
pub(super) fn units(model: &Model) -> Units {
    let inputs = model.input().value_count();
    let mut units = Units::new(inputs);
    let picture: Vec<usize> = (0..inputs).collect();
    let layers = model.layers_and_shapes();
    // Of what each layer gives that is not fused with the next.
    let mut given: Vec<Vec<usize>> = vec![Vec::new(); layers.len()];
    let mut index = 0;
    while let Some((layer, shape)) = layers.get(index) {
        // What another layer reads is not fused.
        let after =
            |index: usize| layers.get(index + 1).filter(|_| !model.is_kept(index)).map(|(layer, _)| layer);
        let next = after(index);
        let places = model.reads(index).map_or(&picture, |layer| &given[layer]);
        let (last, result) = match layer {
            Layer::XnorConvolution(convolution) => {
                let after = [next, next.and_then(|_| after(index + 1))];
                let (fused, rectified, pool) = match after {
                    [Some(Layer::Relu(_)), Some(Layer::MaxPool(pool))]
                    | [Some(Layer::MaxPool(pool)), Some(Layer::Relu(_))] => (2, true, pool.size()),
                    [Some(Layer::Relu(_)), _] => (1, true, 1),
                    [Some(Layer::MaxPool(pool)), _] => (1, false, pool.size()),
                    _ => (0, false, 1),
                };
                let fusion = Fusion { convolution: convolution.clone(), picture: *shape, pool, rectified };
                (index + fused, fusion.units(&mut units, index, places))
            }
            Layer::Relu(_) => match next {
                Some(Layer::MaxPool(pool)) => {
                    let pooled = pooled(&mut units, index, pool, *shape, places, UNIT_WORDS, greatest);
                    (index + 1, rectified(&mut units, index, &pooled, UNIT_WORDS))
                }
                _ => (index, rectified(&mut units, index, places, UNIT_WORDS)),
            },
            Layer::MaxPool(pool) => {
                (index, pooled(&mut units, index, pool, *shape, places, UNIT_WORDS, greatest))
            }
            Layer::SumPool(pool) => {
                (index, pooled(&mut units, index, pool, *shape, places, UNIT_WORDS, total))
            }
            Layer::Add(add) => {
                let words = (&places[..], &given[add.from][..]);
                (index, added(&mut units, index, add, words, UNIT_WORDS))
            }
            Layer::Scale(scale) => (index, scaled(&mut units, index, scale, places, UNIT_WORDS)),
            Layer::Table(table) => (index, looked_up(&mut units, index, table, places)),
            Layer::Clip(clip) => (index, clipped(&mut units, index, clip, places, UNIT_WORDS)),
            Layer::Sign(_) => (index, signs(&mut units, index, places)),
            Layer::BinaryDense(layer) => (index, binary_dense(&mut units, index, layer, places)),
            Layer::Convolution(layer) => (index, convolution(&mut units, index, layer, *shape, places)),
            Layer::Dense(layer) => (index, dense(&mut units, index, layer, places)),
        };
        units.finish_layer(last, &result);
        given[last] = result;
        index = last + 1;
    }
    units.score_bits = score_bits(model);
    units
}

/// An XNOR convolution with what follows it.
#[derive(Clone)]
struct Fusion {
    convolution: XnorConvolution,
    picture: Shape,
    /// The side of the squares whose maximum is taken; 1 for none.
    pool: usize,
    rectified: bool,
}

impl Fusion {
    /// A unit a row of the result.
    fn units(self, units: &mut Units, layer: usize, places: &[usize]) -> Vec<usize> {
        let windows = self.convolution.output(self.picture);
        let result =
            Shape { height: windows.height / self.pool, width: windows.width / self.pool, ..windows };
        let signs = self.picture.values();
        let mut results = vec![0; result.values()];
        for row in 0..result.height {
            // For each cell its windows: their signs, in the order of the weights, and their magnitude.
            let mut reads = Reads::default();
            let mut cells = Vec::new();
            for column in 0..result.width {
                let window = |index: usize| {
                    let (i, j) =
                        (row * self.pool + index / self.pool, column * self.pool + index % self.pool);
                    let bits = self.convolution.window(self.picture, i, j);
                    (bits, signs + i * windows.width + j)
                };
                let cell: Vec<(Vec<usize>, usize)> = (0..self.pool * self.pool)
                    .map(window)
                    .map(|(bits, magnitude)| {
                        let bits = bits.into_iter().map(|place| reads.index(places[place])).collect();
                        (bits, reads.index(places[magnitude]))
                    })
                    .collect();
                cells.push(cell);
            }
            let fusion = self.clone();
            let made =
                units.push(layer, reads.places, result.channels * result.width, move |netlist, words| {
                    let filters = 0..fusion.convolution.weights().rows();
                    let outputs = filters.flat_map(|filter| cells.iter().map(move |cell| (filter, cell)));
                    outputs.map(|(filter, cell)| fusion.cell(netlist, words, filter, cell)).collect()
                });
            for (index, place) in made.into_iter().enumerate() {
                results[result.place(index / result.width, row, index % result.width)] = place;
            }
        }
        results
    }

    /// The result of one filter on the windows of one cell.
    fn cell(
        &self,
        netlist: &mut Netlist,
        words: &[Word],
        filter: usize,
        cell: &[(Vec<usize>, usize)],
    ) -> Word {
        let weights = self.convolution.weights().row(filter);
        let (alpha, bias) =
            (i64::from(self.convolution.scales()[filter]), i64::from(self.convolution.biases()[filter]));
        let shift = self.convolution.fraction_bits();
        let products: Vec<Word> = cell
            .iter()
            .map(|(bits, magnitude)| {
                let magnitude = &words[*magnitude];
                // XNOR with a known weight is free.
                let equal: Vec<Bit> = bits
                    .iter()
                    .zip(weights)
                    .map(|(&bit, &w)| if w > 0 { words[bit].bit(0) } else { !words[bit].bit(0) })
                    .collect();
                let count = weights.len() as i64;
                let zero = |d: &i64| {
                    let greatest = magnitude.high() * (*d).max(0);
                    ((greatest * alpha) >> shift) + bias <= 0
                };
                let cut = (0..=count).map(|misses| count - 2 * misses).find(zero).filter(|_| self.rectified);
                product(netlist, magnitude, &equal, cut.unwrap_or(-count))
            })
            .collect();
        let greatest = max_of(netlist, &products, Comparison::Chain);
        let scaled = |value: i64| ((value * alpha) >> shift) + bias;
        let (low, high) = (scaled(greatest.low()), scaled(greatest.high()));
        let mut columns = [Columns::new(width(low, high) + shift as usize)];
        add_multiples(netlist, &mut columns, &greatest, &[alpha]);
        let [mut columns] = columns;
        columns.add_constant(bias << shift);
        let result = Word::new(columns.sum(netlist).split_off(shift as usize), low, high);
        if self.rectified { relu(netlist, &result) } else { result }
    }
}

/// K d, with d = 2 (number of true bits) - (number of bits), or `least` where d is less; K is not negative.
fn product(netlist: &mut Netlist, magnitude: &Word, bits: &[Bit], least: i64) -> Word {
    let count = bits.len() as i64;
    let cut = (least + count) / 2;
    // e = max(ones - cut, 0): counted from 2^m - cut on, the bit of 2^m says whether there are so many.
    let m = if cut == 0 {
        width(0, count) - 1
    } else {
        ((count - cut + 1).max(cut) as u64).next_power_of_two().ilog2() as usize
    };
    let mut columns = Columns::new(m + usize::from(cut > 0));
    bits.iter().for_each(|&bit| columns.add_bit(Sign::Plus, bit, 0));
    if cut > 0 {
        columns.add_constant((1 << m) - cut);
    }
    let mut excess = columns.sum(netlist);
    if cut > 0 {
        let enough = excess.split_off(m)[0];
        excess = excess.into_iter().map(|bit| netlist.and(bit, enough)).collect();
    }
    let (low, high) = (magnitude.high() * least.min(0), magnitude.high() * count);
    let mut columns = [Columns::new(width(low, high))];
    for (j, &bit) in excess.iter().enumerate() {
        for (i, &k) in magnitude.bits().iter().enumerate() {
            let both = netlist.and(k, bit);
            columns[0].add_bit(Sign::Plus, both, i + j + 1);
        }
    }
    add_multiples(netlist, &mut columns, magnitude, &[least]);
    let [columns] = columns;
    Word::new(columns.sum(netlist), low, high)
}

/// All neurons in one unit: first adders of different neurons are often the same.
fn binary_dense(units: &mut Units, layer: usize, dense: &BinaryDense, places: &[usize]) -> Vec<usize> {
    let dense = dense.clone();
    units.push(layer, places.to_vec(), dense.weights().rows(), move |netlist, words| {
        let neuron = |(weights, &bias): (&[i32], &i32)| {
            let (low, high) = interval(weights, words);
            let bias = i64::from(bias);
            let mut columns = Columns::new(width(low + bias, high + bias));
            columns.add_constant(bias);
            for (&weight, word) in weights.iter().zip(words) {
                columns.add(Sign::of(weight.into()), word, 0);
            }
            let sum = Word::new(columns.sum(netlist), low + bias, high + bias);
            sign(&sum)
        };
        dense.weights().iter().zip(dense.biases()).map(neuron).collect()
    })
}

fn convolution(
    units: &mut Units,
    layer: usize,
    convolution: &Convolution,
    shape: Shape,
    places: &[usize],
) -> Vec<usize> {
    let output = convolution.output(shape);
    let mut results = vec![0; output.values()];
    for row in 0..output.height {
        let mut reads = Reads::default();
        // For each window of each group: the places in a filter's row of its weights, and its words.
        let windows: Vec<(usize, Vec<usize>, Vec<usize>)> = (0..output.width)
            .flat_map(|column| (0..convolution.groups).map(move |group| (group, column)))
            .map(|(group, column)| {
                let taps = convolution.taps(shape, group, row, column);
                let (weights, places): (Vec<usize>, Vec<usize>) =
                    taps.into_iter().map(|(index, place)| (index, reads.index(places[place]))).unzip();
                (group, weights, places)
            })
            .collect();
        let convolution = convolution.clone();
        let made = units.push(layer, reads.places, output.width * output.channels, move |netlist, words| {
            let window = |(group, weights, places): &(usize, Vec<usize>, Vec<usize>)| {
                let words: Vec<&Word> = places.iter().map(|&index| &words[index]).collect();
                let filters = convolution.group(*group);
                let row = |filter| {
                    let row = convolution.weights().row(filter);
                    weights.iter().map(|&index| row[index]).collect()
                };
                let rows: Vec<Vec<i32>> = filters.clone().map(row).collect();
                let rows: Vec<&[i32]> = rows.iter().map(Vec::as_slice).collect();
                affine(netlist, &rows, &convolution.biases()[filters], convolution.shift(), &words)
            };
            windows.iter().flat_map(window).collect()
        });
        for (index, place) in made.into_iter().enumerate() {
            results[output.place(index % output.channels, row, index / output.channels)] = place;
        }
    }
    results
}

/// floor(W x / 2^shift) + b for a few rows.
fn affine(netlist: &mut Netlist, rows: &[&[i32]], biases: &[i32], shift: u32, words: &[&Word]) -> Vec<Word> {
    let intervals: Vec<(i64, i64)> = rows
        .iter()
        .zip(biases)
        .map(|(row, &bias)| {
            let (low, high) = interval(row, words.iter().copied());
            (low + (i64::from(bias) << shift), high + (i64::from(bias) << shift))
        })
        .collect();
    let mut columns: Vec<Columns> =
        intervals.iter().map(|&(low, high)| Columns::new(width(low, high))).collect();
    for (index, word) in words.iter().enumerate() {
        let constants: Vec<i64> = rows.iter().map(|row| row[index].into()).collect();
        add_multiples(netlist, &mut columns, word, &constants);
    }
    let sum = |((mut columns, &bias), &(low, high)): ((Columns, &i32), &(i64, i64))| {
        columns.add_constant(i64::from(bias) << shift);
        Word::new(columns.sum(netlist), low, high).shifted_right(shift)
    };
    columns.into_iter().zip(biases).zip(&intervals).map(sum).collect()
}

/// The interval of a row of weights times words.
fn interval<'w>(row: &[i32], words: impl IntoIterator<Item = &'w Word>) -> (i64, i64) {
    row.iter().zip(words).fold((0, 0), |(low, high), (&weight, word)| {
        let (a, b) = (i64::from(weight) * word.low(), i64::from(weight) * word.high());
        (low + a.min(b), high + a.max(b))
    })
}

/// Words that a unit of a long sum leaves for an output: two rows of bits and a constant, whose sum it is, and the two ends
/// of its interval, which are known.
const CARRIED_WORDS: usize = 5;

/// Sums cut into units by their inputs: each adds to what the one before left, and the last one carries through.
fn dense(units: &mut Units, layer: usize, dense: &Dense, places: &[usize]) -> Vec<usize> {
    let outputs = dense.weights().rows();
    let mut rows: Vec<usize> = Vec::new();
    let mut start = 0;
    while start < places.len() {
        // Digits are about a quarter as many as bits; inputs of one bit have one.
        let digits = |input: &usize| {
            let column = dense
                .weights()
                .iter()
                .map(|row| 1 + row[*input].unsigned_abs().checked_ilog2().unwrap_or(0) as usize / 4);
            column.sum::<usize>()
        };
        let mut bits = 0;
        let end = (start..places.len())
            .find(|input| {
                // Words of 16 bits, say: how wide they are is known when they are made.
                bits += 16 * digits(input);
                bits > UNIT_BITS
            })
            .map_or(places.len(), |input| input.max(start + 1));
        let last = end == places.len();
        let carried = rows.len();
        let reads: Vec<usize> = rows.iter().chain(&places[start..end]).copied().collect();
        let count = if last { outputs } else { CARRIED_WORDS * outputs };
        let layer_numbers = dense.clone();
        rows = units.push(layer, reads, count, move |netlist, words| {
            let (carried, words) = words.split_at(carried);
            partial_sums(netlist, &layer_numbers, start, carried, words, last)
        });
        start = end;
    }
    rows
}

/// One unit of a dense layer: adds its inputs, from `start` on, to the sums carried over.
fn partial_sums(
    netlist: &mut Netlist,
    dense: &Dense,
    start: usize,
    carried: &[Word],
    words: &[Word],
    last: bool,
) -> Vec<Word> {
    let shift = dense.shift();
    // Sums are at most 2^50 by the model's check, biases 2^61, and a result of fixed width needs no bit above it.
    let most = dense.bits().map_or(63, |bits| bits + shift as usize);
    let mut columns = Vec::new();
    let mut intervals = Vec::new();
    for (output, row) in dense.weights().iter().enumerate() {
        let (mut low, mut high) = interval(&row[start..start + words.len()], words);
        let mut sum = Columns::new(most);
        if let Some([first, second, constant, least, greatest]) =
            carried.as_chunks::<CARRIED_WORDS>().0.get(output)
        {
            sum.add_rows(&[first.bits().to_vec(), second.bits().to_vec()]);
            sum.add_constant(constant.low());
            low += least.low();
            high += greatest.low();
        }
        columns.push(sum);
        intervals.push((low, high));
    }
    for (index, word) in words.iter().enumerate() {
        let constants: Vec<i64> = dense.weights().iter().map(|row| row[start + index].into()).collect();
        add_multiples(netlist, &mut columns, word, &constants);
    }
    let mut results = Vec::new();
    for ((output, mut sum), (low, high)) in columns.into_iter().enumerate().zip(intervals) {
        if !last {
            let (rows, constant) = sum.rows(netlist);
            results.extend(rows.map(Word::signed));
            results.extend([constant, low, high].map(Word::constant));
            continue;
        }
        let bias = i64::from(dense.biases()[output]) << shift;
        sum.add_constant(bias);
        let needed = width(low + bias, high + bias);
        let mut bits = sum.sum(netlist);
        let result = if needed <= most {
            bits.truncate(needed);
            Word::new(bits, low + bias, high + bias).shifted_right(shift)
        } else {
            Word::signed(bits.split_off(shift as usize))
        };
        results.push(result);
    }
    results
}
