//! A netlist whose inputs and outputs are grouped to values.

use crate::circuit::{bit::Bit, netlist::Netlist};

/// The form of a circuit file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    /// Bristol Fashion: any number of input and output values.
    Fashion,
    /// The Bristol Format that was before it: two input values and one output value.
    Old,
}

/// A netlist whose inputs and outputs are grouped to values.
#[derive(Debug)]
pub struct BristolCircuit {
    format: Format,
    netlist: Netlist,
    inputs: Vec<usize>,
    outputs: Vec<Vec<Bit>>,
}

impl BristolCircuit {
    /// The largest file that is worth reading, in bytes.
    pub const MOST_BYTES: usize = 256_000_000;

    /// A circuit of a netlist: the bits of each input value, and the bits that are each output value, least significant
    /// first.
    ///
    /// ```
    /// use bnn::circuit::{BristolCircuit, Netlist, Style};
    /// let mut netlist = Netlist::new(Style::Optimized, 2);
    /// let sum = netlist.xor(netlist.input(0), netlist.input(1));
    /// let circuit = BristolCircuit::new(netlist, vec![1, 1], vec![vec![sum]]);
    /// let text = circuit.write();
    /// assert_eq!(text, "1 3\n2 1 1\n1 1\n\n2 1 0 1 2 XOR\n");
    /// let read = BristolCircuit::parse(text.as_bytes(), Style::Optimized)?;
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
        Self { format: Format::Fashion, netlist, inputs, outputs }
    }

    /// The same, read from a file of this form.
    pub(super) fn of_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// The form of the file that it was read from: "Bristol Fashion", which [`write`](Self::write) writes, or "old Bristol
    /// Format".
    pub fn format(&self) -> &'static str {
        match self.format {
            Format::Fashion => "Bristol Fashion",
            Format::Old => "old Bristol Format",
        }
    }

    /// Its gates.
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
