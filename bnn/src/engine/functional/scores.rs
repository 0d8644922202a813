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

/// A part that is tried: digits of a row, without them.
#[derive(Debug, Clone)]
struct Draft {
    class: usize,
    /// The lowest bit of the digits.
    shift: u32,
    places: std::ops::Range<usize>,
    /// The least and the greatest sum.
    range: (i64, i64),
    /// The square of the digits' Euclidean norm.
    square_norm: f64,
}

/// A way to cut scores.
struct Candidate {
    drafts: Vec<Draft>,
    /// Bits of a digit.
    digits: u32,
    unit: Unit,
    /// As in [`ScoreScale`].
    noise: f64,
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
        let quotients: Vec<Vec<i64>> =
            rows.iter().map(|row| row.iter().map(|&w| i64::from(w) / i64::from(divisor)).collect()).collect();
        let norm = rows.iter().map(|row| square_norm(row)).fold(0.0, f64::max).sqrt();
        let mut best: Option<Candidate> = None;
        for digits in (1..=bits).rev() {
            for power in 0..RANGES {
                let room = half / f64::from(divisor) / (f64::from(power) / 2.0).exp2();
                // Once the noise is small enough, only fewer parts are better.
                let most_parts = match &best {
                    Some(best) if best.noise <= wanted => best.drafts.len() - 1,
                    _ => usize::MAX,
                };
                let cut_to = |room| cut(&quotients, inputs, (digits, bits), room, most_parts);
                // Whole weights in one part come first, and smaller ranges are only more parts. (Where few inputs can be set
                // at once, the ranges of products add up to more than there is.)
                let drafts = match cut_to(room) {
                    None if best.is_none() => cut_to(f64::INFINITY),
                    drafts => drafts,
                };
                let Some(drafts) = drafts else { break };
                let unit = unit_of(&drafts, variance);
                // Digits of one weight multiply the same noise: it adds up to the weight's.
                let noise = norm * variance.sqrt() / unit.real();
                let better = best.as_ref().is_none_or(|best| {
                    let (new, old) = (noise.max(wanted), best.noise.max(wanted));
                    new < old || new == old && drafts.len() < best.drafts.len()
                });
                if better {
                    best = Some(Candidate { drafts, digits, unit, noise });
                }
            }
        }
        let Candidate { drafts, digits, unit, noise } =
            best.expect("invariant: whole weights in one part are a candidate");
        check_noise(&stage.name, noise, half, parameters)?;
        let parts = drafts.iter().map(|draft| draft.part(&quotients[draft.class], divisor, digits)).collect();
        Ok(Self { parts, unit, range, noise })
    }

    /// How the client reads the scores of classes with these biases.
    pub(super) fn layout(&self, biases: Vec<i32>, shift: u32, rectified: bool) -> ScoreLayout {
        let parts = self.parts.iter().map(|part| part.sent).collect();
        ScoreLayout { unit: self.unit, parts, biases, shift, rectified }
    }
}

/// The largest unit at which the sums of all parts stay on the torus.
fn unit_of(drafts: &[Draft], variance: f64) -> Unit {
    let (mut half, mut noisiest) = (0.5_f64, 0.0_f64);
    for draft in drafts {
        let (low, high) = draft.range;
        half = half.max((high - low + 1) as f64 / 2.0);
        noisiest = noisiest.max(draft.square_norm * variance);
    }
    Unit::at_most(((0.5 - GUARD_DEVIATIONS * noisiest.sqrt()) / half).max(0.0))
}

/// Cuts rows of weights over their divisor, which have `bits` bits, into parts: digits of so many bits, and as many inputs as
/// keep half the range of a part within `room`. `None` where a score would have too many parts, or all would have more than
/// `most_parts`.
fn cut(
    rows: &[Vec<i64>],
    inputs: Range,
    (digits, bits): (u32, u32),
    room: f64,
    most_parts: usize,
) -> Option<Vec<Draft>> {
    let mut drafts: Vec<Draft> = Vec::new();
    for (class, row) in rows.iter().enumerate() {
        let first = drafts.len();
        let is_full = |drafts: &[Draft]| drafts.len() - first == MOST_PARTS || drafts.len() >= most_parts;
        for shift in (0..bits).step_by(digits as usize) {
            let empty = |start| Draft { class, shift, places: start..start, range: (0, 0), square_norm: 0.0 };
            let mut draft = empty(0);
            for (place, digit) in row.iter().map(|&w| digit_of(w, shift, digits)).enumerate() {
                if digit == 0 {
                    continue;
                }
                let (low, high) = inputs.products(digit);
                let (least, most) = (draft.range.0 + low, draft.range.1 + high);
                if (most - least) as f64 / 2.0 > room && !draft.places.is_empty() {
                    drafts.push(std::mem::replace(&mut draft, empty(place)));
                    if is_full(&drafts) {
                        return None;
                    }
                    draft.range = (low, high);
                } else {
                    draft.range = (least, most);
                }
                draft.places.end = place + 1;
                draft.square_norm += f64::from(digit).powi(2);
            }
            if !draft.places.is_empty() {
                if is_full(&drafts) {
                    return None;
                }
                drafts.push(draft);
            }
        }
        // A row of zeros still needs a value to give its score a part.
        if drafts.len() == first {
            drafts.push(Draft { class, shift: 0, places: 0..1, range: (0, 0), square_norm: 0.0 });
        }
    }
    for draft in &mut drafts {
        if matches!(inputs, Range::Bits { active } if active < draft.places.len()) {
            let row = &rows[draft.class][draft.places.clone()];
            let digits: Vec<i32> = row.iter().map(|&w| digit_of(w, draft.shift, digits)).collect();
            draft.range = inputs.sums(&digits);
        }
    }
    Some(drafts)
}

/// The digit of so many bits of a weight, with the weight's sign.
fn digit_of(w: i64, shift: u32, digits: u32) -> i32 {
    // The magnitude of the least weight has 32 bits.
    let magnitude = (w.abs() >> shift) & ((1 << digits) - 1);
    (w.signum() * magnitude) as i32
}

impl Draft {
    /// The part, of digits of so many bits of a row.
    fn part(&self, row: &[i64], divisor: u32, digits: u32) -> Part {
        let (low, high) = self.range;
        let factor = i64::from(divisor) << self.shift;
        let sent = ScorePart { class: self.class, factor, centre_halves: low + high };
        let digit = |place: usize| digit_of(row[place], self.shift, digits);
        let mut terms: Vec<(i32, usize)> =
            self.places.clone().map(|place| (digit(place), place)).filter(|&(digit, _)| digit != 0).collect();
        if terms.is_empty() {
            terms.push((0, self.places.start));
        }
        Part { sent, terms }
    }
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
            let quotients: Vec<Vec<i64>> =
                rows.iter().map(|row| row.iter().map(|&w| i64::from(w / multiple)).collect()).collect();
            let Some(drafts) = cut(&quotients, inputs, (digits, 8), room, usize::MAX) else { return Ok(()) };
            let part = |draft: &Draft| draft.part(&quotients[draft.class], multiple.unsigned_abs(), digits);
            let parts = drafts.iter().map(part).collect();
            let scale = ScoreScale { parts, unit: unit_of(&drafts, 1e-12), range: (0, 0), noise: 0.0 };
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
