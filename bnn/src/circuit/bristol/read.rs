//! Reading: line by line, each checked before it is built.

use std::{collections::HashMap, ops::Range};

use super::{
    circuit::{BristolCircuit, Format},
    fault::BristolFault as Fault,
};
use crate::{
    circuit::{
        bit::Bit,
        netlist::{Netlist, Style},
    },
    content::{foreign, unmarked},
    error::Error,
};

/// The most wires that are read.
const MOST_WIRES: u32 = 1 << 26;
/// The most bits of all input values: they cost memory later, and a text of no length can declare them.
const MOST_INPUTS: u32 = 1 << 22;
/// The most characters of a file's word that an error quotes.
const QUOTED: usize = 20;

type Result<T> = std::result::Result<T, Fault>;

impl BristolCircuit {
    /// Reads a circuit from its text, in Bristol Fashion or in the old Bristol Format.
    ///
    /// # Errors
    /// [`Error::Bristol`] at the first line that is malformed.
    pub fn parse(text: &[u8], style: Style) -> crate::Result<Self> {
        let mut lines =
            Lines { rest: unmarked(text).split(|&byte| byte == b'\n'), kept: None, passed: 0, line: 1 };
        read(&mut lines, style).map_err(|fault| match foreign(text).filter(|_| !text.is_empty()) {
            Some(found) => Error::Bristol { line: 1, fault: Fault::Foreign { found } },
            None => Error::Bristol { line: lines.line, fault },
        })
    }
}

fn read<'a>(lines: &mut Lines<'a, impl Iterator<Item = &'a [u8]>>, style: Style) -> Result<BristolCircuit> {
    let mut reader = Reader::start(lines, style)?;
    while let Some(line) = lines.next() {
        reader.gate(line)?;
    }
    reader.finish()
}

/// The lines that are not blank.
struct Lines<'a, I> {
    rest: I,
    /// A line that was looked at and is to be read, and its number.
    kept: Option<(usize, &'a [u8])>,
    passed: usize,
    /// The number of the last line that was not blank.
    line: usize,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Lines<'a, I> {
    fn next(&mut self) -> Option<&'a [u8]> {
        if let Some((number, line)) = self.kept.take() {
            self.line = number;
            return Some(line);
        }
        for line in self.rest.by_ref() {
            self.passed += 1;
            if !line.trim_ascii().is_empty() {
                self.line = self.passed;
                return Some(line);
            }
        }
        None
    }

    /// The next line, which stays to be read.
    fn peek(&mut self) -> Option<&'a [u8]> {
        let passed = self.line;
        let line = self.next()?;
        self.kept = Some((self.line, line));
        self.line = passed;
        Some(line)
    }

    fn header(&mut self, expected: &'static str) -> Result<&'a [u8]> {
        self.next().ok_or(Fault::FileEnds { expected })
    }
}

/// The words of a line.
fn words(line: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// The start of a word, for an error that quotes it.
fn shown(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(&word[..word.len().min(4 * QUOTED)]);
    text.chars().take(QUOTED).collect()
}

/// A number in decimal digits.
fn number(word: Option<&[u8]>, expected: &'static str) -> Result<u32> {
    let word = word.ok_or(Fault::LineEnds { expected })?;
    let digits = str::from_utf8(word).ok().filter(|_| word.iter().all(u8::is_ascii_digit));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| Fault::Number { found: shown(word), expected })
}

/// The end of a line.
fn end<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result<()> {
    words.next().map_or(Ok(()), |word| Err(Fault::LineGoesOn { found: shown(word) }))
}

/// A line of sizes, and their sum; refused where that is more than `limit`.
fn sizes(line: &[u8], limit: u32, what: &'static str) -> Result<(Vec<u32>, u32)> {
    let mut words = words(line);
    let declared = number(words.next(), "the number of values")?;
    // Values have bits, so that the limit bounds their number too.
    let (mut sizes, mut sum) = (Vec::new(), 0_u32);
    for word in words {
        let size = number(Some(word), "the size of a value")?;
        if size == 0 {
            return Err(Fault::EmptyValue);
        }
        let total = u64::from(sum) + u64::from(size);
        if total > limit.into() {
            return Err(Fault::TooMany { what, found: total, limit });
        }
        sum += size;
        sizes.push(size);
    }
    let found = sizes.len() as u32;
    if found == declared { Ok((sizes, sum)) } else { Err(Fault::SizeCount { declared, found }) }
}

/// Whether a line ends with a word in capitals, as the kind of a gate is.
fn is_gate(line: &[u8]) -> bool {
    words(line).next_back().is_some_and(|word| word.iter().all(u8::is_ascii_uppercase))
}

/// The sizes of the values in the old format, `n1 n2 n3`: of two input values, either of which there may not be, and of one
/// output value; each list with its sum.
fn old_sizes(line: &[u8]) -> Result<[(Vec<u32>, u32); 2]> {
    let mut words = words(line);
    let mut list = |expected: &[&'static str], limit, what| {
        let mut sizes = Vec::new();
        for expected in expected {
            sizes.push(number(words.next(), expected)?);
        }
        let found = sizes.iter().map(|&size| u64::from(size)).sum();
        if found > u64::from(limit) {
            return Err(Fault::TooMany { what, found, limit });
        }
        sizes.retain(|&size| size > 0);
        Ok((sizes, found as u32))
    };
    let inputs = list(&["the size of input 1", "the size of input 2"], MOST_INPUTS, "input bits")?;
    let outputs = list(&["the size of the output"], MOST_WIRES, "output bits")?;
    end(words)?;
    Ok([inputs, outputs])
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    And,
    Xor,
    Inv,
    Constant,
    Copy,
    ManyAnd,
}

impl Kind {
    /// The kind of a gate line by its last word, if so many operands and results are right for it.
    fn new(word: &[u8], operands: u32, results: u32) -> Result<Self> {
        const TWO: &str = "2 operands and 1 result";
        const ONE: &str = "1 operand and 1 result";
        let (one, two) = ((operands, results) == (1, 1), (operands, results) == (2, 1));
        let many = results > 0 && results.checked_mul(2) == Some(operands);
        let (kind, name, expected, fits) = match word {
            b"AND" => (Self::And, "AND", TWO, two),
            b"XOR" => (Self::Xor, "XOR", TWO, two),
            b"INV" => (Self::Inv, "INV", ONE, one),
            b"NOT" => (Self::Inv, "NOT", ONE, one),
            b"EQ" => (Self::Constant, "EQ", ONE, one),
            b"EQW" => (Self::Copy, "EQW", ONE, one),
            b"MAND" => (Self::ManyAnd, "MAND", "twice as many operands as results", many),
            _ => return Err(Fault::Kind { found: shown(word) }),
        };
        if fits { Ok(kind) } else { Err(Fault::Shape { kind: name, expected, operands, results }) }
    }
}

struct Reader {
    format: Format,
    netlist: Netlist,
    inputs: Vec<u32>,
    outputs: Vec<u32>,
    /// Wires, of which the first `input_bits` are inputs and the last `output_bits` outputs.
    wires: u32,
    input_bits: u32,
    output_bits: u32,
    /// The bits of the wires that gates have written.
    written: HashMap<u32, Bit>,
    gates: Range<u32>,
}

impl Reader {
    /// Reads the lines before the gates: three, or two in the old format.
    fn start<'a>(lines: &mut Lines<'a, impl Iterator<Item = &'a [u8]>>, style: Style) -> Result<Self> {
        let mut counts = words(lines.header("the numbers of gates and wires")?);
        let gates = number(counts.next(), "the number of gates")?;
        let wires = number(counts.next(), "the number of wires")?;
        end(counts)?;
        if wires > MOST_WIRES {
            return Err(Fault::TooMany { what: "wires", found: wires.into(), limit: MOST_WIRES });
        }
        let first = lines.header("the sizes of the input values")?;
        let is_old = words(first).count() == 3 && lines.peek().is_some_and(is_gate);
        let (format, [(inputs, input_bits), (outputs, output_bits)]) = if is_old {
            (Format::Old, old_sizes(first)?)
        } else {
            let inputs = sizes(first, MOST_INPUTS, "input bits")?;
            let second = lines.header("the sizes of the output values")?;
            (Format::Fashion, [inputs, sizes(second, MOST_WIRES, "output bits")?])
        };
        let needed = u64::from(input_bits) + u64::from(output_bits);
        if needed > wires.into() {
            return Err(Fault::FewWires { needed, wires });
        }
        let netlist = Netlist::new(style, input_bits as usize);
        let (written, gates) = (HashMap::new(), 0..gates);
        Ok(Self { format, netlist, inputs, outputs, wires, input_bits, output_bits, written, gates })
    }

    /// Reads a gate and builds it.
    fn gate(&mut self, line: &[u8]) -> Result<()> {
        if self.gates.next().is_none() {
            return Err(Fault::ManyGates { declared: self.gates.end });
        }
        let mut words = words(line);
        let kind = words.next_back().ok_or(Fault::LineEnds { expected: "the kind of the gate" })?;
        let operands = number(words.next(), "the number of operands")?;
        let results = number(words.next(), "the number of results")?;
        let kind = Kind::new(kind, operands, results)?;
        // All operands before a result: a MAND does not read what it writes.
        let operands = (0..operands)
            .map(|_| if kind == Kind::Constant { constant(words.next()) } else { self.read(words.next()) })
            .collect::<Result<Vec<_>>>()?;
        for index in 0..results as usize {
            let wire = self.wire(words.next(), "a result")?;
            let bit = match kind {
                Kind::And => self.netlist.and(operands[0], operands[1]),
                Kind::Xor => self.netlist.xor(operands[0], operands[1]),
                Kind::Inv => !operands[0],
                Kind::Constant | Kind::Copy => operands[0],
                Kind::ManyAnd => self.netlist.and(operands[index], operands[results as usize + index]),
            };
            self.write(wire, bit)?;
        }
        end(words)
    }

    /// The circuit, when all lines are read.
    fn finish(self) -> Result<BristolCircuit> {
        if !self.gates.is_empty() {
            return Err(Fault::FewGates { declared: self.gates.end, found: self.gates.start });
        }
        let mut wires = self.wires - self.output_bits..self.wires;
        // First of all whether they are there: the sizes alone are no reason to make room for them.
        if let Some(wire) = wires.clone().find(|wire| !self.written.contains_key(wire)) {
            return Err(Fault::OutputMissing { wire });
        }
        let value =
            |&size: &u32| wires.by_ref().take(size as usize).map(|wire| self.written[&wire]).collect();
        let outputs = self.outputs.iter().map(value).collect();
        let inputs = self.inputs.iter().map(|&size| size as usize).collect();
        Ok(BristolCircuit::new(self.netlist, inputs, outputs).of_format(self.format))
    }

    /// The number of a wire that there is.
    fn wire(&self, word: Option<&[u8]>, expected: &'static str) -> Result<u32> {
        let wire = number(word, expected)?;
        if wire < self.wires { Ok(wire) } else { Err(Fault::NoWire { wire, wires: self.wires }) }
    }

    /// The bit of an operand.
    fn read(&self, word: Option<&[u8]>) -> Result<Bit> {
        let wire = self.wire(word, "an operand")?;
        if wire < self.input_bits {
            return Ok(self.netlist.input(wire as usize));
        }
        self.written.get(&wire).copied().ok_or(Fault::ReadEarly { wire })
    }

    fn write(&mut self, wire: u32, bit: Bit) -> Result<()> {
        if wire < self.input_bits {
            return Err(Fault::InputWritten { wire });
        }
        self.written.insert(wire, bit).map_or(Ok(()), |_| Err(Fault::WrittenTwice { wire }))
    }
}

/// The operand of an `EQ`.
fn constant(word: Option<&[u8]>) -> Result<Bit> {
    match word {
        None => Err(Fault::LineEnds { expected: "an operand" }),
        Some(b"0") => Ok(Bit::FALSE),
        Some(b"1") => Ok(Bit::TRUE),
        Some(other) => Err(Fault::Constant { found: shown(other) }),
    }
}
