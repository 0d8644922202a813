//! Writing: gates of two inputs, then lines, and only then the numbers of the wires, because outputs are the last.

use std::{collections::HashMap, fmt::Write};

use super::circuit::BristolCircuit;
use crate::circuit::{
    bit::Bit,
    netlist::{Gate, Netlist},
};

/// A line that writes one wire. Operands are the numbers of input bits, then of lines.
enum Line {
    And([u32; 2]),
    Xor([u32; 2]),
    Inv(u32),
    Constant(bool),
    Copy(u32),
}

impl BristolCircuit {
    /// The circuit as a file's text.
    pub fn write(&self) -> String {
        let (netlist, outputs) = expand(self);
        let mut lines = Lines::new(&netlist);
        let live = netlist.live(&outputs);
        for (index, gate) in netlist.gates().iter().enumerate() {
            let wire = netlist.wire_of(index) as usize;
            if live[wire] {
                lines.add_gate(wire, gate);
            }
        }
        let last = lines.claim(&outputs);
        let sizes: Vec<usize> = self.outputs().iter().map(Vec::len).collect();
        lines.text(self.inputs(), &sizes, &last)
    }
}

/// The live gates as AND and XOR, by the identities that the format's page states.
fn expand(circuit: &BristolCircuit) -> (Netlist, Vec<Bit>) {
    let from = circuit.netlist();
    let outputs = circuit.output_bits();
    let live = from.live(&outputs);
    let mut to = Netlist::new(from.style(), from.input_count());
    // The bit of each wire; that of the constant comes first, and those of dead wires are never read.
    let mut bits = vec![Bit::FALSE; from.wire_count()];
    (0..from.input_count()).for_each(|index| bits[1 + index] = to.input(index));
    let read = |bits: &[Bit], bit: Bit| bits[bit.plain_number()].negate_if(bit.is_negated());
    for (index, gate) in from.gates().iter().enumerate() {
        let wire = from.wire_of(index) as usize;
        if !live[wire] {
            continue;
        }
        bits[wire] = match *gate {
            Gate::And(operands) => {
                let [a, b] = operands.map(|bit| read(&bits, bit));
                to.and(a, b)
            }
            Gate::Xor(operands) => {
                let [a, b] = operands.map(|bit| read(&bits, bit));
                to.xor(a, b)
            }
            Gate::Maj(operands) => {
                let [a, b, c] = operands.map(|bit| read(&bits, bit));
                let (left, right) = (to.xor(a, b), to.xor(b, c));
                let apart = to.and(left, right);
                to.xor(apart, b)
            }
            Gate::Xor3(operands) => {
                let [a, b, c] = operands.map(|bit| read(&bits, bit));
                let pair = to.xor(a, b);
                to.xor(pair, c)
            }
            Gate::Mux(operands) => {
                let [select, then, otherwise] = operands.map(|bit| read(&bits, bit));
                let differ = to.xor(then, otherwise);
                let change = to.and(select, differ);
                to.xor(otherwise, change)
            }
        };
    }
    let outputs = outputs.iter().map(|&bit| read(&bits, bit)).collect();
    (to, outputs)
}

struct Lines {
    inputs: u32,
    lines: Vec<Line>,
    /// What stands for each wire of the netlist: an input's number, or the number of its line.
    numbers: Vec<u32>,
    /// What stands for negated wires, by the wire.
    negated: HashMap<usize, u32>,
}

impl Lines {
    fn new(netlist: &Netlist) -> Self {
        let inputs = netlist.input_count() as u32;
        let mut numbers = vec![0; netlist.wire_count()];
        (0..inputs).for_each(|input| numbers[1 + input as usize] = input);
        Self { inputs, lines: Vec::new(), numbers, negated: HashMap::new() }
    }

    /// Appends a line and returns its number.
    fn push(&mut self, line: Line) -> u32 {
        self.lines.push(line);
        self.inputs + (self.lines.len() - 1) as u32
    }

    fn add_gate(&mut self, wire: usize, gate: &Gate) {
        let line = match *gate {
            Gate::And(operands) => Line::And(operands.map(|bit| self.number(bit))),
            Gate::Xor(operands) => Line::Xor(operands.map(|bit| self.number(bit))),
            _ => unreachable!("invariant: the other gates are expanded"),
        };
        self.numbers[wire] = self.push(line);
    }

    /// What stands for a bit, made if need be.
    fn number(&mut self, bit: Bit) -> u32 {
        if let Some(known) = bit.known() {
            return self.push(Line::Constant(known));
        }
        let wire = bit.plain_number();
        let number = self.numbers[wire];
        if !bit.is_negated() {
            return number;
        }
        if let Some(&negated) = self.negated.get(&wire) {
            return negated;
        }
        let negated = self.push(Line::Inv(number));
        self.negated.insert(wire, negated);
        negated
    }

    /// For each line, its place among the outputs, if it is one.
    fn claim(&mut self, outputs: &[Bit]) -> Vec<Option<u32>> {
        let mut places = vec![None; self.lines.len()];
        for (place, &bit) in outputs.iter().enumerate() {
            let mut number = self.number(bit);
            places.resize(self.lines.len(), None);
            if number < self.inputs || places[(number - self.inputs) as usize].is_some() {
                number = self.push(Line::Copy(number));
                places.push(None);
            }
            places[(number - self.inputs) as usize] = Some(place as u32);
        }
        places
    }

    /// The file.
    fn text(&self, inputs: &[usize], outputs: &[usize], places: &[Option<u32>]) -> String {
        let wires = self.inputs + self.lines.len() as u32;
        let first_output = wires - outputs.iter().sum::<usize>() as u32;
        let mut between = self.inputs..first_output;
        let results: Vec<u32> = places
            .iter()
            .map(|place| match place {
                Some(place) => first_output + place,
                None => between.next().expect("invariant: a line writes one wire, an output or not"),
            })
            .collect();
        let wire = |number: u32| match number.checked_sub(self.inputs) {
            None => number,
            Some(line) => results[line as usize],
        };
        let sizes = |sizes: &[usize]| {
            [sizes.len()].iter().chain(sizes).map(usize::to_string).collect::<Vec<_>>().join(" ")
        };
        let mut text = format!("{} {wires}\n{}\n{}\n\n", self.lines.len(), sizes(inputs), sizes(outputs));
        for (line, result) in self.lines.iter().zip(&results) {
            let written = match *line {
                Line::And([a, b]) => writeln!(text, "2 1 {} {} {result} AND", wire(a), wire(b)),
                Line::Xor([a, b]) => writeln!(text, "2 1 {} {} {result} XOR", wire(a), wire(b)),
                Line::Inv(a) => writeln!(text, "1 1 {} {result} INV", wire(a)),
                Line::Constant(bit) => writeln!(text, "1 1 {} {result} EQ", u8::from(bit)),
                Line::Copy(a) => writeln!(text, "1 1 {} {result} EQW", wire(a)),
            };
            written.expect("invariant: a string can be written to");
        }
        text
    }
}
