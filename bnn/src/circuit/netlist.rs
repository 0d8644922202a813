//! A netlist: gates of two and three inputs, built with constants folded away and equal gates built once.

use std::collections::HashMap;

use crate::circuit::bit::Bit;

/// How circuits are built and run. Both give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As the published system does: full adders of five gates, Baugh-Wooley multipliers, comparators of XNOR and MUX;
    /// constants fold, and every other gate is bootstrapped.
    AsPublished,
    /// With as few bootstraps as we found: gates of three inputs, equal gates built once, sums that need no bootstrap.
    Optimized,
}

/// A gate. Its operands are wires that exist before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Gate {
    /// Both.
    And([Bit; 2]),
    /// One, not both.
    Xor([Bit; 2]),
    /// Two at least.
    Maj([Bit; 3]),
    /// One, or all three.
    Xor3([Bit; 3]),
    /// The second where the first is true, else the third.
    Mux([Bit; 3]),
}

impl Gate {
    /// What it reads.
    pub(crate) fn operands(&self) -> &[Bit] {
        match self {
            Self::And(operands) | Self::Xor(operands) => operands,
            Self::Maj(operands) | Self::Xor3(operands) | Self::Mux(operands) => operands,
        }
    }

    /// Its value, where `value` gives its operands'.
    pub(crate) fn apply(&self, value: impl Fn(Bit) -> bool) -> bool {
        match *self {
            Self::And([a, b]) => value(a) && value(b),
            Self::Xor([a, b]) => value(a) != value(b),
            Self::Maj([a, b, c]) => u8::from(value(a)) + u8::from(value(b)) + u8::from(value(c)) >= 2,
            Self::Xor3([a, b, c]) => value(a) ^ value(b) ^ value(c),
            Self::Mux([select, then, otherwise]) => value(if value(select) { then } else { otherwise }),
        }
    }
}

/// Gates over a number of inputs, in an order in which each reads only what is before it.
#[derive(Debug)]
pub struct Netlist {
    style: Style,
    inputs: u32,
    gates: Vec<Gate>,
    /// The wire of each gate there is: empty where equal gates are built again.
    wires: HashMap<Gate, u32>,
}

impl Netlist {
    /// A netlist of this many inputs, and no gate yet.
    ///
    /// ```
    /// use bnn::circuit::{Netlist, Style};
    /// let mut netlist = Netlist::new(Style::Optimized, 2);
    /// let (a, b) = (netlist.input(0), netlist.input(1));
    /// let sum = netlist.xor(a, b);
    /// assert_eq!(netlist.xor(b, !a), !sum); // built once
    /// assert_eq!(netlist.and(sum, true.into()), sum); // folded
    /// ```
    ///
    /// # Panics
    /// Beyond 2^30 inputs.
    pub fn new(style: Style, inputs: usize) -> Self {
        let inputs = u32::try_from(inputs).ok().filter(|&inputs| inputs < 1 << 30);
        let inputs = inputs.expect("a circuit has fewer than 2^30 inputs");
        Self { style, inputs, gates: Vec::new(), wires: HashMap::new() }
    }

    /// How it is built.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// The number of inputs.
    pub(crate) fn input_count(&self) -> usize {
        self.inputs as usize
    }

    /// An input, the first being 0.
    ///
    /// # Panics
    /// If there are fewer inputs.
    pub fn input(&self, index: usize) -> Bit {
        assert!(index < self.input_count(), "input {index} of {}", self.inputs);
        Bit::wire(1 + index as u32)
    }

    /// The gates, in their order.
    pub(crate) fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// The number of wires, counting the constant, which has number 0; inputs come next, then gates.
    pub(crate) fn wire_count(&self) -> usize {
        1 + self.input_count() + self.gates.len()
    }

    /// The wire of the gate at this place.
    pub(crate) fn wire_of(&self, gate: usize) -> u32 {
        1 + self.inputs + gate as u32
    }

    /// For each wire, whether one of `outputs` depends on it.
    pub(crate) fn live(&self, outputs: &[Bit]) -> Vec<bool> {
        let mut live = vec![false; self.wire_count()];
        let mark = |live: &mut Vec<bool>, bits: &[Bit]| {
            bits.iter().filter_map(|bit| bit.number()).for_each(|wire| live[wire as usize] = true);
        };
        mark(&mut live, outputs);
        for (index, gate) in self.gates.iter().enumerate().rev() {
            if live[self.wire_of(index) as usize] {
                mark(&mut live, gate.operands());
            }
        }
        live
    }

    /// The values of `outputs`, by Boolean logic.
    ///
    /// # Panics
    /// Unless there is a value an input.
    pub fn simulate(&self, inputs: &[bool], outputs: &[Bit]) -> Vec<bool> {
        assert_eq!(inputs.len(), self.input_count(), "a value an input");
        let mut values = Vec::with_capacity(self.wire_count());
        values.push(false);
        values.extend_from_slice(inputs);
        let read = |values: &[bool], bit: Bit| values[bit.plain_number()] ^ bit.is_negated();
        for gate in &self.gates {
            values.push(gate.apply(|bit| read(&values, bit)));
        }
        outputs.iter().map(|&bit| read(&values, bit)).collect()
    }

    /// The wire of a gate in normal form.
    fn add(&mut self, gate: Gate) -> Bit {
        let next = self.wire_of(self.gates.len());
        if self.style == Style::Optimized {
            let wire = *self.wires.entry(gate).or_insert(next);
            if wire != next {
                return Bit::wire(wire);
            }
        }
        self.gates.push(gate);
        assert!(next < 1 << 31, "fewer than 2^31 wires");
        Bit::wire(next)
    }

    /// a and b.
    pub fn and(&mut self, a: Bit, b: Bit) -> Bit {
        match (a, b) {
            (Bit::FALSE, _) | (_, Bit::FALSE) => Bit::FALSE,
            (Bit::TRUE, x) | (x, Bit::TRUE) => x,
            _ if a == b => a,
            _ if a == !b => Bit::FALSE,
            _ => self.add(Gate::And(sorted([a, b]))),
        }
    }

    /// a or b.
    pub fn or(&mut self, a: Bit, b: Bit) -> Bit {
        !self.and(!a, !b)
    }

    /// a xor b.
    pub fn xor(&mut self, a: Bit, b: Bit) -> Bit {
        let negated = a.is_negated() ^ b.is_negated();
        let (a, b) = (a.plain(), b.plain());
        let result = match (a, b) {
            (Bit::FALSE, x) | (x, Bit::FALSE) => x,
            _ if a == b => Bit::FALSE,
            _ => self.add(Gate::Xor(sorted([a, b]))),
        };
        result.negate_if(negated)
    }

    /// Whether at least two are true.
    pub fn maj(&mut self, a: Bit, b: Bit, c: Bit) -> Bit {
        let [a, b, c] = sorted([a, b, c]);
        if let Some(known) = a.known() {
            return if known { self.or(b, c) } else { self.and(b, c) };
        }
        if a == b || b == c {
            return b;
        }
        if a == !b {
            return c;
        }
        if b == !c {
            return a;
        }
        // Majority is its own dual: at most one operand stays negated.
        let negated = [a, b, c].iter().filter(|bit| bit.is_negated()).count() >= 2;
        self.add(Gate::Maj([a, b, c].map(|bit| bit.negate_if(negated)))).negate_if(negated)
    }

    /// Whether one is true, or all three.
    pub fn xor3(&mut self, a: Bit, b: Bit, c: Bit) -> Bit {
        let negated = a.is_negated() ^ b.is_negated() ^ c.is_negated();
        let [a, b, c] = sorted([a.plain(), b.plain(), c.plain()]);
        let result = if a == Bit::FALSE {
            self.xor(b, c)
        } else if a == b {
            c
        } else if b == c {
            a
        } else {
            self.add(Gate::Xor3([a, b, c]))
        };
        result.negate_if(negated)
    }

    /// `then` where `select` is true, else `otherwise`.
    pub fn mux(&mut self, select: Bit, then: Bit, otherwise: Bit) -> Bit {
        let (select, then, otherwise) =
            if select.is_negated() { (!select, otherwise, then) } else { (select, then, otherwise) };
        match (then, otherwise) {
            _ if select == Bit::FALSE => otherwise,
            _ if then == otherwise => then,
            _ if then == !otherwise => self.xor(select, otherwise),
            (Bit::TRUE, x) => self.or(select, x),
            (Bit::FALSE, x) => self.and(!select, x),
            (x, Bit::TRUE) => self.or(!select, x),
            (x, Bit::FALSE) => self.and(select, x),
            (x, _) if x.plain() == select => self.mux(select, Bit::from(!x.is_negated()), otherwise),
            (_, x) if x.plain() == select => self.mux(select, then, Bit::from(x.is_negated())),
            _ => {
                let negated = then.is_negated();
                let operands = [select, then.plain(), otherwise.negate_if(negated)];
                self.add(Gate::Mux(operands)).negate_if(negated)
            }
        }
    }
}

fn sorted<const N: usize>(mut bits: [Bit; N]) -> [Bit; N] {
    bits.sort_unstable();
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All values of a bit over three inputs.
    fn truth(netlist: &Netlist, bit: Bit) -> u8 {
        let value = |row: u8| netlist.simulate(&[row & 1 != 0, row & 2 != 0, row & 4 != 0], &[bit])[0];
        (0..8).map(|row| u8::from(value(row)) << row).sum()
    }

    proptest! {
        /// Whatever the operands are (constants, negated, equal), folding does not change a gate's meaning.
        #[test]
        fn folding_keeps_the_meaning(kind in 0..6_u8, choice in [0..8_usize, 0..8, 0..8], published: bool) {
            let style = if published { Style::AsPublished } else { Style::Optimized };
            let mut netlist = Netlist::new(style, 3);
            let wires = [netlist.input(0), netlist.input(1), netlist.input(2), Bit::FALSE];
            let [a, b, c] = choice.map(|index| wires[index / 2].negate_if(index % 2 == 1));
            let [x, y, z] = [a, b, c].map(|bit| truth(&netlist, bit));
            let (result, expected) = match kind {
                0 => (netlist.and(a, b), x & y),
                1 => (netlist.or(a, b), x | y),
                2 => (netlist.xor(a, b), x ^ y),
                3 => (netlist.maj(a, b, c), (x & y) | (y & z) | (x & z)),
                4 => (netlist.xor3(a, b, c), x ^ y ^ z),
                _ => (netlist.mux(a, b, c), (x & y) | (!x & z)),
            };
            prop_assert_eq!(truth(&netlist, result), expected);
            // What depends on fewer than two inputs needs no gate.
            let constant = expected == 0 || expected == 0xff;
            let single = [0xaa, 0xcc, 0xf0].iter().any(|&wire| expected == wire || expected == !wire);
            prop_assert!(!(constant || single) || netlist.gates().is_empty());
        }
    }

    #[test]
    fn equal_gates_are_built_once_unless_as_published() {
        for (style, gates) in [(Style::Optimized, 3), (Style::AsPublished, 6)] {
            let mut netlist = Netlist::new(style, 3);
            let [a, b, c] = [0, 1, 2].map(|index| netlist.input(index));
            assert_eq!(netlist.and(a, b) == netlist.and(b, a), style == Style::Optimized);
            let maj = netlist.maj(a, !b, c);
            assert_eq!(netlist.maj(!c, b, !a) == !maj, style == Style::Optimized);
            let mux = netlist.mux(a, b, !c);
            assert_eq!(netlist.mux(!a, c, !b) == !mux, style == Style::Optimized);
            assert_eq!(netlist.gates().len(), gates);
        }
    }
}
