//! Sums of words.

use super::{
    adders::ripple,
    columns::{Columns, Sign},
};
use crate::circuit::{
    bit::Bit,
    netlist::{Netlist, Style},
    word::{Word, width},
};

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
pub(crate) fn sum(netlist: &mut Netlist, terms: &[(Sign, &Word)]) -> Word {
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
