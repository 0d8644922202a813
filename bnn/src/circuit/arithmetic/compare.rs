//! Comparisons, and what selects by them: maxima, minima, rectifiers.
//!
//! a >= b is the carry out of a + (not b) + 1. As published: from the lowest bit, XNOR, and a MUX that keeps what is known
//! so far where the bits are equal. Optimized: a chain of majorities, one bootstrap a bit; or a tree, of fewer levels and
//! more gates, in which a block of bits knows its carry out for either carry in.
//!
//! ```
//! use bnn::circuit::{Netlist, Style, Word, arithmetic::{Shape, argmax, multiply_constant}};
//! let mut netlist = Netlist::new(Style::Optimized, 2);
//! // 2 a, b and the constant 1: which is the greatest?
//! let (a, b) = (Word::input(&netlist, 0, 0, 1), Word::input(&netlist, 1, 0, 1));
//! let words = [multiply_constant(&mut netlist, &a, 2), b, Word::constant(1)];
//! let index = argmax(&mut netlist, &words, Shape::Chain);
//! assert_eq!(Word::value(&netlist.simulate(&[true, true], index.bits())), 0);
//! assert_eq!(Word::value(&netlist.simulate(&[false, true], index.bits())), 1); // the first of equal ones
//! ```

use crate::circuit::{
    bit::Bit,
    netlist::{Netlist, Style},
    word::{Word, width},
};

/// Whether few gates count or few levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A gate a bit, one after the other.
    Chain,
    /// Levels as the logarithm of the bits, and up to three times the gates.
    Tree,
}

/// a >= b. The shape is for optimized circuits.
pub fn at_least(netlist: &mut Netlist, a: &Word, b: &Word, shape: Shape) -> Bit {
    if a.low() >= b.high() || a.high() < b.low() {
        return (a.low() >= b.high()).into();
    }
    let width = a.width().max(b.width());
    let (mut a, mut b) = (a.extended(width), b.extended(width));
    // Where signs differ the negative number is the smaller.
    let (sign_a, sign_b) = (a[width - 1], b[width - 1]);
    (a[width - 1], b[width - 1]) = (!sign_a, !sign_b);
    match (netlist.style(), shape) {
        (Style::AsPublished, _) => a.iter().zip(&b).fold(Bit::TRUE, |above, (&a, &b)| {
            let equal = !netlist.xor(a, b);
            netlist.mux(equal, above, a)
        }),
        (Style::Optimized, Shape::Chain) => {
            a.iter().zip(&b).fold(Bit::TRUE, |carry, (&a, &b)| netlist.maj(a, !b, carry))
        }
        (Style::Optimized, Shape::Tree) => {
            // Blocks of two bits, each with its carry out for a carry in of 0 and of 1.
            let mut blocks: Vec<[Bit; 2]> = Vec::new();
            for (a, b) in a.chunks(2).zip(b.chunks(2)) {
                blocks.push(
                    [Bit::FALSE, Bit::TRUE].map(|carry| {
                        a.iter().zip(b).fold(carry, |carry, (&a, &b)| netlist.maj(a, !b, carry))
                    }),
                );
            }
            while blocks.len() > 1 {
                // If a carry of 0 gets through, so does one of 1: the majority chooses by the lower block's carry.
                let join = |pair: &[[Bit; 2]]| match *pair {
                    [low, [zero, one]] => low.map(|carry| netlist.maj(zero, one, carry)),
                    _ => pair[0],
                };
                blocks = blocks.chunks(2).map(join).collect();
            }
            blocks[0][1]
        }
    }
}

/// `then` where `select` is true, else `otherwise`.
pub fn select(netlist: &mut Netlist, select: Bit, then: &Word, otherwise: &Word) -> Word {
    let (low, high) = (then.low().min(otherwise.low()), then.high().max(otherwise.high()));
    let bits = (0..width(low, high)).map(|index| netlist.mux(select, then.bit(index), otherwise.bit(index)));
    Word::new(bits.collect(), low, high)
}

/// The greater of two words.
pub fn max(netlist: &mut Netlist, a: &Word, b: &Word, shape: Shape) -> Word {
    let above = at_least(netlist, a, b, shape);
    let greater = select(netlist, above, a, b);
    Word::new(greater.bits().to_vec(), a.low().max(b.low()), a.high().max(b.high()))
}

/// The lesser of two words.
pub fn min(netlist: &mut Netlist, a: &Word, b: &Word, shape: Shape) -> Word {
    let above = at_least(netlist, a, b, shape);
    let lesser = select(netlist, above, b, a);
    Word::new(lesser.bits().to_vec(), a.low().min(b.low()), a.high().min(b.high()))
}

/// The greatest of several words, by rounds of pairs.
///
/// # Panics
/// Without a word.
pub(crate) fn max_of(netlist: &mut Netlist, words: &[Word], shape: Shape) -> Word {
    let mut left = words.to_vec();
    while left.len() > 1 {
        let pair = |pair: &[Word]| match pair {
            [a, b] => max(netlist, a, b, shape),
            _ => pair[0].clone(),
        };
        left = left.chunks(2).map(pair).collect();
    }
    left.swap_remove(0)
}

/// The index of the greatest of several words, the first of them where there are several.
///
/// # Panics
/// Without a word.
pub fn argmax(netlist: &mut Netlist, words: &[Word], shape: Shape) -> Word {
    let indexed = words.iter().enumerate().map(|(index, word)| (Word::constant(index as i64), word.clone()));
    let mut left: Vec<(Word, Word)> = indexed.collect();
    while left.len() > 1 {
        let pair = |pair: &[(Word, Word)]| match pair {
            [(i, a), (j, b)] => {
                let above = at_least(netlist, a, b, shape);
                let greater = select(netlist, above, a, b);
                (select(netlist, above, i, j), greater)
            }
            _ => pair[0].clone(),
        };
        left = left.chunks(2).map(pair).collect();
    }
    left.swap_remove(0).0
}

/// max(a, 0): an AND a bit.
pub fn relu(netlist: &mut Netlist, a: &Word) -> Word {
    let positive = !a.sign();
    let bits = a.bits()[..a.width() - 1].iter().map(|&bit| netlist.and(bit, positive)).collect();
    Word::new(bits, a.low().max(0), a.high().max(0))
}
