//! A word: bits in two's complement, least significant first, and the interval its value is known to lie in.
//!
//! The interval decides the width, so that bits which cannot vary are never built.
//!
//! ```
//! use bnn::circuit::{Netlist, Style, Word};
//! let netlist = Netlist::new(Style::Optimized, 3);
//! let count = Word::input(&netlist, 0, 0, 5);
//! assert_eq!(count.bits()[3], false.into()); // three that vary, and a sign that does not
//! assert_eq!(Word::value(&[true, false, true]), -3);
//! ```

use crate::{
    circuit::{bit::Bit, netlist::Netlist},
    client::gates::signed_value,
};

/// A number of a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The last one is the sign; at least one.
    bits: Vec<Bit>,
    low: i64,
    high: i64,
}

/// The bits that two's complement needs for all of an interval.
pub(crate) fn width(low: i64, high: i64) -> usize {
    let needed = |value: i64| 65 - (value ^ (value >> 63)).leading_zeros() as usize;
    needed(low).max(needed(high))
}

impl Word {
    /// The number in [low, high] whose lowest bits these are, as many as the interval needs or more.
    ///
    /// # Panics
    /// If low is above high, or bits are missing.
    pub(crate) fn new(mut bits: Vec<Bit>, low: i64, high: i64) -> Self {
        assert!(low <= high, "an interval: {low} to {high}");
        let width = width(low, high);
        if low >= 0 && bits.len() + 1 == width {
            bits.push(Bit::FALSE);
        }
        assert!(bits.len() >= width, "{} bits for {low} to {high}", bits.len());
        bits.truncate(width);
        if low >= 0 || high < 0 {
            bits[width - 1] = (high < 0).into();
        }
        Self { bits, low, high }
    }

    /// The signed number whose bits these are, with any value they can have.
    ///
    /// # Panics
    /// Without a bit, or beyond 63.
    pub fn signed(bits: Vec<Bit>) -> Self {
        assert!((1..64).contains(&bits.len()), "{} bits", bits.len());
        let half = 1_i64 << (bits.len() - 1);
        Self::new(bits, -half, half - 1)
    }

    /// A known number.
    pub fn constant(value: i64) -> Self {
        let bits = (0..width(value, value)).map(|index| Bit::from(value >> index & 1 == 1)).collect();
        Self { bits, low: value, high: value }
    }

    /// The inputs of a netlist from `start` on, as many as [low, high] needs without a sign that is known.
    pub fn input(netlist: &Netlist, start: usize, low: i64, high: i64) -> Self {
        let bits = (0..width(low, high) - usize::from(low >= 0)).map(|index| netlist.input(start + index));
        Self::new(bits.collect(), low, high)
    }

    /// The bits, least significant first; the last one is the sign.
    pub fn bits(&self) -> &[Bit] {
        &self.bits
    }

    /// A bit of the number, however far up: beyond its width there are copies of the sign.
    pub(crate) fn bit(&self, index: usize) -> Bit {
        self.bits[index.min(self.bits.len() - 1)]
    }

    /// The lowest bits, as many as `width`: sign-extended, or cut off.
    pub(crate) fn extended(&self, width: usize) -> Vec<Bit> {
        (0..width).map(|index| self.bit(index)).collect()
    }

    /// Bits in two's complement.
    pub(crate) fn width(&self) -> usize {
        self.bits.len()
    }

    /// The sign: whether the number is negative.
    pub(crate) fn sign(&self) -> Bit {
        self.bit(usize::MAX)
    }

    /// The least value it may have.
    pub(crate) fn low(&self) -> i64 {
        self.low
    }

    /// The greatest value it may have.
    pub(crate) fn high(&self) -> i64 {
        self.high
    }

    /// The number times 2^places.
    #[must_use]
    pub(crate) fn shifted_left(&self, places: u32) -> Self {
        let zeros = (0..places).map(|_| Bit::FALSE);
        Self::new(zeros.chain(self.bits.iter().copied()).collect(), self.low << places, self.high << places)
    }

    /// floor(number / 2^places).
    #[must_use]
    pub(crate) fn shifted_right(&self, places: u32) -> Self {
        let kept = self.bits.iter().copied().skip((places as usize).min(self.width() - 1)).collect();
        Self::new(kept, self.low >> places.min(63), self.high >> places.min(63))
    }

    /// The number's lowest `width` bits, read as a signed number: the number itself, where its interval fits.
    #[cfg(any(test, feature = "internals"))]
    #[must_use]
    pub(crate) fn wrapped(&self, width: usize) -> Self {
        if self.width() <= width { self.clone() } else { Self::signed(self.bits[..width].to_vec()) }
    }

    /// The value of plain bits in two's complement, least significant first.
    pub fn value(bits: &[bool]) -> i64 {
        signed_value(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::netlist::Style;

    #[test]
    fn widths_are_the_least() {
        for (low, high, bits) in
            [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-2, 1, 2), (-25, 25, 6), (0, 183_500, 19)]
        {
            assert_eq!(width(low, high), bits, "{low} to {high}");
        }
    }

    #[test]
    fn words_know_their_interval_and_their_sign() {
        let netlist = Netlist::new(Style::Optimized, 3);
        let count = Word::input(&netlist, 0, 0, 5);
        // Three that vary, and a sign that does not.
        assert_eq!((count.width(), count.sign().known()), (4, Some(false)));
        assert_eq!((netlist.input(0).known(), Bit::from(true).known()), (None, Some(true)));
        assert_eq!(Word::constant(-3).shifted_left(2).low(), -12);
    }

    #[test]
    fn shifts_floor_and_extend() {
        for value in [-9, -1, 0, 5, 13] {
            let word = Word::constant(value);
            let read =
                |bits: &[Bit]| Word::value(&bits.iter().map(|b| b.known() == Some(true)).collect::<Vec<_>>());
            assert_eq!(read(word.bits()), value);
            assert_eq!(read(&word.extended(9)), value);
            assert_eq!(read(word.shifted_left(3).bits()), 8 * value);
            assert_eq!(read(word.shifted_right(2).bits()), value >> 2);
            assert_eq!(read(word.shifted_right(70).bits()), value >> 63);
            assert_eq!(read(word.wrapped(3).bits()), (value << 61) >> 61);
        }
    }
}
