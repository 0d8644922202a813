//! Boolean gates: an integer linear combination of ciphertexts, then one bootstrap through the sign.
//!
//! Bits are 1/8 (true) and -1/8 (false). NAND, for one, is the sign of 1/8 - a - b. Beside the TFHE library's gates
//! (Chillotti et al. 2020, section 5) there are two of three inputs for one bootstrap: MAJ(a, b, c) = sign(a + b + c)
//! and XOR3(a, b, c) = sign(-2 (a + b + c)), so that a full adder costs two. MUX takes two bootstraps: u = (not s) and
//! b, brought out at +-1/4, then the sign of s + a + u + 1/8.
//!
//! A gate whose inputs are too noisy for the parameter set's failure bound is refused before anything runs.

use crate::bootstrap::LookupTable;
use crate::ciphertext::{Ciphertext, combined_variance};
use crate::error::{Error, Result};
use crate::evaluator::Evaluator;
use crate::keys::encode_bit;
use crate::lwe::{LweCiphertext, Wire};
use crate::noise;
use crate::parameters::Parameters;
use crate::torus::Torus32;

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

    /// Constant (in eighths of the torus) and factors of a and b.
    fn combination(self) -> (i32, [i32; 2]) {
        match self {
            Self::Nand => (1, [-1, -1]),
            Self::And => (-1, [1, 1]),
            Self::Or => (1, [1, 1]),
            Self::Nor => (-1, [-1, -1]),
            Self::Xor => (2, [2, 2]),
            Self::Xnor => (-2, [-2, -2]),
            Self::AndNY => (-1, [-1, 1]),
            Self::AndYN => (-1, [1, -1]),
            Self::OrNY => (1, [-1, 1]),
            Self::OrYN => (1, [1, -1]),
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

/// What is bootstrapped: (constant + sum of factor x operand), in eighths, and the distance of its noiseless values
/// from the sign's two edges, in eighths.
struct Combination<'a> {
    constant: i32,
    terms: Vec<(i32, &'a Ciphertext)>,
    margin: i32,
}

impl<'a> Combination<'a> {
    fn new(constant: i32, margin: i32, terms: impl IntoIterator<Item = (i32, &'a Ciphertext)>) -> Self {
        Self { constant, terms: terms.into_iter().collect(), margin }
    }

    /// Refuses a combination whose sign may be read wrong with more than the set's probability.
    fn check(&self, p: &Parameters, gate: usize) -> Result<()> {
        let log2_failure = noise::log2_failure(
            f64::from(self.margin) / 8.0,
            noise::decision(p, combined_variance(&self.terms)),
        );
        if log2_failure > p.log2_failure {
            return Err(Error::TooNoisy { gate, log2_failure, bound: p.log2_failure });
        }
        Ok(())
    }

    fn sample(&self, dimension: usize) -> LweCiphertext<Torus32, Wire> {
        let mut sample = LweCiphertext::trivial(dimension, eighths(self.constant));
        for (factor, operand) in &self.terms {
            sample.add_scaled(*factor, operand.sample());
        }
        sample
    }
}

fn eighths(count: i32) -> Torus32 {
    Torus32(1 << 29) * i64::from(count)
}

/// MUX's first half, (not select) and otherwise: brought out at 1/4.
fn mux_guard<'a>(select: &'a Ciphertext, otherwise: &'a Ciphertext) -> Combination<'a> {
    Combination::new(-1, 1, [(-1, select), (1, otherwise)])
}

/// MUX's second half.
fn mux_sum<'a>(select: &'a Ciphertext, then: &'a Ciphertext, guard: &'a Ciphertext) -> Combination<'a> {
    Combination::new(1, 1, [(1, select), (1, then), (1, guard)])
}

fn majority<'a>(operands: [&'a Ciphertext; 3]) -> Combination<'a> {
    Combination::new(0, 1, operands.map(|operand| (1, operand)))
}

fn parity<'a>(operands: [&'a Ciphertext; 3]) -> Combination<'a> {
    Combination::new(0, 2, operands.map(|operand| (-2, operand)))
}

fn binary<'a>(gate: BinaryGate, operands: [&'a Ciphertext; 2]) -> Combination<'a> {
    let (constant, [a, b]) = gate.combination();
    Combination::new(constant, constant.abs(), [(a, operands[0]), (b, operands[1])])
}

/// log2 of the failure bound of the set's worst gate, where all inputs are bootstrapped.
pub fn worst_log2_failure(p: &Parameters) -> f64 {
    let input = noise::bootstrapped(p);
    // Sum of squared factors and margin (in eighths) of: gates of two, XOR, MAJ and MUX, XOR3.
    let worst =
        |(weight, margin)| noise::log2_failure(f64::from(margin) / 8.0, noise::decision(p, weight * input));
    [(2.0, 1), (8.0, 2), (3.0, 1), (12.0, 2)].map(worst).into_iter().fold(f64::NEG_INFINITY, f64::max)
}

/// A gate after its linear part.
enum Prepared {
    Done(Ciphertext),
    Bootstrap(LweCiphertext<Torus32, Wire>),
}

impl Evaluator {
    /// Evaluates mixed gates on `inputs` in batches, on all threads of the current rayon pool; one result a gate.
    ///
    /// ```
    /// use tfhe_core::backend::Backend;
    /// use tfhe_core::evaluator::Evaluator;
    /// use tfhe_core::gate::{BinaryGate, Gate};
    /// use tfhe_core::keys::{CloudKey, SecretKey};
    /// use tfhe_core::parameters::GATES_DEFAULT;
    /// use tfhe_core::random::SecretSeed;
    /// // Client
    /// let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
    /// let cloud_key = CloudKey::generate(&key, SecretSeed::from_os()?);
    /// let bits = key.encrypt(&[true, false, true], SecretSeed::from_os()?);
    /// // Server: a full adder
    /// let evaluator = Evaluator::new(&cloud_key, Backend::select()?)?;
    /// let sum = evaluator.evaluate(&[Gate::Xor3(0, 1, 2), Gate::Maj(0, 1, 2)], &bits.expand())?;
    /// // Client
    /// assert_eq!((key.decrypt(&sum[0])?, key.decrypt(&sum[1])?), (false, true));
    /// # Ok::<(), tfhe_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Before anything runs: [`Error::Operand`] for an index beyond `inputs`, [`Error::OtherKey`] for an input of
    /// another key, [`Error::TooNoisy`] for a gate that would break the set's failure bound.
    pub fn evaluate(&self, gates: &[Gate], inputs: &[Ciphertext]) -> Result<Vec<Ciphertext>> {
        let dimension = self.parameters().wire_dimension();
        inputs.iter().try_for_each(|input| input.check(self.key_id(), dimension))?;
        gates.iter().enumerate().try_for_each(|(number, gate)| self.check(number, gate, inputs))?;

        let size = self.parameters().polynomial_size;
        // Operands were checked above.
        let guards = gates.iter().filter_map(|gate| match *gate {
            Gate::Mux { select, otherwise, .. } => {
                Some(mux_guard(&inputs[select], &inputs[otherwise]).sample(dimension))
            }
            _ => None,
        });
        let guards: Vec<_> = guards.collect();
        let quarter = LookupTable::sign(size, eighths(2));
        let guard_tables = vec![&quarter; guards.len()];
        let mut guards = self.bootstrap_samples(guards, &guard_tables).into_iter();

        let prepared: Vec<Prepared> =
            gates.iter().map(|gate| self.prepare(gate, inputs, &mut guards)).collect();
        let samples: Vec<_> = prepared
            .iter()
            .filter_map(|gate| match gate {
                Prepared::Bootstrap(sample) => Some(sample.clone()),
                Prepared::Done(_) => None,
            })
            .collect();
        let eighth = LookupTable::sign(size, eighths(1));
        let tables = vec![&eighth; samples.len()];
        let mut results = self.bootstrap_samples(samples, &tables).into_iter();
        let finish = |gate| match gate {
            Prepared::Done(result) => Some(result),
            Prepared::Bootstrap(_) => results.next(),
        };
        Ok(prepared.into_iter().map_while(finish).collect())
    }

    /// One gate of two inputs; [`evaluate`](Self::evaluate) of many is several times faster a gate.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn binary(&self, gate: BinaryGate, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext> {
        self.single(Gate::Binary(gate, 0, 1), &[a.clone(), b.clone()])
    }

    /// `then` where `select` is true, else `otherwise`.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn mux(&self, select: &Ciphertext, then: &Ciphertext, otherwise: &Ciphertext) -> Result<Ciphertext> {
        let operands = [select.clone(), then.clone(), otherwise.clone()];
        self.single(Gate::Mux { select: 0, then: 1, otherwise: 2 }, &operands)
    }

    /// Whether at least two are true.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn maj(&self, a: &Ciphertext, b: &Ciphertext, c: &Ciphertext) -> Result<Ciphertext> {
        self.single(Gate::Maj(0, 1, 2), &[a.clone(), b.clone(), c.clone()])
    }

    /// Whether one or three are true.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn xor3(&self, a: &Ciphertext, b: &Ciphertext, c: &Ciphertext) -> Result<Ciphertext> {
        self.single(Gate::Xor3(0, 1, 2), &[a.clone(), b.clone(), c.clone()])
    }

    /// The other bit; free.
    ///
    /// # Errors
    /// [`Error::OtherKey`] for an input of another key.
    pub fn not(&self, a: &Ciphertext) -> Result<Ciphertext> {
        self.single(Gate::Not(0), std::slice::from_ref(a))
    }

    fn single(&self, gate: Gate, inputs: &[Ciphertext]) -> Result<Ciphertext> {
        Ok(self.evaluate(&[gate], inputs)?.swap_remove(0))
    }

    /// Refuses a gate with a missing operand or too much noise.
    fn check(&self, number: usize, gate: &Gate, inputs: &[Ciphertext]) -> Result<()> {
        let p = self.parameters();
        let operand = |index: usize| {
            inputs.get(index).ok_or(Error::Operand { gate: number, index, inputs: inputs.len() })
        };
        match *gate {
            Gate::Constant(_) => Ok(()),
            Gate::Copy(a) | Gate::Not(a) => operand(a).map(|_| ()),
            Gate::Binary(gate, a, b) => binary(gate, [operand(a)?, operand(b)?]).check(p, number),
            Gate::Maj(a, b, c) => majority([operand(a)?, operand(b)?, operand(c)?]).check(p, number),
            Gate::Xor3(a, b, c) => parity([operand(a)?, operand(b)?, operand(c)?]).check(p, number),
            Gate::Mux { select, then, otherwise } => {
                mux_guard(operand(select)?, operand(otherwise)?).check(p, number)?;
                // Stands for the bootstrap to come: as noisy, and equal to neither operand.
                let sample = LweCiphertext::trivial(p.wire_dimension(), Torus32(1));
                let guard = Ciphertext::new(sample, noise::bootstrapped(p), self.key_id());
                mux_sum(operand(select)?, operand(then)?, &guard).check(p, number)
            }
        }
    }

    /// The linear part of a checked gate. `guards` yields the first halves of the MUXes in order.
    fn prepare(
        &self,
        gate: &Gate,
        inputs: &[Ciphertext],
        guards: &mut impl Iterator<Item = Ciphertext>,
    ) -> Prepared {
        let dimension = self.parameters().wire_dimension();
        let combination = match *gate {
            Gate::Constant(bit) => return Prepared::Done(self.trivial(encode_bit(bit))),
            Gate::Copy(a) => return Prepared::Done(inputs[a].clone()),
            Gate::Not(a) => {
                let mut sample = LweCiphertext::trivial(dimension, Torus32::default());
                sample.add_scaled(-1, inputs[a].sample());
                return Prepared::Done(Ciphertext::new(sample, inputs[a].variance(), self.key_id()));
            }
            Gate::Binary(gate, a, b) => binary(gate, [&inputs[a], &inputs[b]]),
            Gate::Maj(a, b, c) => majority([&inputs[a], &inputs[b], &inputs[c]]),
            Gate::Xor3(a, b, c) => parity([&inputs[a], &inputs[b], &inputs[c]]),
            Gate::Mux { select, then, .. } => {
                let guard = guards.next().expect("invariant: one guard was bootstrapped for every MUX");
                return Prepared::Bootstrap(
                    mux_sum(&inputs[select], &inputs[then], &guard).sample(dimension),
                );
            }
        };
        Prepared::Bootstrap(combination.sample(dimension))
    }
}
