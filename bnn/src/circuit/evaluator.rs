//! Running a [`Program`]: on plain bits, on counters only, or on ciphertexts.
//!
//! The program is the same for all three, so that a run in the clear checks every combination that a run on ciphertexts
//! bootstraps, and a count is the count of what would run.
//!
//! ```
//! use std::sync::Arc;
//! use bnn::circuit::evaluator::{Held, Plain, PlainBit, Run};
//! use bnn::circuit::{netlist::{Netlist, Style}, program::{NoiseBudget, Program}};
//! let mut netlist = Netlist::new(Style::Optimized, 3);
//! let carry = netlist.maj(netlist.input(0), netlist.input(1), netlist.input(2));
//! let budget = NoiseBudget::new(&tfhe_core::parameters::GATES_DEFAULT);
//! let program = Arc::new(Program::new(&netlist, &[carry], &budget)?);
//! let mut run = Run::new(program, [true, true, false].map(PlainBit::from).to_vec());
//! run.finish(&Plain)?;
//! assert_eq!(run.outputs(&Plain)?, [Held::Value(PlainBit::from(true))]);
//! # Ok::<(), bnn::Error>(())
//! ```

mod cost;
mod encrypted;
mod plain;

pub use cost::{Cost, Counting};
pub use encrypted::Encrypted;
pub use plain::{Plain, PlainBit};

use std::sync::Arc;

use super::{
    bit::Bit,
    program::{Program, Step},
};
use crate::Result;

/// What a program runs on.
pub trait Evaluator {
    /// A bit.
    type Value: Clone;

    /// Integer combinations of values.
    ///
    /// # Errors
    /// Those of the values.
    fn sum(&self, step: &Step, values: &Values<Self::Value>) -> Result<Self::Value>;

    /// Signs of integer combinations of values, in the order of the steps.
    ///
    /// # Errors
    /// Those of the values.
    fn bootstrap(&self, steps: &[Step], values: &Values<Self::Value>) -> Result<Vec<Self::Value>>;

    /// A value's negation.
    ///
    /// # Errors
    /// Those of the values.
    fn negate(&self, value: &Self::Value) -> Result<Self::Value>;
}

/// Values of wires, while they are needed.
#[derive(Clone, Debug)]
pub struct Values<V> {
    held: Vec<Option<V>>,
    count: usize,
    most: usize,
}

impl<V> Values<V> {
    fn new(wires: usize) -> Self {
        Self { held: (0..wires).map(|_| None).collect(), count: 0, most: 0 }
    }

    /// The value of a wire that is there by the order of the program.
    fn read(&self, wire: usize) -> &V {
        self.held[wire]
            .as_ref()
            .expect("invariant: a program reads a wire after it is made and before it is freed")
    }

    fn write(&mut self, wire: usize, value: V) {
        self.held[wire] = Some(value);
        self.count += 1;
        self.most = self.most.max(self.count);
    }

    fn free(&mut self, wire: usize) {
        self.count -= usize::from(self.held[wire].take().is_some());
    }

    /// The wires with their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &V)> {
        self.held.iter().enumerate().filter_map(|(wire, value)| Some((wire, value.as_ref()?)))
    }
}

/// A bit between circuits: known, or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held<V> {
    /// Known to whoever knows the circuit.
    Known(bool),
    /// A value.
    Value(V),
}

/// A program that is being run, and can be left and taken up between any two bootstraps.
#[derive(Debug)]
pub struct Run<V> {
    program: Arc<Program>,
    values: Values<V>,
    level: usize,
    /// Bootstraps of the level that are done.
    position: usize,
}

impl<V: Clone> Run<V> {
    /// A program before its first step.
    ///
    /// # Panics
    /// Unless there is a value an input.
    pub fn new(program: Arc<Program>, inputs: Vec<V>) -> Self {
        assert_eq!(inputs.len(), program.inputs, "a value an input");
        let mut values = Values::new(program.wires);
        inputs.into_iter().enumerate().for_each(|(index, value)| values.write(1 + index, value));
        Self { program, values, level: 0, position: 0 }
    }

    /// A program in the middle, as [`place`](Self::place) and [`values`](Self::values) described it. `None` where they
    /// are not of this program.
    pub(crate) fn resume(
        program: Arc<Program>,
        (level, position): (usize, usize),
        held: impl IntoIterator<Item = (usize, V)>,
    ) -> Option<Self> {
        let mut values = Values::new(program.wires);
        for (wire, value) in held {
            if wire >= program.wires || values.held[wire].is_some() {
                return None;
            }
            values.write(wire, value);
        }
        let run = Self { program, values, level, position };
        run.is_consistent().then_some(run)
    }

    /// Whether exactly those wires are there that are at this place of the program.
    fn is_consistent(&self) -> bool {
        let Some(level) = self.program.levels.get(self.level) else {
            return false;
        };
        if self.position > level.bootstraps.len() {
            return false;
        }
        let mut expected = vec![false; self.program.wires];
        expected[1..=self.program.inputs].fill(true);
        for level in &self.program.levels[..self.level] {
            level.bootstraps.iter().chain(&level.sums).for_each(|step| expected[step.wire()] = true);
            level.freed.iter().for_each(|&wire| expected[wire as usize] = false);
        }
        level.bootstraps[..self.position].iter().for_each(|step| expected[step.wire()] = true);
        expected.iter().zip(&self.values.held).all(|(&expected, value)| expected == value.is_some())
    }

    /// The level it is at, and the bootstraps of it that are done.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.level, self.position)
    }

    /// Bootstraps done.
    pub(crate) fn bootstraps(&self) -> usize {
        let levels = &self.program.levels[..self.level];
        levels.iter().map(|level| level.bootstraps.len()).sum::<usize>() + self.position
    }

    /// What it holds.
    pub(crate) fn values(&self) -> &Values<V> {
        &self.values
    }

    /// Runs on for at most `limit` bootstraps (and at least one) of one level, and what follows freely. Returns how many there were; 0 at the end.
    ///
    /// # Errors
    /// Those of the evaluator.
    pub fn advance<E: Evaluator<Value = V>>(&mut self, evaluator: &E, limit: usize) -> Result<usize> {
        let program = Arc::clone(&self.program);
        while let Some(level) = program.levels.get(self.level) {
            let left = &level.bootstraps[self.position..];
            let steps = &left[..left.len().min(limit.max(1))];
            let results = evaluator.bootstrap(steps, &self.values)?;
            for (step, value) in steps.iter().zip(results) {
                self.values.write(step.wire(), value);
            }
            self.position += steps.len();
            if self.position == level.bootstraps.len() {
                for step in &level.sums {
                    let value = evaluator.sum(step, &self.values)?;
                    self.values.write(step.wire(), value);
                }
                level.freed.iter().for_each(|&wire| self.values.free(wire as usize));
                (self.level, self.position) = (self.level + 1, 0);
            }
            if !steps.is_empty() {
                return Ok(steps.len());
            }
        }
        Ok(0)
    }

    /// Whether it has come to its end.
    pub(crate) fn is_finished(&self) -> bool {
        self.level >= self.program.levels.len()
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// Those of the evaluator.
    pub fn finish<E: Evaluator<Value = V>>(&mut self, evaluator: &E) -> Result<()> {
        while self.advance(evaluator, usize::MAX)? > 0 {}
        Ok(())
    }

    /// The outputs of a program that has run to its end.
    ///
    /// # Errors
    /// Those of the evaluator.
    pub fn outputs<E: Evaluator<Value = V>>(&self, evaluator: &E) -> Result<Vec<Held<V>>> {
        let output = |&bit: &Bit| match bit.number() {
            None => Ok(Held::Known(bit == Bit::TRUE)),
            Some(wire) => {
                let value = self.values.read(wire as usize);
                Ok(Held::Value(if bit.is_negated() { evaluator.negate(value)? } else { value.clone() }))
            }
        };
        self.program.outputs.iter().map(output).collect()
    }

    /// The program's outputs, in terms of its wires.
    pub(crate) fn output_bits(&self) -> &[Bit] {
        &self.program.outputs
    }

    /// The most values that were held at once.
    pub fn most_held(&self) -> usize {
        self.values.most
    }
}
