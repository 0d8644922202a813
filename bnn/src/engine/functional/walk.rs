//! The walk through a network, from the picture to the parts of the scores.

use std::borrow::Cow;

use tfhe_core::{bootstrap::LookupTable, torus::Torus32};

use super::{
    machine::{Machine, Window},
    scale::Scale,
    scores::ScoreScale,
    stage::{Linear, Stage},
};
use crate::error::Result;

/// What is walked through.
#[derive(Clone, Copy)]
pub(super) struct Network<'a> {
    /// All but the last stage.
    pub(super) stages: &'a [(Stage, Scale)],
    pub(super) last: &'a Stage,
    pub(super) scores: &'a ScoreScale,
    /// Slots of a table.
    pub(super) size: usize,
}

impl Network<'_> {
    /// Whether a stage's values are read after so many stages.
    pub(super) fn is_read_after(&self, stage: usize, stages: usize) -> bool {
        let later =
            self.stages[stages.min(self.stages.len())..].iter().map(|(stage, _)| stage).chain([self.last]);
        let mut readers = later.filter(|reader| {
            reader.reads == Some(stage) || reader.added.iter().any(|&(added, _)| added == stage)
        });
        readers.next().is_some()
    }
}

/// A walk, between two stages: what each stage so far gave, as long as others will read it.
#[derive(Debug)]
pub(super) struct Walk<V> {
    pub(super) given: Vec<Vec<V>>,
}

impl<V> Default for Walk<V> {
    fn default() -> Self {
        Self { given: Vec::new() }
    }
}

/// The whole walk.
pub(super) fn run<M: Machine>(network: Network<'_>, machine: &mut M) -> Result<Vec<M::Value>> {
    let mut walk = Walk::default();
    while walk.advance(network, machine)? {}
    walk.scores(network, machine)
}

impl<V: Clone + Sync> Walk<V> {
    /// Runs the next stage; false where only the scores are left.
    pub(super) fn advance<M: Machine<Value = V>>(
        &mut self,
        network: Network<'_>,
        machine: &mut M,
    ) -> Result<bool> {
        let done = self.given.len();
        let Some((stage, scale)) = network.stages.get(done) else { return Ok(false) };
        let next = scale.output.unwrap_or(network.scores.unit);
        let sums = {
            let values = summed(stage, self.read(stage, machine), machine)?;
            linear(stage, scale, &values, machine)?
        };
        let sums = lifted(stage, scale, sums, &self.given, machine)?;
        let reduced = maxima(stage, scale.levels, sums, network.size, machine)?;
        let output = stage.outputs();
        let channels = if stage.is_uniform() { 1 } else { output.channels };
        let tables: Vec<LookupTable> = (0..channels)
            .map(|channel| scale.activation(stage, channel, network.size, next.real()))
            .collect();
        let channel = |place| if channels == 1 { 0 } else { place / (output.height * output.width) };
        let of_each: Vec<&LookupTable> = (0..reduced.len()).map(|place| &tables[channel(place)]).collect();
        let mut values = machine.bootstrap(&reduced, &of_each)?;
        let middles: Vec<f64> = (0..channels).map(|channel| scale.middle(stage, channel)).collect();
        if middles.iter().any(|&middle| middle != 0.0) {
            values = machine.combine(values.len(), |place| {
                let middle = Torus32::from_real(middles[channel(place)] * next.real());
                (middle, vec![(1, &values[place])])
            })?;
        }
        self.given.push(values);
        for (index, values) in self.given.iter_mut().enumerate() {
            if !network.is_read_after(index, done + 1) {
                *values = Vec::new();
            }
        }
        Ok(true)
    }

    /// The parts of the scores, once all stages are done.
    pub(super) fn scores<M: Machine<Value = V>>(
        &self,
        network: Network<'_>,
        machine: &M,
    ) -> Result<Vec<M::Value>> {
        let Network { last, scores, .. } = network;
        let values = summed(last, self.read(last, machine), machine)?;
        machine.combine(scores.parts.len(), |index| {
            let part = &scores.parts[index];
            let constant = Torus32::from_real(-(part.sent.centre_halves as f64) / 2.0 * scores.unit.real());
            (constant, part.terms.iter().map(|&(digit, place)| (digit, &values[place])).collect())
        })
    }

    /// The values that a stage reads.
    fn read<M: Machine<Value = V>>(&self, stage: &Stage, machine: &M) -> Cow<'_, [V]> {
        match stage.reads {
            Some(source) => Cow::Borrowed(&self.given[source]),
            // The planes of an XNOR convolution are not values by themselves.
            None if matches!(stage.linear, Linear::Xnor(_)) => Cow::Owned(Vec::new()),
            None => Cow::Owned(machine.inputs()),
        }
    }
}

/// What the linear map of a stage reads: sums of squares, if there are any.
fn summed<'v, M: Machine>(
    stage: &Stage,
    mut values: Cow<'v, [M::Value]>,
    machine: &M,
) -> Result<Cow<'v, [M::Value]>> {
    for (pool, input) in &stage.sums {
        let squares: Vec<Vec<usize>> = pool.windows(*input).collect();
        values = Cow::Owned(machine.combine(squares.len(), |square| {
            (Torus32::default(), squares[square].iter().map(|&place| (1, &values[place])).collect())
        })?);
    }
    Ok(values)
}

/// The sums of a stage at their unit, and what is added to them.
fn lifted<M: Machine>(
    stage: &Stage,
    scale: &Scale,
    sums: Vec<M::Value>,
    given: &[Vec<M::Value>],
    machine: &M,
) -> Result<Vec<M::Value>> {
    let (lift, factors) = (scale.factors.lift, &scale.factors.added);
    if lift == 1 && factors.is_empty() {
        return Ok(sums);
    }
    machine.combine(sums.len(), |place| {
        let others =
            stage.added.iter().zip(factors).map(|(&(source, _), &factor)| (factor, &given[source][place]));
        (Torus32::default(), [(lift, &sums[place])].into_iter().chain(others).collect())
    })
}

/// The sums of a stage, about its centre.
fn linear<'a, M: Machine>(
    stage: &'a Stage,
    scale: &Scale,
    values: &'a [M::Value],
    machine: &M,
) -> Result<Vec<M::Value>> {
    let output = stage.linear.output(stage.input);
    let area = output.height * output.width;
    let rows: Vec<&'a [i32]> = stage.linear.weights().iter().collect();
    // What is lifted after it.
    let lift = f64::from(scale.factors.lift);
    let constants: Vec<Torus32> =
        (0..rows.len()).map(|channel| Torus32::from_real(scale.constant(stage, channel) / lift)).collect();
    if let Linear::Xnor(_) = stage.linear {
        let filters = rows.into_iter().map(|row| machine.sum_rows(row));
        let sums: Vec<M::Value> = filters.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        return machine.combine(sums.len(), |place| (constants[place / area], vec![(1, &sums[place])]));
    }
    // At each place of the picture, the filters of a group read the same values.
    let groups = stage.linear.groups();
    let filters = rows.len() / groups;
    let windows = machine.weigh(groups * area, |index| {
        let (group, place) = (index / area, index % area);
        let channels = group * filters..(group + 1) * filters;
        let taps = stage.linear.taps(stage.input, output, channels.start * area + place);
        // The weights of the values that there are: all, but where a window reaches into the padding.
        let restricted = |row: &'a [i32]| -> Cow<'a, [i32]> {
            if taps.len() == row.len() {
                Cow::Borrowed(row)
            } else {
                taps.iter().map(|&(index, _)| row[index]).collect()
            }
        };
        Window {
            inputs: taps.iter().map(|&(_, place)| &values[place]).collect(),
            rows: channels.map(|channel| (constants[channel], restricted(rows[channel]))).collect(),
        }
    })?;
    let mut windows: Vec<_> = windows.into_iter().map(Vec::into_iter).collect();
    let sums = (0..output.values()).map(|place| {
        let (group, place) = (place / (filters * area), place % area);
        windows[group * area + place].next().expect("invariant: a sum for each filter")
    });
    Ok(sums.collect())
}

/// What becomes one value of the next level of maxima.
enum Operand {
    /// Two values, by the number of their pair.
    Pair(usize),
    /// One that was left over, by its place.
    Single(usize),
}

/// The maxima of a stage, each at twice the unit for every level.
fn maxima<M: Machine>(
    stage: &Stage,
    levels: u32,
    mut values: Vec<M::Value>,
    size: usize,
    machine: &mut M,
) -> Result<Vec<M::Value>> {
    let mut factor = 1 << levels;
    for (pool, input) in &stage.pools {
        // The places of what is left of each square.
        let mut squares: Vec<Vec<usize>> = pool.windows(*input).collect();
        while squares.first().is_some_and(|square| square.len() > 1) {
            let pairs: Vec<(usize, usize)> = squares
                .iter()
                .flat_map(|square| square.chunks_exact(2))
                .map(|pair| (pair[0], pair[1]))
                .collect();
            let differences = machine.combine(pairs.len(), |index| {
                let (a, b) = pairs[index];
                (Torus32::default(), vec![(factor, &values[a]), (-factor, &values[b])])
            })?;
            let table = Scale::magnitude(size, factor);
            let magnitudes = machine.bootstrap(&differences, &vec![&table; pairs.len()])?;

            // A pair becomes a + b + |a - b|; one that was left over is doubled, as maxima are.
            let mut reduced = Vec::new();
            let mut pair = 0;
            for square in &mut squares {
                let first = reduced.len();
                for cells in square.chunks(2) {
                    let operand =
                        if cells.len() == 2 { Operand::Pair(pair) } else { Operand::Single(cells[0]) };
                    pair += cells.len() / 2;
                    reduced.push(operand);
                }
                *square = (first..reduced.len()).collect();
            }
            let shift = Torus32::from_real(0.25 / f64::from(factor));
            values = machine.combine(reduced.len(), |index| match reduced[index] {
                Operand::Pair(pair) => {
                    let (a, b) = pairs[pair];
                    (shift, vec![(1, &values[a]), (1, &values[b]), (1, &magnitudes[pair])])
                }
                Operand::Single(place) => (Torus32::default(), vec![(2, &values[place])]),
            })?;
            factor /= 2;
        }
    }
    Ok(values)
}
