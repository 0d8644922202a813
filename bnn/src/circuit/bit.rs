//! A bit of a circuit: a known constant, or a wire, possibly negated. Negation is free, so it is part of the reference.
//!
//! ```
//! use bnn::circuit::{Bit, Netlist, Style};
//! let netlist = Netlist::new(Style::Optimized, 1);
//! let wire = netlist.input(0);
//! assert_eq!((!wire == wire, !!wire == wire), (false, true));
//! assert_eq!(!Bit::TRUE, false.into());
//! ```

use std::{fmt, ops::Not};

/// A bit: a constant, or a wire of the netlist that made it, as it is or negated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bit(u32);

impl Bit {
    /// The constant 0.
    pub const FALSE: Self = Self(0);
    /// The constant 1.
    pub const TRUE: Self = Self(1);

    /// A wire's bit. Wires are numbered from 1; number 0 would be the constant.
    pub(crate) fn wire(wire: u32) -> Self {
        Self(wire << 1)
    }

    /// The constant, if it is one.
    pub(crate) fn known(self) -> Option<bool> {
        (self.0 < 2).then_some(self.0 == 1)
    }

    /// The wire's number, unless it is a constant.
    pub(crate) fn number(self) -> Option<u32> {
        (self.0 >= 2).then_some(self.0 >> 1)
    }

    /// The wire's number, 0 for a constant.
    pub(crate) fn plain_number(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether it is a negated wire (or the constant 1).
    pub(crate) fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    /// The wire as it is, without its negation.
    pub(crate) fn plain(self) -> Self {
        Self(self.0 & !1)
    }

    /// The bit, negated where `negated`.
    pub(crate) fn negate_if(self, negated: bool) -> Self {
        Self(self.0 ^ u32::from(negated))
    }
}

impl From<bool> for Bit {
    fn from(bit: bool) -> Self {
        if bit { Self::TRUE } else { Self::FALSE }
    }
}

impl Not for Bit {
    type Output = Self;

    fn not(self) -> Self {
        self.negate_if(true)
    }
}

impl fmt::Debug for Bit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.known(), self.is_negated()) {
            (Some(bit), _) => write!(f, "{}", u8::from(bit)),
            (None, negated) => write!(f, "{}w{}", if negated { "!" } else { "" }, self.0 >> 1),
        }
    }
}
