//! Products: of two words, and of a word with constants.
//!
//! Baugh and Wooley (1973): in two's complement of n bits, partial products with exactly one sign bit are negated and 2^n
//! and 2^(2n-1) added, so that all rows add up as if unsigned. Optimized products leave the same to [`Columns`].
//!
//! A constant is a sum of odd multiples times powers of two, recoded from its lowest bit in digits of w bits: odd, below
//! 2^(w-1) in magnitude, and at least w places apart. With w = 2 these are canonical signed digits. Larger digits are
//! fewer, but the odd multiples must be made: worth it where several constants share them. (Choosing the multiples greedily
//! for each set of constants, with the fewest digits by dynamic programming, took 1 % more bootstraps on the paper's weights.)
//!
//! ```
//! use bnn::circuit::{Netlist, Style, Word, arithmetic::{multiply, multiply_constant}};
//! let mut netlist = Netlist::new(Style::Optimized, 4);
//! let a = Word::input(&netlist, 0, -8, 7);
//! let square = multiply(&mut netlist, &a, &a);
//! let result = multiply_constant(&mut netlist, &square, -3);
//! let minus_two = [false, true, true, true];
//! assert_eq!(Word::value(&netlist.simulate(&minus_two, result.bits())), -12);
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::{
    adders::ripple,
    columns::{Columns, Sign},
    sums::sum,
};
use crate::circuit::{
    bit::Bit,
    netlist::{Netlist, Style},
    word::{Word, width},
};

/// The recodings that are tried for a set of constants.
const DIGIT_BITS: std::ops::RangeInclusive<u32> = 2..=6;
/// What a term of a sum and a multiple that is made cost, relative to each other. A bit of a term takes one adder, a bit of
/// a multiple too, but as it is read several times it is more often bootstrapped.
const TERM_COST: usize = 5;
const MULTIPLE_COST: usize = 9;

/// a b.
pub fn multiply(netlist: &mut Netlist, a: &Word, b: &Word) -> Word {
    let corners = [a.low() * b.low(), a.low() * b.high(), a.high() * b.low(), a.high() * b.high()];
    let (low, high) = corners.into_iter().fold((i64::MAX, i64::MIN), |(l, h), x| (l.min(x), h.max(x)));
    let bits = match netlist.style() {
        Style::AsPublished => {
            let n = a.width().max(b.width()).max(2);
            baugh_wooley(netlist, &a.extended(n), &b.extended(n))
        }
        Style::Optimized => {
            let mut columns = Columns::new(width(low, high));
            for (i, &x) in a.bits().iter().enumerate() {
                for (j, &y) in b.bits().iter().enumerate() {
                    let signs = usize::from(i + 1 == a.width()) + usize::from(j + 1 == b.width());
                    let both = netlist.and(x, y);
                    columns.add_bit(if signs == 1 { Sign::Minus } else { Sign::Plus }, both, i + j);
                }
            }
            columns.sum(netlist)
        }
    };
    Word::new(bits, low, high)
}

/// The 2n bits of the product of two numbers of n bits in two's complement, n >= 2: rows of partial products, added one
/// after the other by carries that ripple.
///
/// # Panics
/// Unless both have the same number of bits, two at least.
pub(crate) fn baugh_wooley(netlist: &mut Netlist, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
    let n = a.len();
    assert!(n == b.len() && n >= 2, "two numbers of n >= 2 bits");
    let row = |netlist: &mut Netlist, j: usize| -> Vec<Bit> {
        let partial = |(i, &x): (usize, &Bit)| netlist.and(x, b[j]).negate_if((i + 1 == n) != (j + 1 == n));
        a.iter().enumerate().map(partial).collect()
    };
    let mut product = Vec::with_capacity(2 * n);
    let mut upper = row(netlist, 0);
    // The 2^n, at the place above the first row's top.
    upper.push(Bit::TRUE);
    for j in 1..n {
        product.push(upper.remove(0));
        let mut next = row(netlist, j);
        next.push(Bit::FALSE);
        upper.push(Bit::FALSE);
        upper.truncate(n + 1);
        upper = ripple(netlist, &upper, &next, Bit::FALSE);
    }
    product.append(&mut upper);
    // The 2^(2n-1).
    product[2 * n - 1] = !product[2 * n - 1];
    product
}

/// constant x word.
pub fn multiply_constant(netlist: &mut Netlist, word: &Word, constant: i64) -> Word {
    let (low, high) = Sign::of(constant).interval(word.low(), word.high());
    let (low, high) = (low * constant.abs(), high * constant.abs());
    let bits = match netlist.style() {
        Style::AsPublished => {
            let factor = Word::constant(constant);
            let n = word.width().max(factor.width()).max(2);
            baugh_wooley(netlist, &word.extended(n), &factor.extended(n))
        }
        Style::Optimized => {
            let mut columns = [Columns::new(width(low, high))];
            add_multiples(netlist, &mut columns, word, &[constant]);
            let [columns] = columns;
            columns.sum(netlist)
        }
    };
    Word::new(bits, low, high)
}

/// Adds constant x word to each sum; the odd multiples of the word that several constants need are made once.
///
/// # Panics
/// Unless there is a sum a constant.
pub(crate) fn add_multiples(netlist: &mut Netlist, sums: &mut [Columns], word: &Word, constants: &[i64]) {
    assert_eq!(sums.len(), constants.len(), "a sum a constant");
    // A word of one bit that varies has no cheaper multiples than its copies.
    let varying = word.bits().iter().filter(|bit| bit.known().is_none()).count();
    let digit_bits = if varying <= 1 { 2 } else { cheapest_digits(constants) };
    let mut multiples = BTreeMap::from([(1, word.clone())]);
    for (sum, &constant) in sums.iter_mut().zip(constants) {
        for digit in recode(constant, digit_bits) {
            let multiple = odd_multiple(netlist, &mut multiples, digit.odd);
            sum.add(digit.sign, &multiple, digit.place);
        }
    }
}

/// odd x word, from smaller multiples: odd = 2^k +- (a smaller odd number).
fn odd_multiple(netlist: &mut Netlist, multiples: &mut BTreeMap<i64, Word>, odd: i64) -> Word {
    if let Some(made) = multiples.get(&odd) {
        return made.clone();
    }
    let (power, sign, rest) = step_to(odd);
    let rest = odd_multiple(netlist, multiples, rest);
    let shifted = multiples[&1].shifted_left(power);
    let word = multiples[&1].clone();
    let total = sum(netlist, &[(Sign::Plus, &shifted), (sign, &rest)]);
    // Both terms vary together: the interval is the multiple's own.
    let made = Word::new(total.bits().to_vec(), word.low() * odd, word.high() * odd);
    multiples.insert(odd, made.clone());
    made
}

/// odd = 2^power +- rest, with the nearer power of two; rest is odd and smaller.
fn step_to(odd: i64) -> (u32, Sign, i64) {
    let below = odd.ilog2();
    let (down, up) = (odd - (1 << below), (2 << below) - odd);
    if down <= up { (below, Sign::Plus, down) } else { (below + 1, Sign::Minus, up) }
}

/// A digit: sign x odd x 2^place.
#[derive(Clone, Copy, Debug)]
struct Digit {
    sign: Sign,
    odd: i64,
    place: usize,
}

/// A constant's digits of at most `bits` bits.
fn recode(constant: i64, bits: u32) -> Vec<Digit> {
    let (mut left, mut place, mut digits) = (constant, 0, Vec::new());
    while left != 0 {
        let zeros = left.trailing_zeros();
        left >>= zeros;
        place += zeros as usize;
        // The residue nearest to zero.
        let residue = left & ((1 << bits) - 1);
        let value = if residue >> (bits - 1) == 1 { residue - (1 << bits) } else { residue };
        digits.push(Digit { sign: Sign::of(value), odd: value.abs(), place });
        left -= value;
    }
    digits
}

/// The size of digits for which terms to add and multiples to make cost least together.
fn cheapest_digits(constants: &[i64]) -> u32 {
    let cost = |bits: &u32| {
        let digits: Vec<Digit> = constants.iter().flat_map(|&constant| recode(constant, *bits)).collect();
        let mut made: BTreeSet<i64> = BTreeSet::from([1]);
        for digit in &digits {
            let mut odd = digit.odd;
            while made.insert(odd) {
                odd = step_to(odd).2;
            }
        }
        TERM_COST * digits.len() + MULTIPLE_COST * (made.len() - 1)
    };
    DIGIT_BITS.min_by_key(cost).expect("invariant: there are sizes to choose from")
}
