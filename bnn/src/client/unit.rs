//! The unit of a sum: what an integer 1 takes of the torus.

/// log2 of the units of the torus that a [`Unit`] is a multiple of.
const UNIT_BITS: u32 = 48;

/// A multiple of 2^-48 of the torus, of at most half a turn: values are scaled by integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit(u64);

impl Unit {
    /// The largest number of multiples: half a turn.
    pub(crate) const MOST_MULTIPLES: u64 = 1 << (UNIT_BITS - 1);

    /// So many times 2^-48.
    pub(crate) fn from_multiples(multiples: u64) -> Self {
        Self(multiples)
    }

    /// How many times 2^-48.
    pub(crate) fn multiples(self) -> u64 {
        self.0
    }

    /// In torus units; exact.
    pub(crate) fn real(self) -> f64 {
        self.0 as f64 / (1_u64 << UNIT_BITS) as f64
    }

    /// A value at this unit, in units of 2^-32 of the torus. Computed without a branch: values are the client's secret.
    pub(crate) fn scaled(self, value: i64) -> u32 {
        let scaled = i128::from(value) * i128::from(self.0) + (1 << (UNIT_BITS - 33));
        (scaled >> (UNIT_BITS - 32)) as u32
    }
}

#[cfg(feature = "server")]
impl Unit {
    /// The largest unit that is not above a number, so that the largest sum stays inside; half a turn for sums that are
    /// all the same, which would let it be a whole one.
    pub(crate) fn at_most(real: f64) -> Self {
        Self(((real * (1_u64 << UNIT_BITS) as f64).floor() as u64).min(Self::MOST_MULTIPLES))
    }
}
