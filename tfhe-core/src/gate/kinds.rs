//! The kinds of gates, on plain bits and on operands.

/// A gate of two inputs a, b.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryGate {
    /// not (a and b)
    Nand,
    /// a and b
    And,
    /// a or b
    Or,
    /// not (a or b)
    Nor,
    /// a xor b
    Xor,
    /// not (a xor b)
    Xnor,
    /// (not a) and b
    AndNY,
    /// a and (not b)
    AndYN,
    /// (not a) or b
    OrNY,
    /// a or (not b)
    OrYN,
}

impl BinaryGate {
    /// Every gate of two inputs.
    pub const ALL: [Self; 10] = [
        Self::Nand,
        Self::And,
        Self::Or,
        Self::Nor,
        Self::Xor,
        Self::Xnor,
        Self::AndNY,
        Self::AndYN,
        Self::OrNY,
        Self::OrYN,
    ];

    /// The gate on plain bits.
    pub fn apply(self, a: bool, b: bool) -> bool {
        match self {
            Self::Nand => !(a && b),
            Self::And => a && b,
            Self::Or => a || b,
            Self::Nor => !(a || b),
            Self::Xor => a != b,
            Self::Xnor => a == b,
            Self::AndNY => !a && b,
            Self::AndYN => a && !b,
            Self::OrNY => !a || b,
            Self::OrYN => a || !b,
        }
    }
}

/// A gate and its operands, which are indices into a list of ciphertexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// A known bit; no bootstrap.
    Constant(bool),
    /// The same bit; no bootstrap, and its noise stays.
    Copy(usize),
    /// The other bit; no bootstrap, and its noise stays.
    Not(usize),
    /// Two inputs, one bootstrap.
    Binary(BinaryGate, usize, usize),
    /// Whether at least two are true; one bootstrap.
    Maj(usize, usize, usize),
    /// Whether one or three are true; one bootstrap.
    Xor3(usize, usize, usize),
    /// `then` where `select` is true, else `otherwise`; two bootstraps.
    Mux {
        /// Chooses.
        select: usize,
        /// Chosen where `select` is true.
        then: usize,
        /// Chosen where `select` is false.
        otherwise: usize,
    },
}
