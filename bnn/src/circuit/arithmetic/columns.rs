//! Sums of many words, carry-save: a column a power of two, full adders until a bit is left in each.
//!
//! A full adder takes three bits of a column and leaves one there and one in the next: the number of adders is the number
//! of bits that are to go, whatever the order. The order decides the depth, and which sums go without a bootstrap: a sum goes
//! straight into the next adder, three times, and then behind the bits that came before it.

use std::collections::VecDeque;

use super::adders::full_adder;
use crate::circuit::{bit::Bit, netlist::Netlist, word::Word};

/// Adders in a chain whose sums, but for the last, need no bootstrap. Nine bits in, each with noise 1: a sum of three has
/// their noise and 4 from the carry that it is made with, so the last adder reads 19 + 1 + 1, which is what the noise
/// budget of `GATES_DEFAULT` allows (see `circuit/program.rs`).
const CHAIN: usize = 4;

/// Whether a term is added or subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Added.
    Plus,
    /// Subtracted.
    Minus,
}

impl Sign {
    /// The sign of a number.
    pub(crate) fn of(value: i64) -> Self {
        if value < 0 { Self::Minus } else { Self::Plus }
    }

    /// The interval [low, high], or its negative.
    pub(super) fn interval(self, low: i64, high: i64) -> (i64, i64) {
        match self {
            Self::Plus => (low, high),
            Self::Minus => (-high, -low),
        }
    }

    /// Of a product.
    fn times(self, other: Self) -> Self {
        if self == other { Self::Plus } else { Self::Minus }
    }
}

/// A sum, modulo 2^width, that is not carried out yet.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    columns: Vec<VecDeque<Bit>>,
    constant: i64,
}

impl Columns {
    /// The sum of nothing, modulo 2^width.
    ///
    /// # Panics
    /// Beyond 63 bits.
    pub(crate) fn new(width: usize) -> Self {
        assert!(width < 64, "{width} columns");
        Self { columns: vec![VecDeque::new(); width], constant: 0 }
    }

    /// Adds or subtracts a constant.
    pub(crate) fn add_constant(&mut self, constant: i64) {
        self.constant = self.constant.wrapping_add(constant);
    }

    /// Adds or subtracts bit x 2^place. For subtracting, -b = (not b) - 1.
    pub(crate) fn add_bit(&mut self, sign: Sign, bit: Bit, place: usize) {
        if place >= self.columns.len() {
            return;
        }
        let bit = match sign {
            Sign::Plus => bit,
            Sign::Minus => {
                self.add_constant(-(1 << place));
                !bit
            }
        };
        match bit.known() {
            Some(known) => self.add_constant(i64::from(known) << place),
            None => self.columns[place].push_back(bit),
        }
    }

    /// Adds or subtracts word x 2^places.
    pub(crate) fn add(&mut self, sign: Sign, word: &Word, places: usize) {
        let (top, bits) = word.bits().split_last().expect("invariant: a word has a sign");
        bits.iter().enumerate().for_each(|(index, &bit)| self.add_bit(sign, bit, places + index));
        // The sign bit counts negative.
        self.add_bit(sign.times(Sign::Minus), *top, places + bits.len());
    }

    /// Takes in the bits of another sum of this width.
    pub(crate) fn add_rows(&mut self, rows: &[Vec<Bit>]) {
        for row in rows {
            row.iter().enumerate().for_each(|(place, &bit)| self.add_bit(Sign::Plus, bit, place));
        }
    }

    /// The sum's bits.
    pub(crate) fn sum(mut self, netlist: &mut Netlist) -> Vec<Bit> {
        let [bits, _] = self.reduce(netlist, 1);
        bits
    }

    /// Two rows of bits and a constant that together are this sum, for sums that go on elsewhere: without the adders that
    /// carry through.
    pub(crate) fn rows(mut self, netlist: &mut Netlist) -> ([Vec<Bit>; 2], i64) {
        let rows = self.reduce(netlist, 2);
        (rows, self.constant)
    }

    /// Adds bits column by column until at most `most` (1 or 2) are left in each; with 1 the constant is one of them.
    fn reduce(&mut self, netlist: &mut Netlist, most: usize) -> [Vec<Bit>; 2] {
        let width = self.columns.len();
        let mut rows = [vec![Bit::FALSE; width], vec![Bit::FALSE; width]];
        for place in 0..width {
            self.settle(place);
            let mut column = std::mem::take(&mut self.columns[place]);
            if most == 1 && self.constant >> place & 1 == 1 {
                self.constant = self.constant.wrapping_sub(1 << place);
                column.push_front(Bit::TRUE);
            }
            let mut chained = 0;
            while column.len() > most {
                let bits = [column.pop_front(), column.pop_front(), column.pop_front()];
                let [a, b, c] = bits.map(|bit| bit.unwrap_or(Bit::FALSE));
                if place + 1 == width {
                    column.push_back(netlist.xor3(a, b, c));
                    continue;
                }
                let (sum, carry) = full_adder(netlist, a, b, c);
                chained = (chained + 1) % CHAIN;
                if chained == 0 {
                    column.push_back(sum)
                } else {
                    column.push_front(sum)
                }
                self.add_bit(Sign::Plus, carry, place + 1);
            }
            for (row, bit) in rows.iter_mut().zip(column) {
                row[place] = bit;
            }
        }
        rows
    }

    /// Takes out of a column what needs no adder: b + b = 2b, b + not b = 1.
    fn settle(&mut self, place: usize) {
        let mut column: Vec<Bit> = self.columns[place].iter().copied().collect();
        column.sort_unstable();
        let doubled = column.windows(2).any(|pair| pair[0].plain() == pair[1].plain());
        if !doubled {
            return;
        }
        let mut kept: Vec<Bit> = Vec::with_capacity(column.len());
        for bit in column {
            match kept.last() {
                Some(&last) if last == bit => {
                    kept.pop();
                    self.add_bit(Sign::Plus, bit, place + 1);
                }
                Some(&last) if last == !bit => {
                    kept.pop();
                    self.add_constant(1 << place);
                }
                _ => kept.push(bit),
            }
        }
        self.columns[place] = kept.into();
    }
}
