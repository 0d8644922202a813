//! How the sums of a stage lie on the torus.
//!
//! A *unit* is what an integer 1 of a stage's sums takes of the torus. It is as large as it may be while the least and the
//! greatest sum that an accepted picture can have, or that calibration pictures had if the model knows it, stay, with a guard of 8 standard deviations of their noise, within what
//! is looked up rightly: half a turn to either side for signs, a quarter for another table, which is centred on the
//! range. With D the greatest less the least:
//!
//! ```text
//! sign          u = (1/2 - 8 sigma) / greatest magnitude
//! clip, table   u = (1/2 - 8 sigma) / (S + greatest distance from the middle of the slope)
//! another       u = (1/2 - 16 sigma) / D
//! ```
//!
//! **Clips.** A table f on the torus has f(x + 1/2) = -f(x). A clip (or a curve) rises on a slope, here from -S to S, and is flat on either side.
//! Less the value in the middle of the slope it is odd, and so it stays flat up to 1/2 - S: a sum that is twice as far
//! away as a quarter of a turn is still looked up rightly. A sign is the clip whose slope is one step. What was subtracted
//! is added to the result.
//!
//! **Maxima.** 2 max(a, b) = a + b + |a - b|, and |x| - 1/4 is negacyclic: as a table it is right on the whole torus, where
//! max(a, 0) would be right on half of it. So differences have twice the room, and half the noise. A maximum comes at
//! twice the unit of its operands. Squares of 4 have two levels: values at u are multiplied by 4 and by 2 to be looked up
//! at 4 u, and the maxima are at 4 u.
//!
//! ```text
//! lookup at level l    j (a - b),  j = 2^(L-l)                  variance j^2 2 v + decision
//! result               a + b + (|x| - 1/4) / j + 1/(4 j)        variance 4 v + decision / j^2 + blind rotation
//! ```

use tfhe_core::{bootstrap::LookupTable, noise, parameters::Parameters, torus::Torus32};

use super::stage::{Activation, Range, Stage};
use crate::{
    client::unit::Unit,
    error::{Error, Result},
};

/// Standard deviations of its noise that every sum keeps from the edge of what is looked up rightly: passed once in 2^49
/// sums, and then only by the least or greatest of all sums.
pub(super) const GUARD_DEVIATIONS: f64 = 8.0;
/// A stage's noise may be this part of half its range at most; beyond, what it is to tell apart would be lost.
pub(super) const MOST_NOISE_SHARE: f64 = 1.0 / 64.0;
/// How the sums of one stage lie on the torus.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    /// One unit of a sum.
    pub(super) unit: Unit,
    /// For each channel the sum that is at phase 0, in half units: odd for signs, whose step is between -1 and 0.
    centre_halves: Vec<i64>,
    /// log2 of how much larger the unit is after the maxima.
    pub(super) levels: u32,
    /// The least and the greatest sum that it is made for.
    pub(super) range: (i64, i64),
    /// The least and the greatest sum that an accepted picture can have.
    pub(super) worst_case: (i64, i64),
    /// Standard deviation of the noise of what the activation reads, in units.
    pub(super) noise: f64,
    pub(super) factors: Factors,
    /// The unit of what the activation gives; none where it is for the scores to choose.
    pub(super) output: Option<Unit>,
}

/// What a stage multiplies by on the torus (see [`units`](super::units)).
#[derive(Debug, Clone, Default)]
pub(super) struct Factors {
    /// The sums.
    pub(super) lift: i32,
    /// Each of the values that are added to them.
    pub(super) added: Vec<i32>,
}

/// What a stage reads.
pub(super) struct Inputs {
    /// The range and the variance of what its linear map reads.
    pub(super) range: Range,
    pub(super) variance: f64,
    /// The range of all that is added to a sum.
    added_range: (i64, i64),
    added_variance: f64,
    factors: Factors,
}

impl Inputs {
    /// What a stage reads of the picture or of stages before it, whose values are added times these factors.
    pub(super) fn new(
        stage: &Stage,
        picture: Range,
        (stages, scales): (&[Stage], &[Scale]),
        factors: Factors,
        parameters: &Parameters,
    ) -> Self {
        let outputs = |source: usize| scales[source].outputs(&stages[source]);
        let bootstrapped = noise::bootstrapped(parameters);
        let (range, variance) = match stage.reads {
            None => (picture, noise::fresh(parameters)),
            Some(source) => (outputs(source), bootstrapped),
        };
        let (range, variance) = stage.reads_of(range, variance);
        let of_added = stage.added.iter().map(|&(source, factor)| outputs(source).products(factor));
        let added_range = of_added.fold((0, 0), |sum, range| (sum.0 + range.0, sum.1 + range.1));
        let added_variance = square_norm(&factors.added) * bootstrapped;
        Self { range, variance, added_range, added_variance, factors }
    }
}

impl Scale {
    /// Scales the sums of a stage, with a unit or with the largest that fits.
    ///
    /// # Errors
    /// [`Error::TooNoisy`], naming the layer, where sums would be lost in noise.
    pub(super) fn new(
        stage: &Stage,
        inputs: Inputs,
        unit: Option<Unit>,
        parameters: &Parameters,
    ) -> Result<Self> {
        let (mut least, mut most, mut norm) = (i64::MAX, i64::MIN, 0.0_f64);
        for (channel, row) in stage.linear.weights().iter().enumerate() {
            let ((low, high), constant) = (inputs.range.sums(row), stage.linear.constant(channel));
            let (added_low, added_high) = inputs.added_range;
            (least, most) = (least.min(low + added_low + constant), most.max(high + added_high + constant));
            norm = norm.max(square_norm(row));
        }
        let worst_case = (least, most);
        let (least, most) = stage.planned(worst_case);
        let cells = stage.pools.iter().map(|(pool, _)| pool.size() * pool.size());
        let levels: u32 = cells.map(|cells| cells.next_power_of_two().ilog2()).sum();

        let lookup = noise::decision(parameters, 0.0);
        let lifted = f64::from(inputs.factors.lift).powi(2) * inputs.variance;
        let (mut value, mut noisiest) = (norm * lifted + inputs.added_variance, 0.0_f64);
        for level in 0..levels {
            let square = f64::from(2 * (levels - level)).exp2();
            noisiest = noisiest.max(2.0 * square * value + lookup);
            value = 4.0 * value + lookup / square + noise::bootstrapped(parameters);
        }
        let deviation = (value + lookup).sqrt();
        let guard = GUARD_DEVIATIONS * noisiest.max(value + lookup).sqrt();

        // Half a unit to either side keeps a range of one sum from being none.
        let width = (most - least + 1) as f64;
        let channels = stage.linear.weights().rows();
        // What is looked up on half of the torus keeps a guard at both of its ends.
        let (looked_up, centre_halves, ends) = match stage.activation {
            Activation::Sign => {
                let magnitude = (most.unsigned_abs().max(least.unsigned_abs()) + 1) as f64;
                (if levels > 0 { width.max(magnitude) } else { magnitude }, vec![-1; channels], 1.0)
            }
            Activation::Clip(..) | Activation::Table(_) => {
                let slopes = (0..channels).map(|channel| slope(stage, channel, (least, most)));
                let needed = |&(start, end): &(i64, i64)| {
                    let furthest = (2 * most - start - end).max(start + end - 2 * least) + 1;
                    (end - start + furthest) as f64 / 2.0
                };
                let slopes: Vec<(i64, i64)> = slopes.collect();
                let needed = slopes.iter().map(needed).fold(0.0, f64::max);
                // Differences of maxima have the whole range.
                let needed = if levels > 0 { width.max(needed) } else { needed };
                (needed, slopes.into_iter().map(|(start, end)| start + end).collect(), 1.0)
            }
            Activation::Relu | Activation::Identity | Activation::Scores => {
                (width, vec![least + most; channels], 2.0)
            }
        };
        let widest = ((0.5 - ends * guard) / looked_up).max(0.0) / f64::from(levels).exp2();
        let unit = unit.unwrap_or(Unit::at_most(widest));
        let noise = deviation / (unit.real() * f64::from(levels).exp2());
        // Half of what is looked up on the whole torus is the range; half of a range is what is on half of it.
        check_noise(&stage.name, noise, looked_up / ends, parameters)?;
        let range = (least, most);
        Ok(Self {
            unit,
            centre_halves,
            levels,
            range,
            worst_case,
            noise,
            factors: inputs.factors,
            output: None,
        })
    }

    /// The unit of what the activation reads.
    fn activation_unit(&self) -> f64 {
        self.unit.real() * f64::from(self.levels).exp2()
    }

    /// What is added to the sums of a channel, in torus units.
    pub(super) fn constant(&self, stage: &Stage, channel: usize) -> f64 {
        (2 * stage.linear.constant(channel) - self.centre_halves[channel]) as f64 / 2.0 * self.unit.real()
    }

    /// The table of |x| for lookups that are multiplied by `factor`, less the constant 1/(4 factor).
    pub(super) fn magnitude(size: usize, factor: i32) -> LookupTable {
        LookupTable::from_function(size, |x| (x.abs() - 0.25) / f64::from(factor))
    }

    /// What is added to what a channel's table gives, in units of the next stage.
    pub(super) fn middle(&self, stage: &Stage, channel: usize) -> f64 {
        if !matches!(stage.activation, Activation::Clip(..) | Activation::Table(_)) {
            return 0.0;
        }
        let (low, high) = self.range;
        (stage.activated(channel, low) + stage.activated(channel, high)) as f64 / 2.0
    }

    /// The table of a channel's activation less its [middle](Self::middle), whose values are in the unit `next`.
    pub(super) fn activation(&self, stage: &Stage, channel: usize, size: usize, next: f64) -> LookupTable {
        if stage.activation == Activation::Sign {
            return LookupTable::sign(size, Torus32::from_real(next));
        }
        let (low, high) = self.range;
        let (centre, middle) = (self.centre_halves[channel] as f64 / 2.0, self.middle(stage, channel));
        LookupTable::from_function(size, |x| {
            // Noise may pass the range, which values do not: so that the next layer's sums keep theirs.
            let sum = ((x / self.activation_unit() + centre).round() as i64).clamp(low, high);
            (stage.activated(channel, sum) as f64 - middle) * next
        })
    }

    /// The range of what the activation gives.
    pub(super) fn outputs(&self, stage: &Stage) -> Range {
        if stage.activation == Activation::Sign {
            return Range::Interval { low: -1, high: 1 };
        }
        let channels = 0..stage.linear.weights().rows();
        let of = |sum| channels.clone().map(move |channel| stage.activated(channel, sum));
        // Monotone: its extremes are those of the sums.
        let low = of(self.range.0).min().expect("invariant: a layer has a row");
        let high = of(self.range.1).max().expect("invariant: a layer has a row");
        Range::Interval { low, high }
    }
}

/// Where a channel's clip rises: the greatest sum of a range up to which it is at its lowest there, and the least from which on it is
/// at its highest.
fn slope(stage: &Stage, channel: usize, (least, most): (i64, i64)) -> (i64, i64) {
    let (lowest, highest) = (stage.activated(channel, least), stage.activated(channel, most));
    // The first sum of those above `least` whose value is beyond; it is monotone.
    let first = |is_beyond: &dyn Fn(i64) -> bool| {
        let (mut before, mut from) = (least, most);
        while before + 1 < from {
            let sum = before + (from - before) / 2;
            if is_beyond(stage.activated(channel, sum)) { from = sum } else { before = sum }
        }
        from
    };
    if lowest == highest {
        return (least, most);
    }
    (first(&|value| value > lowest) - 1, first(&|value| value >= highest))
}

/// Refuses a layer whose noise is too large a part of half its range.
pub(super) fn check_noise(layer: &str, noise: f64, half_range: f64, parameters: &Parameters) -> Result<()> {
    // A unit of 0 has infinite noise.
    if noise <= half_range * MOST_NOISE_SHARE {
        return Ok(());
    }
    Err(Error::TooNoisy { layer: layer.into(), half_range, noise, parameters: parameters.name() })
}

pub(super) fn square_norm(row: &[i32]) -> f64 {
    row.iter().map(|&w| f64::from(w).powi(2)).sum()
}
