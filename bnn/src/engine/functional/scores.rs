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

use std::collections::BTreeMap;

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
    /// The least and the greatest sum of a score, as calibrated if it is.
    pub(super) range: (i64, i64),
    /// The least and the greatest sum that an accepted picture can have.
    pub(super) worst_case: (i64, i64),
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
        let worst_case = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).expect("invariant: a class");
        let range = stage.planned(worst_case);
        let half = bounds.iter().map(|(low, high)| (high - low) as f64 / 2.0).fold(0.5, f64::max);

        let widest = rows.iter().copied().flatten().map(|w| w.unsigned_abs() / divisor).max().unwrap_or(0);
        let bits = widest.max(1).ilog2() + 1;
        // What is sent has room for every sum; the noise is to be small beside those that there are.
        let usual = half.min(((range.1 - range.0) as f64 / 2.0).max(0.5));
        let wanted = usual * WANTED_NOISE_SHARE;
        let quotients: Vec<Vec<i64>> =
            rows.iter().map(|row| row.iter().map(|&w| i64::from(w) / i64::from(divisor)).collect()).collect();
        let norm = rows.iter().map(|row| square_norm(row)).fold(0.0, f64::max).sqrt();
        let rooms: Vec<f64> =
            (0..RANGES).map(|power| half / f64::from(divisor) / (f64::from(power) / 2.0).exp2()).collect();
        let mut best: Option<Candidate> = None;
        for digits in (1..=bits).rev() {
            // Once the noise is small enough, only fewer parts are better.
            let most_parts = match &best {
                Some(best) if best.noise <= wanted => best.drafts.len() - 1,
                _ => usize::MAX,
            };
            let cut_to = |rooms: &[f64]| cuts(&quotients, inputs, (digits, bits), rooms, most_parts);
            // Whole weights in one part come first. (Where few inputs can be set at once, the ranges of products add up to more
            // than there is.)
            let cuts = match cut_to(&rooms) {
                cuts if cuts.is_empty() && best.is_none() => cut_to(&[f64::INFINITY]),
                cuts => cuts,
            };
            for drafts in cuts {
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
        Ok(Self { parts, unit, range, worst_case, noise })
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
/// keep half the range of a part within a room. Rooms fall, so that each cut has as many parts as the one before or more; equal
/// cuts come once. They end with the first room in which a score would have too many parts, or all would have more than
/// `most_parts`.
fn cuts(
    rows: &[Vec<i64>],
    inputs: Range,
    (digits, bits): (u32, u32),
    rooms: &[f64],
    most_parts: usize,
) -> Vec<Vec<Draft>> {
    let mut cuts = vec![Vec::new(); rooms.len()];
    for (class, row) in rows.iter().enumerate() {
        let before: Vec<usize> = cuts.iter().map(Vec::len).collect();
        for shift in (0..bits).step_by(digits as usize) {
            let sums = DigitSums::new(row, (shift, digits), inputs);
            let fits = |(cut, drafts): (usize, &mut Vec<Draft>)| {
                let most = most_parts.min(before[cut] + MOST_PARTS);
                drafts.extend(sums.cut(class, rooms[cut]).take(most + 1 - drafts.len()));
                drafts.len() <= most
            };
            let fitting = cuts.iter_mut().enumerate().map(fits).take_while(|&fits| fits).count();
            cuts.truncate(fitting);
        }
        for (drafts, &before) in cuts.iter_mut().zip(&before) {
            // A row of zeros still needs a value to give its score a part.
            if drafts.len() == before {
                drafts.push(Draft { class, shift: 0, places: 0..1, range: (0, 0), square_norm: 0.0 });
            }
        }
    }
    cuts.dedup_by(|second, first| {
        second.len() == first.len()
            && second.iter().zip(&**first).all(|(second, first)| second.places == first.places)
    });
    if let Range::Bits { active } = inputs {
        // Many cuts have a part in common.
        let mut ranges = BTreeMap::new();
        for draft in cuts.iter_mut().flatten().filter(|draft| active < draft.places.len()) {
            let Draft { class, shift, places, .. } = draft.clone();
            let digit = |&w: &i64| digit_of(w, shift, digits);
            let sums = || inputs.sums(&rows[class][places.clone()].iter().map(digit).collect::<Vec<_>>());
            draft.range = *ranges.entry((class, shift, places.start, places.end)).or_insert_with(sums);
        }
    }
    cuts
}

/// The digits of a row that are not 0, and sums over those before each: what any run of them comes to is a difference.
struct DigitSums {
    /// The lowest bit of the digits.
    shift: u32,
    /// Where the digits are.
    places: Vec<usize>,
    /// Before each digit and after the last: the least and the greatest sums, and the digits' squares.
    before: Vec<(i64, i64, u128)>,
}

impl DigitSums {
    fn new(row: &[i64], (shift, digits): (u32, u32), inputs: Range) -> Self {
        let (mut low, mut high, mut squares) = (0, 0, 0);
        let mut sums = Self { shift, places: Vec::new(), before: vec![(low, high, squares)] };
        for (place, &w) in row.iter().enumerate() {
            let digit = digit_of(w, shift, digits);
            if digit != 0 {
                let (least, most) = inputs.products(digit.into());
                (low, high) = (low + least, high + most);
                squares += u128::from(digit.unsigned_abs()).pow(2);
                sums.places.push(place);
                sums.before.push((low, high, squares));
            }
        }
        sums
    }

    /// Parts with as many digits as keep half the range within `room`, and one at least.
    fn cut(&self, class: usize, room: f64) -> impl Iterator<Item = Draft> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let first = *self.places.get(start)?;
            let (low, high, squares) = self.before[start];
            let fits =
                |&(least, most, _): &(i64, i64, u128)| ((most - high) - (least - low)) as f64 / 2.0 <= room;
            let end = start + 1 + self.before[start + 2..].partition_point(fits);
            let (least, most, all) = self.before[end];
            let places = first..self.places[end - 1] + 1;
            let (range, square_norm) = ((least - low, most - high), (all - squares) as f64);
            start = end;
            Some(Draft { class, shift: self.shift, places, range, square_norm })
        })
    }
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
            let Some(drafts) = cuts(&quotients, inputs, (digits, 8), &[room], usize::MAX).pop() else { return Ok(()) };
            let part = |draft: &Draft| draft.part(&quotients[draft.class], multiple.unsigned_abs(), digits);
            let parts = drafts.iter().map(part).collect();
            let scale = ScoreScale { parts, unit: unit_of(&drafts, 1e-12), range: (0, 0), worst_case: (0, 0), noise: 0.0 };
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

        /// Cuts for many rooms at once are those for each room alone, without repetitions.
        #[test]
        fn rooms_share_their_sums(
            rows in proptest::collection::vec(proptest::collection::vec(-200..=200_i64, 40), 1..=3),
            (digits, active) in (1..=8_u32, 1..=40_usize),
            most_parts in 3..=30_usize,
        ) {
            let inputs = Range::Bits { active };
            let rooms: Vec<f64> = (0..24).map(|power| 4000.0 / (f64::from(power) / 2.0).exp2()).collect();
            let facts = |drafts: Vec<Draft>| -> Vec<_> {
                let fact = |draft: &Draft| (draft.class, draft.shift, draft.places.clone(), draft.range, draft.square_norm);
                drafts.iter().map(fact).collect()
            };
            let all: Vec<_> = cuts(&rows, inputs, (digits, 8), &rooms, most_parts).into_iter().map(facts).collect();
            let alone = |room: &f64| cuts(&rows, inputs, (digits, 8), &[*room], most_parts).pop().map(facts);
            let mut expected: Vec<_> = rooms.iter().map_while(alone).collect();
            expected.dedup();
            prop_assert_eq!(all, expected);
        }
    }
}
