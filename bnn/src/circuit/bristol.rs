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
//! **Reading** checks everything, and folds as any [`Netlist`] does: negations, copies and constants cost nothing.
//! Beyond the format, blank lines are skipped, wires that nobody writes are allowed where nobody reads them, and there are
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

mod fault;
mod read;
mod value;
mod write;

use std::path::Path;

pub use self::{fault::Fault, value::Value};
use super::{
    bit::Bit,
    netlist::{Netlist, Style},
};
use crate::{Error, Result, bounded::read_bounded};

/// The largest file that is read, in bytes.
const MOST_BYTES: u64 = 256_000_000;

/// A netlist whose inputs and outputs are grouped to values.
#[derive(Debug)]
pub struct BristolCircuit {
    netlist: Netlist,
    inputs: Vec<usize>,
    outputs: Vec<Vec<Bit>>,
}

impl BristolCircuit {
    /// A circuit of a netlist: the bits of each input value, and the bits that are each output value, least significant
    /// first.
    ///
    /// ```
    /// use bnn::circuit::{bristol::BristolCircuit, netlist::{Netlist, Style}};
    /// let mut netlist = Netlist::new(Style::Optimized, 2);
    /// let sum = netlist.xor(netlist.input(0), netlist.input(1));
    /// let circuit = BristolCircuit::new(netlist, vec![1, 1], vec![vec![sum]]);
    /// let text = circuit.write();
    /// assert_eq!(text, "1 3\n2 1 1\n1 1\n\n2 1 0 1 2 XOR\n");
    /// let read = BristolCircuit::parse("sum.txt".as_ref(), text.as_bytes(), Style::Optimized)?;
    /// assert_eq!(read.netlist().simulate(&[true, false], &read.output_bits()), [true]);
    /// # Ok::<(), bnn::Error>(())
    /// ```
    ///
    /// # Panics
    /// Unless the input values have as many bits as the netlist has inputs, and every value has a bit.
    pub fn new(netlist: Netlist, inputs: Vec<usize>, outputs: Vec<Vec<Bit>>) -> Self {
        assert_eq!(inputs.iter().sum::<usize>(), netlist.input_count(), "the bits of the input values");
        let empty = inputs.contains(&0) || outputs.iter().any(Vec::is_empty);
        assert!(!empty, "a value has a bit at least");
        Self { netlist, inputs, outputs }
    }

    /// Reads a file of at most 256 MB.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::TooLarge`], and those of [`parse`](Self::parse).
    pub fn load(path: &Path, style: Style) -> Result<Self> {
        Self::parse(path, &read_bounded(path, MOST_BYTES)?, style)
    }

    /// Reads a file's text; `path` is for errors.
    ///
    /// # Errors
    /// [`Error::Bristol`] at the first line that is malformed.
    pub fn parse(path: &Path, text: &[u8], style: Style) -> Result<Self> {
        read::read(text, style).map_err(|(line, fault)| Error::Bristol { path: path.into(), line, fault })
    }

    /// The circuit as a file's text.
    pub fn write(&self) -> String {
        write::write(self)
    }

    /// The gates.
    pub fn netlist(&self) -> &Netlist {
        &self.netlist
    }

    /// Bits of each input value.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// The bits of each output value, least significant first.
    pub fn outputs(&self) -> &[Vec<Bit>] {
        &self.outputs
    }

    /// The bits of all output values, one after the other.
    pub fn output_bits(&self) -> Vec<Bit> {
        self.outputs.concat()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
