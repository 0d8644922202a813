//! The units of a graph: stages that read or add the same values need units that fit one another.
//!
//! The result of a stage has one unit u. A stage that reads it multiplies its sums by an integer on the torus, its *lift* l, and what is
//! added to them by another, f:
//!
//! ```text
//! u_sum = l u,      m u_sum = f u'        an added value counts m, and has the unit u'
//! ```
//!
//! u is the largest that the narrowest reader can have, or addition with f = 1; the other readers are lifted. Where a sum has an addition,
//! one unit gives way to make f an integer: u_sum, with the greatest f that leaves it small enough, or u', if that is decided later, with the
//! least. Where m is some ten or more, as between weights of several bits, a unit loses a tenth at most. A value that is only added has
//! u' = m u_sum.

use tfhe_core::parameters::Parameters;

use super::{
    scale::{Factors, Inputs, Scale},
    stage::{Range, Stage},
};
use crate::{
    client::unit::Unit,
    error::{Error, Result},
};

/// Rounds in which units are decided: in the first the noise of what is added is not known yet.
const ROUNDS: usize = 2;
/// How near to integers factors are, and the largest.
const NEAR: f64 = 1e-6;
const MOST_FACTOR: f64 = (1 << 30) as f64;

/// Scales all stages but the last, whose inputs are the result.
///
/// # Errors
/// [`Error::TooNoisy`], naming the layer, where sums would be lost in noise; [`Error::UnsupportedLayer`] for an addition that would tie
/// one unit to two others, and for values that the scores and other layers read.
pub(super) fn scaled(
    stages: &[Stage],
    last: &Stage,
    picture: Range,
    parameters: &Parameters,
) -> Result<(Vec<Scale>, Inputs)> {
    let graph = Graph { stages, last };
    let scales = |units: Option<&Units>, factors: &[Factors]| {
        let mut scales: Vec<Scale> = Vec::new();
        for (index, (stage, factors)) in stages.iter().zip(factors).enumerate() {
            let inputs = Inputs::new(stage, picture, (stages, &scales), factors.clone(), parameters);
            let unit = units.map(|units| Unit::at_most(units.of_sums[index]));
            scales.push(Scale::new(stage, inputs, unit, parameters)?);
        }
        Ok::<_, Error>(scales)
    };
    let unknown = |stage: &Stage| Factors { lift: 1, added: vec![0; stage.added.len()] };
    let mut factors: Vec<Factors> = stages.iter().map(unknown).collect();
    let mut units = None;
    for _ in 0..ROUNDS {
        let widest: Vec<f64> = scales(None, &factors)?.iter().map(|scale| scale.unit.real()).collect();
        let decided = graph.units(&widest)?;
        factors = graph.factors(&decided)?;
        units = Some(decided);
    }
    let mut scales = scales(units.as_ref(), &factors)?;
    let of_results = units.iter().flat_map(|units| &units.of_sources[1..]);
    for (scale, unit) in scales.iter_mut().zip(of_results) {
        scale.output = unit.map(Unit::at_most);
    }
    let inputs = Inputs::new(last, picture, (stages, &scales), Factors::default(), parameters);
    Ok((scales, inputs))
}

/// The place of what a stage reads: 0 for the picture, and after it the stages.
fn source(stage: &Stage) -> usize {
    stage.reads.map_or(0, |stage| stage + 1)
}

/// Units in parts of the torus.
struct Units {
    /// Of the picture and of the result of each stage; none where the scores read it.
    of_sources: Vec<Option<f64>>,
    /// Of the sums of each stage.
    of_sums: Vec<f64>,
}

struct Graph<'a> {
    stages: &'a [Stage],
    last: &'a Stage,
}

/// An addition: the stage to whose sums something is added, the place of that, and what it counts.
struct Addition {
    to: usize,
    added: usize,
    factor: f64,
}

impl Graph<'_> {
    fn additions(&self) -> impl Iterator<Item = Addition> {
        self.stages.iter().enumerate().flat_map(|(to, stage)| {
            let addition =
                move |&(from, factor): &(usize, i64)| Addition { to, added: from + 1, factor: factor as f64 };
            stage.added.iter().map(addition)
        })
    }

    fn unsupported(stage: &Stage) -> Error {
        Error::UnsupportedLayer { layer: stage.name.to_string(), kind: "add", engine: "functional" }
    }

    /// Decides units, where the sums of the stages could have these.
    fn units(&self, widest: &[f64]) -> Result<Units> {
        let mut of_sources: Vec<Option<f64>> = vec![None; self.stages.len() + 1];
        let mut of_sums: Vec<Option<f64>> = vec![None; self.stages.len()];
        for place in 0..of_sources.len() {
            let readers: Vec<usize> =
                (0..self.stages.len()).filter(|&reader| source(&self.stages[reader]) == place).collect();
            let Some(narrowest) = readers.iter().map(|&reader| widest[reader]).reduce(f64::min) else {
                continue;
            };
            // What is added has a factor of 1 at least.
            let of_additions = self.additions().filter(|addition| addition.added == place);
            let narrowest =
                of_additions.map(|addition| addition.factor * widest[addition.to]).fold(narrowest, f64::min);
            let mut unit = narrowest;
            let mut is_tied = false;
            for Addition { to, added, factor } in self.additions() {
                let is_read = source(&self.stages[to]) == place;
                let tied = match (of_sources[added], of_sums[to]) {
                    (Some(other), _) if is_read => {
                        let sum = (factor * widest[to] / other).floor() * other / factor;
                        of_sums[to] = Some(sum);
                        sum / (sum / narrowest).ceil().max(1.0)
                    }
                    (None, Some(sum)) if added == place => factor * sum / (factor * sum / narrowest).ceil(),
                    _ => continue,
                };
                if is_tied {
                    return Err(Self::unsupported(&self.stages[to]));
                }
                (unit, is_tied) = (tied, true);
            }
            of_sources[place] = Some(unit);
            for reader in readers {
                // Of a unit of 0, which is told as too noisy, no multiple is more.
                let lift = (widest[reader] / unit.max(f64::MIN_POSITIVE)).floor().clamp(1.0, MOST_FACTOR);
                of_sums[reader].get_or_insert(lift * unit);
            }
            for Addition { to, added, factor } in self.additions() {
                let is_only_added = self.stages.iter().chain([self.last]).all(|stage| source(stage) != added);
                if source(&self.stages[to]) == place && is_only_added && of_sources[added].is_none() {
                    of_sources[added] = of_sums[to].map(|sum| factor * sum);
                }
            }
        }
        if of_sources[source(self.last)].is_some() {
            return Err(Self::unsupported(self.last));
        }
        let of_sums =
            of_sums.into_iter().map(|unit| unit.expect("invariant: each stage reads a place")).collect();
        Ok(Units { of_sources, of_sums })
    }

    /// What sums and the values that are added to them are multiplied by.
    fn factors(&self, units: &Units) -> Result<Vec<Factors>> {
        let factor = |stage: usize, unit: Option<f64>, factor: f64| {
            // A unit of 0 is told as too noisy.
            let ratio = factor * units.of_sums[stage] / unit.unwrap_or(0.0).max(f64::MIN_POSITIVE);
            let exact = ratio.round();
            if exact > MOST_FACTOR || (ratio - exact).abs() > NEAR * ratio.max(1.0) {
                return Err(Self::unsupported(&self.stages[stage]));
            }
            Ok(exact as i32)
        };
        let of_stage = |(index, stage): (usize, &Stage)| {
            let lift = factor(index, units.of_sources[source(stage)], 1.0)?;
            let added = stage
                .added
                .iter()
                .map(|&(from, count)| factor(index, units.of_sources[from + 1], count as f64));
            Ok(Factors { lift, added: added.collect::<Result<_>>()? })
        };
        self.stages.iter().enumerate().map(of_stage).collect()
    }
}
