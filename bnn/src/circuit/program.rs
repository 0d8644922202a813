//! What runs: integer combinations of bits, most of them bootstrapped, in levels.
//!
//! Bits are 1 and -1, in eighths of the torus. Every gate is the sign of an integer combination:
//!
//! ```text
//! AND   a + b - 1          XOR    2a + 2b + 2
//! MAJ   a + b + c          XOR3   -2 (a + b + c)
//! MUX   s + a - b + 2 n,   n = AND(a, b), which does not wait for s
//! ```
//!
//! (Keys too noisy for that MUX, whose squared factors add up to 7, take OR(AND(s, a), AND(not s, b)).)
//!
//! And a sum whose carry is there is a combination itself, exactly, without a bootstrap:
//!
//! ```text
//! XOR3(a, b, c) = a + b + c - 2 MAJ(a, b, c)          XOR(a, b) = a + b - 1 - 2 AND(a, b)
//! ```
//!
//! so that a full adder costs one bootstrap, not two. Its noise grows: combinations are followed back to the bootstraps
//! they are made of (noise that two operands share counts as shared), and where the squares of the factors would add up to
//! more than the noise budget, an operand is bootstrapped after all. With `GATES_DEFAULT` that is every fourth sum or
//! so. Each bootstrap keeps the parameter set's failure bound.
//!
//! ```
//! use bnn::circuit::{Netlist, Program, Style};
//! use tfhe_core::parameters::GATES_DEFAULT;
//! let mut netlist = Netlist::new(Style::Optimized, 5);
//! let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|index| netlist.input(index));
//! // The carries of two full adders in a chain: the sum between them is free, as its carry comes before it.
//! let (carry, sum) = (netlist.maj(a, b, c), netlist.xor3(a, b, c));
//! let outputs = [carry, netlist.maj(sum, d, e)];
//! let program = Program::new(&netlist, &outputs, &GATES_DEFAULT)?;
//! assert_eq!(program.bootstraps(), 2); // of three gates
//! # Ok::<(), bnn::Error>(())
//! ```

use std::collections::HashMap;

use tfhe_core::{
    gate::{BinaryGate, Combination, log2_failure},
    noise,
    parameters::Parameters,
};

use crate::{
    circuit::{
        bit::Bit,
        netlist::{Gate, Netlist, Style},
    },
    error::{Error, Result},
};

const AND: Combination = Combination::of(BinaryGate::And);
const OR: Combination = Combination::of(BinaryGate::Or);
const XOR: Combination = Combination::of(BinaryGate::Xor);
/// Gates that read a sum before it is bootstrapped for their sake: three adders, of two gates each.
const MANY_READERS: usize = 6;
/// The most terms of a combination.
const MOST_TERMS: usize = 4;

/// How noisy a combination may be that is bootstrapped: the largest sum of squared factors of bootstrapped bits for
/// which the set's failure bound holds, when the noiseless values are 1/8 or 2/8 away from the sign's edges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoiseBudget {
    pub(crate) eighth: f64,
    pub(crate) quarter: f64,
}

impl NoiseBudget {
    /// The budget of a parameter set, by the formulas of `tfhe_core::noise`.
    pub(crate) fn new(parameters: &Parameters) -> Self {
        let unit = noise::bootstrapped(parameters);
        let fits = |margin: u32, weight: f64| {
            log2_failure(parameters, margin, weight * unit) <= parameters.log2_failure()
        };
        // The failure grows with the weight: the largest that fits, by bisection.
        let largest = |margin: u32| {
            let (mut low, mut high) = (0.0, 1e6);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if fits(margin, middle) { low = middle } else { high = middle }
            }
            low
        };
        Self { eighth: largest(1), quarter: largest(2) }
    }

    /// The largest sum of squared factors, for a margin of so many eighths.
    pub(crate) fn largest_weight(&self, margin: u32) -> f64 {
        if margin == 1 { self.eighth } else { self.quarter }
    }
}

/// An integer combination of bits, which becomes the bit of a wire: as it is, or bootstrapped to its sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    wire: u32,
    constant: i8,
    count: u8,
    terms: [(i8, u32); MOST_TERMS],
}

impl Step {
    fn new<const N: usize>(wire: u32, combination: Combination, bits: [Bit; N]) -> Self {
        let factors = combination.factors();
        debug_assert_eq!(factors.len(), N);
        let mut terms = [(0, 0); MOST_TERMS];
        for ((term, &factor), bit) in terms.iter_mut().zip(factors).zip(bits) {
            let factor = if bit.is_negated() { -factor } else { factor };
            *term = (factor as i8, bit.plain_number() as u32);
        }
        Self { wire, constant: combination.constant() as i8, count: N as u8, terms }
    }

    /// The wire whose bit it becomes.
    pub(crate) fn wire(&self) -> usize {
        self.wire as usize
    }

    /// The constant, in eighths of the torus.
    pub(crate) fn constant(&self) -> i32 {
        self.constant.into()
    }

    /// Factors, and the wires that they multiply.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (i32, usize)> + '_ {
        self.terms[..self.count.into()].iter().map(|&(factor, wire)| (factor.into(), wire as usize))
    }

    /// The combination times -1.
    fn negated(mut self) -> Self {
        self.constant = -self.constant;
        self.terms.iter_mut().for_each(|(factor, _)| *factor = -*factor);
        self
    }
}

/// Steps whose operands are there when the levels before have run.
#[derive(Debug, Default)]
pub(crate) struct Level {
    /// To be bootstrapped, in any order.
    pub(crate) bootstraps: Vec<Step>,
    /// After them, in this order: sums, which may read bootstraps and sums of this level.
    pub(crate) sums: Vec<Step>,
    /// Wires that nothing reads after this level.
    pub(crate) freed: Vec<u32>,
}

/// A circuit ready to run.
#[derive(Debug)]
pub struct Program {
    pub(crate) inputs: usize,
    /// Wires, numbered as in the netlist; those of its own come after.
    pub(crate) wires: usize,
    pub(crate) levels: Vec<Level>,
    pub(crate) outputs: Vec<Bit>,
}

impl Program {
    /// Lowers what `outputs` depend on in a netlist. Inputs are taken for as noisy as bootstrapped bits; outputs are
    /// bootstrapped, so that they can be inputs again. In the published style every gate is bootstrapped.
    ///
    /// # Errors
    /// [`Error::GateTooNoisy`] where a gate of bootstrapped bits breaks the parameter set's failure bound.
    pub fn new(netlist: &Netlist, outputs: &[Bit], parameters: &Parameters) -> Result<Self> {
        Self::with_budget(netlist, outputs, &NoiseBudget::new(parameters))
    }

    /// As [`new`](Self::new), with the noise budget of a parameter set.
    pub(crate) fn with_budget(netlist: &Netlist, outputs: &[Bit], budget: &NoiseBudget) -> Result<Self> {
        let mut lowering = Lowering::new(netlist, outputs, budget);
        lowering.choose_bootstraps(outputs, budget)?;
        let (levels, wires) = lowering.levels(outputs);
        Ok(Self { inputs: netlist.input_count(), wires, levels, outputs: outputs.to_vec() })
    }

    /// Bootstraps of one run.
    pub fn bootstraps(&self) -> usize {
        self.levels.iter().map(|level| level.bootstraps.len()).sum()
    }

    /// Bootstraps one after the other on the longest path.
    pub(crate) fn depth(&self) -> usize {
        self.levels.iter().filter(|level| !level.bootstraps.is_empty()).count()
    }
}

/// A gate that runs, and the ways it can.
struct Candidate {
    /// The combination whose sign it is, and the distance of its noiseless values from the edges, in eighths.
    sign: Step,
    margin: u32,
    /// A combination that is the bit itself.
    sum: Option<Step>,
    bootstrapped: bool,
}

/// A wire followed back: factors of bootstrapped bits, ordered by their wires.
type Form = Vec<(u32, i32)>;

struct Lowering {
    candidates: Vec<Candidate>,
    /// The candidate of each wire; `None` for inputs, the constant, and what is dead.
    drivers: Vec<Option<u32>>,
}

impl Lowering {
    fn new(netlist: &Netlist, outputs: &[Bit], budget: &NoiseBudget) -> Self {
        let live = netlist.live(outputs);
        let mut drivers = vec![None; netlist.wire_count()];
        let mut candidates: Vec<Candidate> = Vec::new();
        // Live gates that bring a sum's carry.
        let mut carries: HashMap<Gate, u32> = HashMap::new();
        for (index, gate) in netlist.gates().iter().enumerate() {
            let wire = netlist.wire_of(index);
            if !live[wire as usize] {
                continue;
            }
            let mut add = |drivers: &mut Vec<Option<u32>>, sign: Step, margin, sum: Option<Step>| {
                drivers[sign.wire as usize] = Some(candidates.len() as u32);
                candidates.push(Candidate { sign, margin, bootstrapped: sum.is_none(), sum });
            };
            let optimized = netlist.style() == Style::Optimized;
            match *gate {
                Gate::And(operands) => {
                    add(&mut drivers, Step::new(wire, AND, operands), AND.margin(), None);
                    carries.insert(*gate, wire);
                }
                Gate::Maj(operands) => {
                    let maj = Combination::MAJ;
                    add(&mut drivers, Step::new(wire, maj, operands), maj.margin(), None);
                    carries.insert(*gate, wire);
                }
                Gate::Xor(operands) => {
                    let sum = optimized.then(|| sum_of_two(wire, operands, &carries)).flatten();
                    add(&mut drivers, Step::new(wire, XOR, operands), XOR.margin(), sum);
                }
                Gate::Xor3(operands) => {
                    let xor3 = Combination::XOR3;
                    let sum = optimized.then(|| sum_of_three(wire, operands, &carries)).flatten();
                    add(&mut drivers, Step::new(wire, xor3, operands), xor3.margin(), sum);
                }
                Gate::Mux([select, then, otherwise]) => {
                    let mut and = |drivers: &mut Vec<Option<u32>>, operands| {
                        let wire = drivers.len() as u32;
                        drivers.push(None);
                        add(drivers, Step::new(wire, AND, operands), AND.margin(), None);
                        Bit::wire(wire)
                    };
                    let mux = Combination::MUX;
                    let (step, margin) = if budget.largest_weight(mux.margin()) >= squares(mux) {
                        let both = and(&mut drivers, [then, otherwise]);
                        (Step::new(wire, mux, [select, then, otherwise, both]), mux.margin())
                    } else {
                        let chosen =
                            [[select, then], [!select, otherwise]].map(|pair| and(&mut drivers, pair));
                        (Step::new(wire, OR, chosen), OR.margin())
                    };
                    add(&mut drivers, step, margin, None);
                }
            }
        }
        Self { candidates, drivers }
    }

    /// Bootstraps those sums that are outputs, or read by many, or that would be too noisy where they are read.
    fn choose_bootstraps(&mut self, outputs: &[Bit], budget: &NoiseBudget) -> Result<()> {
        for wire in outputs.iter().filter_map(|bit| bit.number()) {
            if let Some(driver) = self.drivers[wire as usize] {
                self.candidates[driver as usize].bootstrapped = true;
            }
        }
        // A sum that many read is bootstrapped once, rather than what is made of it often.
        let mut readers = vec![0; self.drivers.len()];
        for (_, wire) in self.candidates.iter().flat_map(|candidate| candidate.sign.terms()) {
            readers[wire] += 1;
        }
        for candidate in &mut self.candidates {
            candidate.bootstrapped |= readers[candidate.sign.wire()] >= MANY_READERS;
        }
        // A sum may be read beside two bootstrapped bits, in a majority.
        let most_of_a_sum = budget.largest_weight(1) - 2.0;
        // What a pass bootstraps late changes forms it has used before, so the last pass changes nothing.
        let mut changed = true;
        while changed {
            changed = false;
            let mut forms: Vec<Option<Form>> = vec![None; self.drivers.len()];
            // Equal bootstraps give equal ciphertexts: the first stands for the noise of all.
            let mut first: HashMap<(i8, Form), u32> = HashMap::new();
            for index in 0..self.candidates.len() {
                let candidate = &self.candidates[index];
                let wire = candidate.sign.wire as usize;
                if let Some(sum) = candidate.sum.filter(|_| !candidate.bootstrapped) {
                    let form = combine(&sum, &forms);
                    if weight(&form) <= most_of_a_sum {
                        forms[wire] = Some(form);
                        continue;
                    }
                    self.candidates[index].bootstrapped = true;
                }
                let (sign, margin) = (self.candidates[index].sign, self.candidates[index].margin);
                let mut form = combine(&sign, &forms);
                while weight(&form) > budget.largest_weight(margin) {
                    let sums = sign.terms().filter_map(|(_, wire)| {
                        let driver = self.drivers[wire]? as usize;
                        let sum = forms[wire].as_ref().filter(|_| !self.candidates[driver].bootstrapped)?;
                        Some((weight(sum), wire, driver))
                    });
                    let Some((_, noisiest, driver)) = sums.max_by(|a, b| a.0.total_cmp(&b.0)) else {
                        return Err(Error::GateTooNoisy);
                    };
                    self.candidates[driver].bootstrapped = true;
                    forms[noisiest] = None;
                    form = combine(&sign, &forms);
                    changed = true;
                }
                let same = *first.entry((sign.constant, form)).or_insert(sign.wire);
                if same != sign.wire {
                    forms[wire] = Some(vec![(same, 1)]);
                }
            }
        }
        Ok(())
    }

    /// Each candidate as early as its operands allow, and when each wire is read last.
    fn levels(&self, outputs: &[Bit]) -> (Vec<Level>, usize) {
        let mut level_of = vec![0_usize; self.drivers.len()];
        let mut last_read = vec![0_usize; self.drivers.len()];
        let mut levels: Vec<Level> = Vec::new();
        for candidate in &self.candidates {
            let sum = candidate.sum.filter(|_| !candidate.bootstrapped);
            let step = sum.unwrap_or(candidate.sign);
            let ready = step.terms().map(|(_, wire)| level_of[wire]).max().unwrap_or(0);
            let level = if sum.is_some() { ready } else { ready + 1 };
            level_of[step.wire as usize] = level;
            step.terms().for_each(|(_, wire)| last_read[wire] = last_read[wire].max(level));
            if levels.len() <= level {
                levels.resize_with(level + 1, Level::default);
            }
            let steps = &mut levels[level];
            if sum.is_some() { steps.sums.push(step) } else { steps.bootstraps.push(step) }
        }
        for wire in outputs.iter().filter_map(|bit| bit.number()) {
            last_read[wire as usize] = usize::MAX;
        }
        for (wire, last) in last_read.into_iter().enumerate().skip(1) {
            if let Some(level) = levels.get_mut(last) {
                level.freed.push(wire as u32);
            }
        }
        (levels, self.drivers.len())
    }
}

/// XOR as a sum, if an AND of its operands, negated or not, comes before it.
fn sum_of_two(wire: u32, operands: [Bit; 2], carries: &HashMap<Gate, u32>) -> Option<Step> {
    (0..4_u8).find_map(|negations| {
        let [a, b] = [0, 1].map(|index| operands[index].negate_if(negations >> index & 1 == 1));
        let carry = carries.get(&Gate::And([a.min(b), a.max(b)]))?;
        let sum = Step::new(wire, Combination::SUM2, [a, b, Bit::wire(*carry)]);
        Some(if negations.count_ones() % 2 == 1 { sum.negated() } else { sum })
    })
}

/// XOR3 as a sum, if a MAJ of its operands comes before it: none negated, or one (more are normalised away).
fn sum_of_three(wire: u32, operands: [Bit; 3], carries: &HashMap<Gate, u32>) -> Option<Step> {
    (0..4).find_map(|negated| {
        let mut bits = operands;
        if let Some(bit) = bits.get_mut(negated) {
            *bit = !*bit;
        }
        let carry = carries.get(&Gate::Maj(bits))?;
        let [a, b, c] = bits;
        let sum = Step::new(wire, Combination::SUM3, [a, b, c, Bit::wire(*carry)]);
        Some(if negated < 3 { sum.negated() } else { sum })
    })
}

/// A combination of wires, followed back to bootstrapped ones.
fn combine(step: &Step, forms: &[Option<Form>]) -> Form {
    let mut total = Form::new();
    for (factor, wire) in step.terms() {
        match &forms[wire] {
            Some(form) => total.extend(form.iter().map(|&(source, inner)| (source, factor * inner))),
            None => total.push((wire as u32, factor)),
        }
    }
    total.sort_unstable_by_key(|&(source, _)| source);
    total.dedup_by(|from, into| {
        let same = from.0 == into.0;
        if same {
            into.1 += from.1;
        }
        same
    });
    total
}

/// The sum of the squared factors of a combination.
fn squares(combination: Combination) -> f64 {
    combination.factors().iter().map(|&factor| f64::from(factor).powi(2)).sum()
}

/// The sum of squared factors.
fn weight(form: &Form) -> f64 {
    form.iter().map(|&(_, factor)| f64::from(factor).powi(2)).sum()
}
