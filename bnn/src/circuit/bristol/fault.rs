//! What is wrong with a line of a circuit file.

/// Why a line is refused.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BristolFault {
    /// The file is something else that is known.
    #[error("no circuit, but {found}")]
    Foreign {
        /// What it is.
        found: &'static str,
    },

    /// The file ends too early.
    #[error("the file ends where {expected} should follow")]
    FileEnds {
        /// What is missing.
        expected: &'static str,
    },

    /// The line ends too early.
    #[error("the line ends where {expected} should follow")]
    LineEnds {
        /// What is missing.
        expected: &'static str,
    },

    /// The line goes on after its end.
    #[error("{found:?} follows where the line should end")]
    LineGoesOn {
        /// The first word too many.
        found: String,
    },

    /// A word is no number, or a very large one.
    #[error("{found:?} is not {expected}, a number below 2^32")]
    Number {
        /// The word.
        found: String,
        /// What should be there.
        expected: &'static str,
    },

    /// More than this program reads.
    #[error("{found} {what}, at most {limit} are read")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are, or how many there are at least.
        found: u64,
        /// The most that are read.
        limit: u32,
    },

    /// Another number of sizes than the line declares.
    #[error("{declared} values are declared, and {found} sizes follow")]
    SizeCount {
        /// Values by the number that the line starts with.
        declared: u32,
        /// Numbers after it.
        found: u32,
    },

    /// A value without bits.
    #[error("a value of 0 bits")]
    EmptyValue,

    /// Fewer wires than inputs and outputs need.
    #[error("inputs and outputs are {needed} bits, but there are {wires} wires")]
    FewWires {
        /// Bits of all input and output values.
        needed: u64,
        /// Wires that line 1 declares.
        wires: u32,
    },

    /// Fewer gates than declared.
    #[error("the file ends after {found} of {declared} gates")]
    FewGates {
        /// Gates by line 1.
        declared: u32,
        /// Gates in the file.
        found: u32,
    },

    /// More gates than declared.
    #[error("a gate after the {declared} that are declared")]
    ManyGates {
        /// Gates by line 1.
        declared: u32,
    },

    /// A gate of another kind.
    #[error("unknown gate {found:?}; known are AND, XOR, INV, NOT, EQ, EQW and MAND")]
    Kind {
        /// The last word of the line.
        found: String,
    },

    /// A gate with another number of operands or results than its kind has.
    #[error("{kind} has {expected}, not {operands} and {results}")]
    Shape {
        /// The kind.
        kind: &'static str,
        /// Operands and results of this kind.
        expected: &'static str,
        /// Operands that the line declares.
        operands: u32,
        /// Results that the line declares.
        results: u32,
    },

    /// `EQ` of something else than a constant.
    #[error("EQ takes the constant 0 or 1, not {found:?}")]
    Constant {
        /// The operand.
        found: String,
    },

    /// A wire beyond the last.
    #[error("there is no wire {wire}: {wires} are declared, and the first is wire 0")]
    NoWire {
        /// The wire.
        wire: u32,
        /// Wires that line 1 declares.
        wires: u32,
    },

    /// A wire without a value.
    #[error("wire {wire} is read before it is written")]
    ReadEarly {
        /// The wire.
        wire: u32,
    },

    /// A wire with two values.
    #[error("wire {wire} is written a second time")]
    WrittenTwice {
        /// The wire.
        wire: u32,
    },

    /// An input that is a result.
    #[error("wire {wire} is an input, and cannot be written")]
    InputWritten {
        /// The wire.
        wire: u32,
    },

    /// An output without a value.
    #[error("wire {wire} is an output, but no gate writes it")]
    OutputMissing {
        /// The wire.
        wire: u32,
    },
}
