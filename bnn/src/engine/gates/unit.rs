//! A network as a list of units: circuits over numbers, each built, run and dropped.

use std::{collections::BTreeMap, fmt};

use crate::{
    circuit::{
        arithmetic::{
            columns::{Columns, Sign},
            compare::{Shape as Comparison, at_least, max, max_of, min, relu},
            multiply::multiply_constant,
            sums::sum,
        },
        bit::Bit,
        netlist::Netlist,
        word::{Word, width},
    },
    client::shape::Shape,
    layer::{
        activation::{Clip, Table},
        add::Add,
        kind::Layer,
        pool::Pool,
        scale::Scale,
    },
    model::network::Model,
};

/// Builds a circuit over the words it reads, and gives the words it leaves.
type Build = Box<dyn Fn(&mut Netlist, &[Word]) -> Vec<Word> + Send + Sync>;

/// A circuit of a network.
pub(super) struct Unit {
    /// The layer's place in the model.
    pub(super) layer: usize,
    /// Places of the words it reads.
    pub(super) reads: Vec<usize>,
    /// The first place that it writes; the others follow.
    pub(super) writes: usize,
    pub(super) build: Build,
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit {{ layer: {}, reads: {:?}, writes: {}.. }}", self.layer, self.reads, self.writes)
    }
}

/// The units of a network. Words have places: first those of the picture, then in the order in which they are made.
#[derive(Debug)]
pub(super) struct Units {
    pub(super) units: Vec<Unit>,
    /// Words of all units.
    pub(super) places: usize,
    /// Places of what a layer gives, with the layer's place in the model and the number of units up to it.
    pub(super) layers: Vec<(usize, usize, Vec<usize>)>,
    /// Bits of a score, if the model says.
    pub(super) score_bits: Option<usize>,
}

impl Units {
    pub(super) fn new(inputs: usize) -> Self {
        Self { units: Vec::new(), places: inputs, layers: Vec::new(), score_bits: None }
    }

    /// Adds a unit that leaves `count` words; gives their places.
    pub(super) fn push(
        &mut self,
        layer: usize,
        reads: Vec<usize>,
        count: usize,
        build: impl Fn(&mut Netlist, &[Word]) -> Vec<Word> + Send + Sync + 'static,
    ) -> Vec<usize> {
        let writes = self.places;
        self.places += count;
        self.units.push(Unit { layer, reads, writes, build: Box::new(build) });
        (writes..self.places).collect()
    }

    /// Ends a layer, which gives the words at these places.
    pub(super) fn finish_layer(&mut self, layer: usize, places: &[usize]) {
        self.layers.push((layer, self.units.len(), places.to_vec()));
    }

    /// Places of the scores.
    pub(super) fn scores(&self) -> &[usize] {
        self.layers.last().map_or(&[], |(_, _, places)| places)
    }

    /// For each place, the last unit that reads it; scores are read at the end.
    pub(super) fn last_reads(&self) -> Vec<usize> {
        let mut last = vec![0; self.places];
        for (index, unit) in self.units.iter().enumerate() {
            unit.reads.iter().for_each(|&place| last[place] = index);
        }
        self.scores().iter().for_each(|&place| last[place] = usize::MAX);
        last
    }
}

/// The bits of a score, if the model says: those of its last dense layer.
pub(super) fn score_bits(model: &Model) -> Option<usize> {
    model.layers_and_shapes().iter().rev().find_map(|(layer, _)| match layer {
        Layer::Dense(dense) => Some(dense.bits()),
        _ => None,
    })?
}

/// Places that a unit reads, each once.
#[derive(Default)]
pub(super) struct Reads {
    pub(super) places: Vec<usize>,
    indices: BTreeMap<usize, usize>,
}

impl Reads {
    /// The index of a place's word among those read.
    pub(super) fn index(&mut self, place: usize) -> usize {
        *self.indices.entry(place).or_insert_with(|| {
            self.places.push(place);
            self.places.len() - 1
        })
    }
}

/// A layer that changes each word by itself, in units of so many words.
fn each(
    units: &mut Units,
    layer: usize,
    places: &[usize],
    words: usize,
    change: impl Fn(&mut Netlist, &Word) -> Word + Clone + Send + Sync + 'static,
) -> Vec<usize> {
    let unit = |units: &mut Units, places: &[usize]| {
        let change = change.clone();
        units.push(layer, places.to_vec(), places.len(), move |netlist, words| {
            words.iter().map(|word| change(netlist, word)).collect()
        })
    };
    places.chunks(words).flat_map(|places| unit(units, places)).collect()
}

/// A ReLU layer, in units of so many words.
pub(super) fn rectified(units: &mut Units, layer: usize, places: &[usize], words: usize) -> Vec<usize> {
    each(units, layer, places, words, relu)
}

/// A layer of clips, in units of so many words.
pub(super) fn clipped(
    units: &mut Units,
    layer: usize,
    clip: &Clip,
    places: &[usize],
    words: usize,
) -> Vec<usize> {
    let ends = [clip.least, clip.most].map(|end| Word::constant(end.into()));
    each(units, layer, places, words, move |netlist, word| {
        let raised = max(netlist, word, &ends[0], Comparison::Chain);
        min(netlist, &raised, &ends[1], Comparison::Chain)
    })
}

/// A layer of curves, a unit a word: the first entry, and each step where the number has reached it.
pub(super) fn looked_up(units: &mut Units, layer: usize, table: &Table, places: &[usize]) -> Vec<usize> {
    let table = table.clone();
    each(units, layer, places, 1, move |netlist, word| {
        let (low, high) = (table.at(word.low()), table.at(word.high()));
        let mut columns = Columns::new(width(low, high));
        columns.add_constant(low);
        for (index, pair) in table.entries.windows(2).enumerate() {
            let (reached, step) =
                (i64::from(table.least) + index as i64 + 1, i64::from(pair[1]) - i64::from(pair[0]));
            if step == 0 || reached <= word.low() || reached > word.high() {
                continue;
            }
            let is_reached = at_least(netlist, word, &Word::constant(reached), Comparison::Chain);
            (0..i64::BITS as usize)
                .filter(|bit| step >> bit & 1 == 1)
                .for_each(|bit| columns.add_bit(Sign::Plus, is_reached, bit));
        }
        Word::new(columns.sum(netlist), low, high)
    })
}

/// An addition of words at these places, in units of so many words.
pub(super) fn added(
    units: &mut Units,
    layer: usize,
    add: &Add,
    (places, others): (&[usize], &[usize]),
    words: usize,
) -> Vec<usize> {
    let factor = i64::from(add.factor);
    let unit = |units: &mut Units, (places, others): (&[usize], &[usize])| {
        let reads = [places, others].concat();
        units.push(layer, reads, places.len(), move |netlist, words| {
            let (words, others) = words.split_at(words.len() / 2);
            let total = |(word, other): (&Word, &Word)| {
                let product = multiply_constant(netlist, other, factor);
                sum(netlist, &[(Sign::Plus, word), (Sign::Plus, &product)])
            };
            words.iter().zip(others).map(total).collect()
        })
    };
    places.chunks(words).zip(others.chunks(words)).flat_map(|chunks| unit(units, chunks)).collect()
}

/// A layer of scales, in units of so many words of one channel.
pub(super) fn scaled(
    units: &mut Units,
    layer: usize,
    scale: &Scale,
    places: &[usize],
    words: usize,
) -> Vec<usize> {
    let (shift, area) = (scale.shift, places.len() / scale.scales.len());
    let channels = places.chunks(area).zip(&*scale.scales);
    let channel = |(places, &scale): (&[usize], &i32)| {
        each(units, layer, places, words, move |netlist, word| {
            multiply_constant(netlist, word, scale.into()).shifted_right(shift)
        })
    };
    channels.flat_map(channel).collect()
}

/// A layer of signs.
pub(super) fn signs(units: &mut Units, layer: usize, places: &[usize]) -> Vec<usize> {
    units.push(layer, places.to_vec(), places.len(), |_, words| words.iter().map(sign).collect())
}

/// +1 or -1 by the sign of a number: 01 or 11.
pub(super) fn sign(number: &Word) -> Word {
    Word::new(vec![Bit::TRUE, number.sign()], -1, 1)
}

/// The greatest of a square's words.
pub(super) fn greatest(netlist: &mut Netlist, square: &[Word]) -> Word {
    max_of(netlist, square, Comparison::Chain)
}

/// The sum of a square's words.
pub(super) fn total(netlist: &mut Netlist, square: &[Word]) -> Word {
    sum(netlist, &square.iter().map(|word| (Sign::Plus, word)).collect::<Vec<_>>())
}

/// A pooling layer, in units that read about so many words: `of_square` makes one word of each square.
pub(super) fn pooled(
    units: &mut Units,
    layer: usize,
    pool: &Pool,
    shape: Shape,
    places: &[usize],
    words: usize,
    of_square: fn(&mut Netlist, &[Word]) -> Word,
) -> Vec<usize> {
    let windows: Vec<Vec<usize>> = pool.windows(shape).collect();
    let cells = pool.cells();
    let unit = |units: &mut Units, windows: &[Vec<usize>]| {
        let reads = windows.iter().flatten().map(|&place| places[place]).collect();
        units.push(layer, reads, windows.len(), move |netlist, words| {
            words.chunks(cells).map(|square| of_square(netlist, square)).collect()
        })
    };
    windows.chunks(words / cells + 1).flat_map(|windows| unit(units, windows)).collect()
}
