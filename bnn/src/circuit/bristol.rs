//! Circuits as text files in Bristol Fashion, by which tools for computing on secret data exchange them.
//!
//! The format is that of <https://nigelsmart.github.io/MPC-Circuits/>. Wires are numbered from 0: the bits of the input
//! values are the first, least significant bit first, those of the output values the last.
//!
//! ```text
//! 3 7                gates, wires
//! 2 2 2              number of input values, bits of each
//! 1 2                number of output values, bits of each
//! 2 1 0 2 5 AND      a gate a line: number of operands, number of results, operands, results, kind
//! 2 1 1 3 4 XOR
//! 1 1 4 6 INV
//! ```
//!
//! | kind         | meaning                                                                         |
//! |--------------|---------------------------------------------------------------------------------|
//! | `AND`, `XOR` | of two wires                                                                    |
//! | `INV`, `NOT` | the negation                                                                    |
//! | `EQW`        | a copy                                                                          |
//! | `EQ`         | the constant 0 or 1, which stands in place of an operand                        |
//! | `MAND`       | n ANDs in a line: of the first n operands, each with its own of the other n     |
//!
//! The old Bristol Format, which was before, has two lines before its gates: there are two input values, of which the second
//! may have no bits, and one output value.
//!
//! ```text
//! 3 7                gates, wires
//! 2 2 2              bits of input 1, of input 2, of the output
//! ```
//!
//! **Reading** tells the two apart by the third line, which in the old format is a gate. It checks everything, and folds as any [`Netlist`] does: negations, copies and constants cost nothing.
//! Beyond the format, a byte order mark and blank lines are skipped, wires that nobody writes are allowed where nobody reads them, and there are
//! at most 2^26 wires and 2^22 input bits. What is held grows with the text, not with the numbers that it declares.
//!
//! **Writing** has only `AND`, `XOR`, `INV`, `EQ` and `EQW`: what no output depends on is left out, a wire has at most one
//! `INV`, `EQW` is for outputs that are inputs or other outputs, and
//!
//! ```text
//! MAJ(a, b, c)  = ((a xor b) and (b xor c)) xor b
//! XOR3(a, b, c) = (a xor b) xor c
//! MUX(s, a, b)  = b xor (s and (a xor b))
//! ```

pub(crate) mod circuit;
pub(crate) mod fault;
mod read;
mod write;
