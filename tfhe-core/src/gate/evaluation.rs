//! Evaluation of mixed gates in batches.

use super::combination::{Combination, log2_failure};
use super::kinds::{BinaryGate, Gate};
use crate::bootstrap::lookup_table::LookupTable;
use crate::ciphertext::wire::Ciphertext;
use crate::error::{Error, Result};
use crate::evaluator::Evaluator;
use crate::noise;
use crate::torus::Torus32;

/// A gate after its linear part.
enum Prepared {
    /// A gate without a bootstrap.
    Done(Ciphertext),
    /// Its sign is the result.
    Sign(Ciphertext),
    /// The first half of a MUX, and the operands that its second half has beside.
    Guard(Ciphertext, [usize; 2]),
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
    /// let cloud_key = CloudKey::generate(&key, SecretSeed::from_os()?)?;
    /// let bits = key.encrypt(&[true, false, true], SecretSeed::from_os()?);
    /// // Server: a full adder
    /// let evaluator = Evaluator::new(&cloud_key, Backend::fastest())?;
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
        let prepare = |(number, gate)| self.prepare(number, gate, inputs);
        let mut prepared = gates.iter().enumerate().map(prepare).collect::<Result<Vec<_>>>()?;

        let eighth = Torus32::from_bit(true);
        let mut guards = self.signs(&prepared, eighth * 2, |gate| match gate {
            Prepared::Guard(guard, _) => Some(guard),
            Prepared::Done(_) | Prepared::Sign(_) => None,
        });
        for gate in &mut prepared {
            if let Prepared::Guard(_, [select, then]) = *gate {
                let guard = guards.next().expect("invariant: one guard was bootstrapped for every MUX");
                let operands = [&inputs[select], &inputs[then], &guard];
                *gate = Prepared::Sign(Combination::MUX_SUM.apply(&operands)?);
            }
        }
        let mut signs = self.signs(&prepared, eighth, |gate| match gate {
            Prepared::Sign(sum) => Some(sum),
            Prepared::Done(_) | Prepared::Guard(..) => None,
        });
        let finish = |gate| match gate {
            Prepared::Done(result) => Some(result),
            Prepared::Sign(_) | Prepared::Guard(..) => signs.next(),
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

    /// The signs, at `amplitude`, of what `choose` takes from the gates.
    fn signs<'a>(
        &self,
        gates: &'a [Prepared],
        amplitude: Torus32,
        choose: impl Fn(&'a Prepared) -> Option<&'a Ciphertext>,
    ) -> std::vec::IntoIter<Ciphertext> {
        let samples: Vec<_> = gates.iter().filter_map(choose).map(|sum| sum.sample().clone()).collect();
        let table = LookupTable::sign(self.parameters().polynomial_size, amplitude);
        let tables = vec![&table; samples.len()];
        self.bootstrap_samples(samples, &tables).into_iter()
    }

    /// The linear part of a gate; refuses a missing operand and too much noise.
    fn prepare(&self, number: usize, gate: &Gate, inputs: &[Ciphertext]) -> Result<Prepared> {
        let p = self.parameters();
        let operand = |index: usize| {
            inputs.get(index).ok_or(Error::Operand { gate: number, index, inputs: inputs.len() })
        };
        let combine = |combination: Combination, operands: &[&Ciphertext]| {
            let sum = combination.apply(operands)?;
            let log2_failure = log2_failure(p, combination.margin(), sum.variance());
            if log2_failure > p.log2_failure {
                return Err(Error::TooNoisy { gate: number, log2_failure, bound: p.log2_failure });
            }
            Ok(sum)
        };
        Ok(match *gate {
            Gate::Constant(bit) => Prepared::Done(self.trivial(Torus32::from_bit(bit))),
            Gate::Copy(a) => Prepared::Done(operand(a)?.clone()),
            Gate::Not(a) => Prepared::Done(Ciphertext::linear(Torus32::default(), [(-1, operand(a)?)])?),
            Gate::Binary(gate, a, b) => {
                Prepared::Sign(combine(Combination::of(gate), &[operand(a)?, operand(b)?])?)
            }
            Gate::Maj(a, b, c) => {
                Prepared::Sign(combine(Combination::MAJ, &[operand(a)?, operand(b)?, operand(c)?])?)
            }
            Gate::Xor3(a, b, c) => {
                Prepared::Sign(combine(Combination::XOR3, &[operand(a)?, operand(b)?, operand(c)?])?)
            }
            Gate::Mux { select, then, otherwise } => {
                let guard = combine(Combination::MUX_GUARD, &[operand(select)?, operand(otherwise)?])?;
                // Stands for the guard's bootstrap, which is to come: as noisy, and equal to neither operand.
                let stand_in = self.trivial(Torus32(1)).with_variance(noise::bootstrapped(p));
                combine(Combination::MUX_SUM, &[operand(select)?, operand(then)?, &stand_in])?;
                Prepared::Guard(guard, [select, then])
            }
        })
    }
}
