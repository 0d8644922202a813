//! Arithmetic on words, in the netlist's style.
//!
//! * [`columns`]: sums of many words, carry-save;
//! * [`multiply`]: products of two words, and of a word with constants;
//! * [`compare`]: comparisons, and what selects by them: max, min, argmax.
//!
//! Results have the least width that holds them, whatever the style.
//!
//! ```
//! use bnn::circuit::{arithmetic::{popcount, relu, subtract}, netlist::{Netlist, Style}, word::Word};
//! let mut netlist = Netlist::new(Style::Optimized, 4);
//! let bits: Vec<_> = (0..4).map(|index| netlist.input(index)).collect();
//! // max(bits set - 2, 0)
//! let count = popcount(&mut netlist, &bits);
//! let above = subtract(&mut netlist, &count, &Word::constant(2));
//! let above = relu(&mut netlist, &above);
//! assert_eq!((above.low(), above.high()), (0, 2));
//! assert_eq!(Word::value(&netlist.simulate(&[true, true, false, true], above.bits())), 1);
//! ```

pub mod columns;
pub mod compare;
pub mod multiply;

use self::columns::{Columns, Sign};
use super::{
    bit::Bit,
    netlist::{Netlist, Style},
    word::{Word, width},
};

/// Sum and carry of three bits: XOR3 and MAJ, or the five gates of two XOR, two AND and one OR.
pub fn full_adder(netlist: &mut Netlist, a: Bit, b: Bit, c: Bit) -> (Bit, Bit) {
    match netlist.style() {
        Style::Optimized => {
            // The carry first: a sum whose carry is there needs no bootstrap.
            let carry = netlist.maj(a, b, c);
            (netlist.xor3(a, b, c), carry)
        }
        Style::AsPublished => {
            let half = netlist.xor(a, b);
            let (both, passed) = (netlist.and(a, b), netlist.and(c, half));
            (netlist.xor(half, c), netlist.or(both, passed))
        }
    }
}

/// a + b + carry on as many bits as `a` has, no more than `b`'s, carries rippling from the lowest; the last carry is dropped.
pub fn ripple(netlist: &mut Netlist, a: &[Bit], b: &[Bit], mut carry: Bit) -> Vec<Bit> {
    let bits = a.len();
    let mut sum = Vec::with_capacity(bits);
    for (index, (&a, &b)) in a.iter().zip(b).enumerate() {
        let last = index + 1 == bits;
        let (bit, next) =
            if last { (netlist.xor3(a, b, carry), Bit::FALSE) } else { full_adder(netlist, a, b, carry) };
        sum.push(bit);
        carry = next;
    }
    sum
}

/// a + b.
pub fn add(netlist: &mut Netlist, a: &Word, b: &Word) -> Word {
    sum(netlist, &[(Sign::Plus, a), (Sign::Plus, b)])
}

/// a - b.
pub fn subtract(netlist: &mut Netlist, a: &Word, b: &Word) -> Word {
    sum(netlist, &[(Sign::Plus, a), (Sign::Minus, b)])
}

/// -a.
pub fn negate(netlist: &mut Netlist, a: &Word) -> Word {
    sum(netlist, &[(Sign::Minus, a)])
}

/// The sum of many words, each with its sign.
pub fn sum(netlist: &mut Netlist, terms: &[(Sign, &Word)]) -> Word {
    let (mut low, mut high) = (0, 0);
    for (sign, word) in terms {
        let (least, greatest) = sign.interval(word.low(), word.high());
        low += least;
        high += greatest;
    }
    let width = width(low, high);
    let bits = match netlist.style() {
        Style::Optimized => {
            let mut columns = Columns::new(width);
            terms.iter().for_each(|(sign, word)| columns.add(*sign, word, 0));
            columns.sum(netlist)
        }
        Style::AsPublished => sum_by_pairs(netlist, terms).extended(width),
    };
    Word::new(bits, low, high)
}

/// The sum of many words: pairs by ripple carry, then pairs of sums.
fn sum_by_pairs(netlist: &mut Netlist, terms: &[(Sign, &Word)]) -> Word {
    let mut left: Vec<(Sign, Word)> = terms.iter().map(|&(sign, word)| (sign, word.clone())).collect();
    while left.len() > 1 {
        let mut sums = Vec::with_capacity(left.len().div_ceil(2));
        for pair in left.chunks(2) {
            sums.push(match pair {
                [(x, a), (y, b)] if x == y => (*x, add_or_subtract(netlist, a, Sign::Plus, b)),
                [(Sign::Plus, a), (_, b)] | [(_, b), (_, a)] => {
                    (Sign::Plus, add_or_subtract(netlist, a, Sign::Minus, b))
                }
                _ => pair[0].clone(),
            });
        }
        left = sums;
    }
    match left.pop() {
        Some((Sign::Plus, total)) => total,
        Some((Sign::Minus, total)) => add_or_subtract(netlist, &Word::constant(0), Sign::Minus, &total),
        None => Word::constant(0),
    }
}

/// a + b or a - b by ripple carry.
fn add_or_subtract(netlist: &mut Netlist, a: &Word, sign: Sign, b: &Word) -> Word {
    let (least, greatest) = sign.interval(b.low(), b.high());
    let (low, high) = (a.low() + least, a.high() + greatest);
    let width = width(low, high);
    let negated = sign == Sign::Minus;
    let b: Vec<Bit> = b.extended(width).into_iter().map(|bit| bit.negate_if(negated)).collect();
    let bits = ripple(netlist, &a.extended(width), &b, negated.into());
    Word::new(bits, low, high)
}

/// The number of true bits.
pub fn popcount(netlist: &mut Netlist, bits: &[Bit]) -> Word {
    let words: Vec<Word> = bits.iter().map(|&bit| Word::new(vec![bit], 0, 1)).collect();
    sum(netlist, &words.iter().map(|word| (Sign::Plus, word)).collect::<Vec<_>>())
}

/// max(a, 0): an AND a bit.
pub fn relu(netlist: &mut Netlist, a: &Word) -> Word {
    let positive = !a.sign();
    let bits = a.bits()[..a.width() - 1].iter().map(|&bit| netlist.and(bit, positive)).collect();
    Word::new(bits, a.low().max(0), a.high().max(0))
}

#[cfg(test)]
mod tests;
