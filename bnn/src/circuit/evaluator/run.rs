//! A program that is being run.

use std::sync::Arc;

use super::{
    kind::Evaluator,
    values::{Held, Values},
};
use crate::{
    circuit::{bit::Bit, program::Program},
    error::Result,
};

/// A program that is being run, and can be left and taken up between any two bootstraps.
#[derive(Debug)]
pub(crate) struct Run<V> {
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
    pub(crate) fn new(program: Arc<Program>, inputs: Vec<V>) -> Self {
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
            if wire >= program.wires || values.has(wire) {
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
        expected.iter().enumerate().all(|(wire, &expected)| expected == self.values.has(wire))
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
    pub(crate) fn advance<E: Evaluator<Value = V>>(&mut self, evaluator: &E, limit: usize) -> Result<usize> {
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
    pub(crate) fn finish<E: Evaluator<Value = V>>(&mut self, evaluator: &E) -> Result<()> {
        while self.advance(evaluator, usize::MAX)? > 0 {}
        Ok(())
    }

    /// The outputs of a program that has run to its end.
    ///
    /// # Errors
    /// Those of the evaluator.
    pub(crate) fn outputs<E: Evaluator<Value = V>>(&self, evaluator: &E) -> Result<Vec<Held<V>>> {
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
    pub(crate) fn most_held(&self) -> usize {
        self.values.most_held()
    }
}
