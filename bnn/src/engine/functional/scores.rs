//! The scores: sums that are decrypted, and not looked up.
//!
//! A score s = sum w x with integers w has the noise |w| sigma of its inputs, on a range that must fit one turn of the
//! torus: large weights multiply the noise, and shrink the unit. But the client can add up: a score goes to it in *parts*,
//! the sums of its weights' digits, and of a share of its inputs each,
//!
//! ```text
//! s = sum over the parts of 2^(r k) sum d x,       d the digits k, of r bits, of the weights of the part's inputs
//! ```
//!
//! whose ranges are so much smaller, and whose unit so much larger. Parts cost no bootstrap, but 8 KB each in what the server
//! answers. There are as few as make the noise a 2000th of half the scores' range, and eight a score at most: digits of
//! several widths are tried, and ranges that a part may have, inputs being taken in their order until they reach it.

use tfhe_core::parameters::Parameters;

use super::{
    scale::{GUARD_DEVIATIONS, check_noise, square_norm},
    stage::{Range, Stage},
};
use crate::{
    client::{
        functional::{MOST_PARTS, ScoreLayout, ScorePart},
        unit::Unit,
    },
    error::Result,
};

/// The noise that parts are made for, in half ranges of the scores.
const WANTED_NOISE_SHARE: f64 = 1.0 / 2000.0;
/// Ranges that a part may have: the scores' over powers of the square root of 2.
const RANGES: u32 = 24;

/// What is sent of a score, and how it is computed.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) sent: ScorePart,
    /// Digits, and the places of the inputs that they multiply; at least one.
    pub(super) terms: Vec<(i32, usize)>,
}

/// How scores are cut into parts, and how these lie on the torus.
#[derive(Debug, Clone)]
pub(super) struct ScoreScale {
    pub(super) parts: Vec<Part>,
    /// One unit of a part's sum.
    pub(super) unit: Unit,
    /// The least and the greatest sum of a score.
    pub(super) range: (i64, i64),
    /// Standard deviation of the noisiest score, in units of the sums.
    pub(super) noise: f64,
}

impl ScoreScale {
    /// Scales the sums of the last stage.
    ///
    /// # Errors
    /// [`Error::TooNoisy`](crate::Error::TooNoisy), naming the layer, where scores would be lost in noise.
    pub(super) fn new(stage: &Stage, inputs: Range, variance: f64, parameters: &Parameters) -> Result<Self> {
        let rows: Vec<&[i32]> = stage.linear.weights().iter().collect();
        let divisor = rows.iter().copied().flatten().fold(0, |a, &b| gcd(a, b.unsigned_abs())).max(1);
        let bounds: Vec<(i64, i64)> = rows.iter().map(|row| inputs.sums(row)).collect();
        let ends = bounds.iter().enumerate().map(|(class, &(low, high))| {
            let constant = stage.linear.constant(class);
            (low + constant, high + constant)
        });
        let range = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).expect("invariant: a class");
        let half = bounds.iter().map(|(low, high)| (high - low) as f64 / 2.0).fold(0.5, f64::max);

        let widest = rows.iter().copied().flatten().map(|w| w.unsigned_abs() / divisor).max().unwrap_or(0);
        let bits = widest.max(1).ilog2() + 1;
        let wanted = half * WANTED_NOISE_SHARE;
        let mut best: Option<Self> = None;
        for digits in (1..=bits).rev() {
            for power in 0..RANGES {
                let room = half / f64::from(divisor) / (f64::from(power) / 2.0).exp2();
                // Whole weights in one part come first, and smaller ranges are only more parts.
                let Some(parts) = cut(&rows, inputs, divisor, (digits, bits), room) else { break };
                let candidate = Self::of(parts, &rows, range, inputs, variance);
                let better = best.as_ref().is_none_or(|best| {
                    let (new, old) = (candidate.noise.max(wanted), best.noise.max(wanted));
                    new < old || new == old && candidate.parts.len() < best.parts.len()
                });
                if better {
                    best = Some(candidate);
                }
            }
        }
        let best = best.expect("invariant: whole weights in one part are a candidate");
        check_noise(&stage.name, best.noise, half, parameters)?;
        Ok(best)
    }

    fn of(parts: Vec<Part>, rows: &[&[i32]], range: (i64, i64), inputs: Range, variance: f64) -> Self {
        let digits = |part: &Part| -> Vec<i32> { part.terms.iter().map(|&(digit, _)| digit).collect() };
        let (mut half, mut noisiest) = (0.5_f64, 0.0_f64);
        for part in &parts {
            let digits = digits(part);
            let ((low, high), square) = (inputs.sums(&digits), square_norm(&digits) * variance);
            half = half.max((high - low + 1) as f64 / 2.0);
            noisiest = noisiest.max(square);
        }
        let unit = Unit::at_most(((0.5 - GUARD_DEVIATIONS * noisiest.sqrt()) / half).max(0.0));
        // Digits of one weight multiply the same noise: it adds up to the weight's.
        let noise = rows.iter().map(|row| square_norm(row)).fold(0.0, f64::max).sqrt() * variance.sqrt()
            / unit.real();
        Self { parts, unit, range, noise }
    }

    /// How the client reads the scores of classes with these biases.
    pub(super) fn layout(&self, biases: Vec<i32>, shift: u32, rectified: bool) -> ScoreLayout {
        let parts = self.parts.iter().map(|part| part.sent).collect();
        ScoreLayout { unit: self.unit, parts, biases, shift, rectified }
    }
}

/// Cuts rows into parts: digits of so many bits of the weights over `divisor`, which have `bits` bits, and as many inputs
/// as keep half the range of a part within `room`. `None` where a score would have too many parts.
fn cut(
    rows: &[&[i32]],
    inputs: Range,
    divisor: u32,
    (digits, bits): (u32, u32),
    room: f64,
) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for (class, row) in rows.iter().enumerate() {
        let first = parts.len();
        for shift in (0..bits).step_by(digits as usize) {
            let digit = |w: i32| {
                // The magnitude of the least weight has 32 bits.
                let magnitude = (i64::from(w.unsigned_abs() / divisor) >> shift) & ((1 << digits) - 1);
                (i64::from(w.signum()) * magnitude) as i32
            };
            let sent = ScorePart { class, factor: i64::from(divisor) << shift, centre_halves: 0 };
            let mut part = Part { sent, terms: Vec::new() };
            let mut low_and_high = (0, 0);
            for (place, digit) in row.iter().map(|&w| digit(w)).enumerate().filter(|&(_, digit)| digit != 0) {
                let (low, high) = inputs.products(digit);
                let (least, most) = (low_and_high.0 + low, low_and_high.1 + high);
                if (most - least) as f64 / 2.0 > room && !part.terms.is_empty() {
                    if parts.len() + 1 - first == MOST_PARTS {
                        return None;
                    }
                    let next = Part { sent, terms: Vec::new() };
                    parts.push(std::mem::replace(&mut part, next));
                    low_and_high = (low, high);
                } else {
                    low_and_high = (least, most);
                }
                part.terms.push((digit, place));
            }
            if !part.terms.is_empty() {
                if parts.len() - first == MOST_PARTS {
                    return None;
                }
                parts.push(part);
            }
        }
        // A row of zeros still needs a value to give its score a part.
        if parts.last().is_none_or(|part| part.sent.class != class) {
            let sent = ScorePart { class, factor: divisor.into(), centre_halves: 0 };
            parts.push(Part { sent, terms: vec![(0, 0)] });
        }
    }
    for part in &mut parts {
        let digits: Vec<i32> = part.terms.iter().map(|&(digit, _)| digit).collect();
        let (low, high) = inputs.sums(&digits);
        part.sent.centre_halves = low + high;
    }
    Some(parts)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Parts add up to the score, and each stays within its range.
        #[test]
        fn parts_add_up(
            rows in proptest::collection::vec(proptest::collection::vec(-200..=200_i32, 9), 1..=3),
            x in proptest::collection::vec(-3..=5_i64, 9),
            multiple in 1..=12_i32,
            (digits, room) in (1..=8_u32, 1.0..=3000.0_f64),
        ) {
            let rows: Vec<Vec<i32>> =
                rows.into_iter().map(|row| row.into_iter().map(|w| w * multiple).collect()).collect();
            let rows: Vec<&[i32]> = rows.iter().map(Vec::as_slice).collect();
            let inputs = Range::Interval { low: -3, high: 5 };
            let Some(parts) = cut(&rows, inputs, multiple.unsigned_abs(), (digits, 8), room) else { return Ok(()) };
            let scale = ScoreScale::of(parts, &rows, (0, 0), inputs, 1e-12);
            let sum = |part: &Part| part.terms.iter().map(|&(digit, place)| i64::from(digit) * x[place]).sum::<i64>();
            let phases: Vec<f64> = scale
                .parts
                .iter()
                .map(|part| (sum(part) as f64 - part.sent.centre_halves as f64 / 2.0) * scale.unit.real())
                .collect();
            prop_assert!(phases.iter().all(|phase| phase.abs() < 0.5));
            let expected: Vec<i64> =
                rows.iter().map(|row| row.iter().zip(&x).map(|(&w, x)| i64::from(w) * x).sum()).collect();
            prop_assert_eq!(scale.layout(vec![0; rows.len()], 0, false).sums(&phases), expected);
        }
    }
}
