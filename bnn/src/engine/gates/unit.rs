//! A network as a list of units: circuits over numbers, each built, run and dropped.

use std::fmt;

use crate::{
    circuit::{netlist::Netlist, word::Word},
    layer::Layer,
    model::Model,
};

/// Builds a circuit over the words it reads, and gives the words it leaves.
type Build<'a> = Box<dyn Fn(&mut Netlist, &[Word]) -> Vec<Word> + Send + Sync + 'a>;

/// A circuit of a network.
pub(super) struct Unit<'a> {
    /// The layer's place in the model.
    pub(super) layer: usize,
    /// Places of the words it reads.
    pub(super) reads: Vec<usize>,
    /// The first place that it writes; the others follow.
    pub(super) writes: usize,
    pub(super) build: Build<'a>,
}

impl fmt::Debug for Unit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit {{ layer: {}, reads: {:?}, writes: {}.. }}", self.layer, self.reads, self.writes)
    }
}

/// The units of a network. Words have places: first those of the picture, then in the order in which they are made.
#[derive(Debug)]
pub(super) struct Units<'a> {
    pub(super) units: Vec<Unit<'a>>,
    /// Words of all units.
    pub(super) places: usize,
    /// Places of what a layer gives, with the layer's place in the model and the number of units up to it.
    pub(super) layers: Vec<(usize, usize, Vec<usize>)>,
    /// Bits of a score, if the model says.
    pub(super) score_bits: Option<usize>,
}

impl<'a> Units<'a> {
    pub(super) fn new(inputs: usize) -> Self {
        Self { units: Vec::new(), places: inputs, layers: Vec::new(), score_bits: None }
    }

    /// Adds a unit that leaves `count` words; gives their places.
    pub(super) fn push(
        &mut self,
        layer: usize,
        reads: Vec<usize>,
        count: usize,
        build: impl Fn(&mut Netlist, &[Word]) -> Vec<Word> + Send + Sync + 'a,
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

    pub(super) fn score_count(&self) -> usize {
        self.scores().len().max(1)
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
    model.layers().rev().find_map(|layer| match layer {
        Layer::Dense(dense) => Some(dense.bits()),
        _ => None,
    })?
}
