//! Running the units of a network, one after the other, on any kind of bits.

use std::{collections::HashMap, sync::Arc};

use super::circuits::Circuits;
use crate::{
    circuit::{
        bit::Bit,
        evaluator::{counting::Counting, kind::Evaluator, run::Run, values::Held},
        netlist::{Netlist, Style},
        program::Program,
        word::Word,
    },
    error::{Error, Result},
};

/// A number between units: its bits, least significant first, and its interval.
#[derive(Clone, Debug)]
pub(super) struct HeldWord<V> {
    pub(super) bits: Vec<Held<V>>,
    /// For each bit that is a value, where it comes from: equal values have equal noise, and a circuit that reads both must
    /// know it.
    pub(super) sources: Vec<Source>,
    pub(super) low: i64,
    pub(super) high: i64,
}

/// A value's origin: a number that no other value has but its copies and negations, and whether it is negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Source(u64, bool);

/// A circuit that is built: the values it starts with, and the shapes of the words it leaves.
struct Built<V> {
    program: Arc<Program>,
    inputs: Vec<V>,
    sources: Vec<Source>,
    outputs: Vec<(usize, i64, i64)>,
}

/// A unit that is being run.
#[derive(Debug)]
struct Running<V> {
    run: Run<V>,
    /// Those of its inputs.
    sources: Vec<Source>,
    /// Widths and intervals of the words it leaves.
    outputs: Vec<(usize, i64, i64)>,
}

/// A network that is being run.
#[derive(Debug)]
pub(super) struct Execution<E: Evaluator> {
    circuits: Arc<Circuits>,
    evaluator: E,
    /// Words by their places, while they are needed.
    words: Vec<Option<HeldWord<E::Value>>>,
    /// For each place, the last unit that reads it.
    last_reads: Vec<usize>,
    unit: usize,
    running: Option<Running<E::Value>>,
    bootstraps: usize,
    most_held: usize,
}

/// The words of a picture from its bits. Published circuits read all bits as they are sent, in two's complement where the
/// highest is a sign; optimized ones those that the model's range lets vary.
///
/// # Panics
/// Unless there are as many bits as the encoding has.
pub(super) fn held_inputs<V>(circuits: &Circuits, bits: impl IntoIterator<Item = V>) -> Vec<HeldWord<V>> {
    let mut bits = bits.into_iter();
    let (mut words, mut number) = (Vec::new(), 0);
    for range in circuits.model.input().ranges() {
        for _ in 0..range.count {
            let mut word: Vec<Held<V>> = bits.by_ref().take(range.bits as usize).map(Held::Value).collect();
            assert_eq!(word.len(), range.bits as usize, "all bits of a picture");
            let half = 1 << (range.bits - 1);
            let (low, high) = if circuits.style == Style::AsPublished && range.largest < half {
                (-half, half - 1)
            } else {
                word.push(Held::Known(false));
                (0, range.largest)
            };
            let sources =
                (number..number + u64::from(range.bits)).map(|number| Source(number, false)).collect();
            number += u64::from(range.bits);
            words.push(HeldWord { bits: word, sources, low, high });
        }
    }
    words
}

impl<E: Evaluator> Execution<E> {
    pub(super) fn new(circuits: Arc<Circuits>, evaluator: E, inputs: Vec<HeldWord<E::Value>>) -> Self {
        let mut words: Vec<Option<HeldWord<E::Value>>> = inputs.into_iter().map(Some).collect();
        words.resize_with(circuits.units.places, || None);
        let last_reads = circuits.units.last_reads();
        Self { circuits, evaluator, words, last_reads, unit: 0, running: None, bootstraps: 0, most_held: 0 }
    }

    /// A run counted up to a unit: what is known there of the words. `None` where there is no such unit.
    pub(super) fn counted(circuits: &Arc<Circuits>, unit: usize) -> Result<Option<Execution<Counting>>> {
        if unit > circuits.units.units.len() {
            return Ok(None);
        }
        let inputs = held_inputs(circuits, std::iter::repeat(()));
        let mut counted = Execution::new(Arc::clone(circuits), Counting, inputs);
        while counted.unit < unit {
            let mut running = counted.build()?;
            running.run.finish(&Counting)?;
            counted.bootstraps += running.run.bootstraps();
            counted.finish_unit(&running)?;
        }
        Ok(Some(counted))
    }

    /// A run in the middle: at the unit to which another was [`counted`](Self::counted), with its words, and where in that
    /// unit. `None` where there is no such place.
    #[allow(clippy::type_complexity)]
    pub(super) fn resume(
        counted: &Execution<Counting>,
        evaluator: E,
        words: Vec<(usize, HeldWord<E::Value>)>,
        running: Option<((usize, usize), Vec<(usize, E::Value)>)>,
    ) -> Result<Option<Self>> {
        let mut execution = Self::new(Arc::clone(&counted.circuits), evaluator, Vec::new());
        words.into_iter().for_each(|(place, word)| execution.words[place] = Some(word));
        (execution.unit, execution.bootstraps) = (counted.unit, counted.bootstraps);
        if let Some((place, held)) = running {
            if execution.unit == execution.circuits.units.units.len() {
                return Ok(None);
            }
            let Built { program, sources, outputs, .. } = execution.program()?;
            let Some(run) = Run::resume(program, place, held) else { return Ok(None) };
            execution.bootstraps += run.bootstraps();
            execution.running = Some(Running { run, sources, outputs });
        }
        Ok(Some(execution))
    }

    /// The words that there are, with their places.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, &HeldWord<E::Value>)> {
        self.words.iter().enumerate().filter_map(|(place, word)| Some((place, word.as_ref()?)))
    }

    /// Where in its unit it is, and the values there, with their wires.
    #[allow(clippy::type_complexity)]
    pub(super) fn running(&self) -> Option<((usize, usize), Vec<(usize, &E::Value)>)> {
        let run = &self.running.as_ref()?.run;
        Some((run.place(), run.values().iter().collect()))
    }

    /// The number of the unit it is at.
    pub(super) fn unit(&self) -> usize {
        self.unit
    }

    pub(super) fn circuits(&self) -> &Circuits {
        &self.circuits
    }

    pub(super) fn evaluator(&self) -> &E {
        &self.evaluator
    }

    /// Bootstraps done.
    pub(super) fn bootstraps(&self) -> usize {
        self.bootstraps
    }

    /// The most values that were held at once.
    pub(super) fn most_held(&self) -> usize {
        self.most_held
    }

    /// The layer it is at, by name; `None` at the end.
    pub(super) fn layer(&self) -> Option<&str> {
        let unit = self.circuits.units.units.get(self.unit)?;
        self.circuits.model.layers_and_shapes().get(unit.layer).map(|(layer, _)| layer.name())
    }

    /// Runs on for at most `limit` bootstraps within a level of one unit, and for what needs none. Returns how many there
    /// were; 0 at the end.
    ///
    /// # Errors
    /// [`Error::GateTooNoisy`], and those of the evaluator.
    pub(super) fn advance(&mut self, limit: usize) -> Result<usize> {
        while self.unit < self.circuits.units.units.len() {
            let mut running = match self.running.take() {
                Some(running) => running,
                None => self.build()?,
            };
            let done = running.run.advance(&self.evaluator, limit)?;
            self.bootstraps += done;
            let held: usize = self.words.iter().flatten().map(|word| count(&word.bits)).sum();
            self.most_held = self.most_held.max(held + running.run.most_held());
            if running.run.is_finished() {
                self.finish_unit(&running)?;
            } else {
                self.running = Some(running);
            }
            if done > 0 {
                return Ok(done);
            }
        }
        Ok(0)
    }

    /// What a layer gave whose last unit has just finished, with the layer's place in the model.
    #[cfg(feature = "internals")]
    pub(super) fn finished_layer(&self) -> Option<(usize, Vec<&HeldWord<E::Value>>)> {
        let finished =
            |&&(_, units, _): &&(usize, usize, Vec<usize>)| self.running.is_none() && units == self.unit;
        let (layer, _, places) = self.circuits.units.layers.iter().rfind(finished)?;
        Some((*layer, places.iter().filter_map(|&place| self.words[place].as_ref()).collect()))
    }

    /// The bits of the scores, all of one width, at the end.
    pub(super) fn scores(&self) -> Result<Vec<Held<E::Value>>> {
        if self.unit < self.circuits.units.units.len() {
            return Err(Error::Unfinished);
        }
        let scores: Vec<&HeldWord<E::Value>> =
            self.circuits.units.scores().iter().filter_map(|&place| self.words[place].as_ref()).collect();
        let widest = scores.iter().map(|word| word.bits.len()).max().unwrap_or_default();
        let width = self.circuits.units.score_bits.unwrap_or(widest);
        let bit = |word: &HeldWord<E::Value>, index: usize| word.bits[index.min(word.bits.len() - 1)].clone();
        Ok(scores.into_iter().flat_map(|word| (0..width).map(move |index| bit(word, index))).collect())
    }

    /// Builds the next unit.
    fn build(&self) -> Result<Running<E::Value>> {
        let Built { program, inputs, sources, outputs } = self.program()?;
        Ok(Running { run: Run::new(program, inputs), sources, outputs })
    }

    /// Builds the next unit over the words that it reads. Copies of a value are one input.
    fn program(&self) -> Result<Built<E::Value>> {
        let unit = &self.circuits.units.units[self.unit];
        let words: Vec<&HeldWord<E::Value>> = unit.reads.iter().map(|&place| self.word(place)).collect();
        let (mut inputs, mut sources) = (Vec::new(), Vec::new());
        let mut known: HashMap<u64, (usize, bool)> = HashMap::new();
        for word in &words {
            let values = word.bits.iter().filter_map(|bit| match bit {
                Held::Known(_) => None,
                Held::Value(value) => Some(value),
            });
            for (value, &source) in values.zip(&word.sources) {
                known.entry(source.0).or_insert_with(|| {
                    inputs.push(value.clone());
                    sources.push(source);
                    (inputs.len() - 1, source.1)
                });
            }
        }
        let mut netlist = Netlist::new(self.circuits.style, inputs.len());
        let read = |word: &&HeldWord<E::Value>| {
            let mut sources = word.sources.iter();
            let bit = |held: &Held<E::Value>| match held {
                Held::Known(bit) => Bit::from(*bit),
                Held::Value(_) => {
                    let source = sources.next().expect("invariant: a source a value");
                    let (input, negated) = known[&source.0];
                    netlist.input(input).negate_if(negated != source.1)
                }
            };
            Word::new(word.bits.iter().map(bit).collect(), word.low, word.high)
        };
        let words: Vec<Word> = words.iter().map(read).collect();
        let results = (unit.build)(&mut netlist, &words);
        let bits: Vec<Bit> = results.iter().flat_map(Word::bits).copied().collect();
        let outputs = results.iter().map(|word| (word.width(), word.low(), word.high())).collect();
        let program = Arc::new(Program::with_budget(&netlist, &bits, &self.circuits.budget)?);
        Ok(Built { program, inputs, sources, outputs })
    }

    fn word(&self, place: usize) -> &HeldWord<E::Value> {
        self.words[place].as_ref().expect("invariant: units read words that were made and are still needed")
    }

    fn finish_unit(&mut self, running: &Running<E::Value>) -> Result<()> {
        let mut bits = running.run.outputs(&self.evaluator)?.into_iter();
        let mut origins = running.run.output_bits().iter();
        let first = self.circuits.units.units[self.unit].writes;
        for (index, &(width, low, high)) in running.outputs.iter().enumerate() {
            let bits = bits.by_ref().take(width).collect();
            let origin = |bit: &Bit| {
                let wire = bit.number()? as usize;
                // An input that is passed on keeps its source; inputs are the first wires.
                Some(match running.sources.get(wire - 1) {
                    Some(source) => Source(source.0, source.1 != bit.is_negated()),
                    None => Source((self.unit as u64 + 1) << 32 | wire as u64, bit.is_negated()),
                })
            };
            let sources = origins.by_ref().take(width).filter_map(origin).collect();
            self.words[first + index] = Some(HeldWord { bits, sources, low, high });
        }
        for &place in &self.circuits.units.units[self.unit].reads {
            if self.last_reads[place] == self.unit {
                self.words[place] = None;
            }
        }
        self.unit += 1;
        Ok(())
    }
}

fn count<V>(bits: &[Held<V>]) -> usize {
    bits.iter().filter(|bit| matches!(bit, Held::Value(_))).count()
}
