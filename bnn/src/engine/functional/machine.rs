//! What a plan runs on: ciphertexts, or phases in the clear with the noise that ciphertexts would have. One walk through the
//! network serves both, so that what is predicted is what is run.

use std::{borrow::Cow, f64::consts::TAU};

use rand_chacha::{ChaCha20Rng, rand_core::Rng};
use rayon::prelude::*;
use tfhe_core::{
    bootstrap::LookupTable,
    ciphertext::{Ciphertext, PackedCiphertext},
    control::Control,
    evaluator::Evaluator,
    noise,
    parameters::Parameters,
    torus::Torus32,
};

use crate::error::Result;

/// A constant and terms: an integer times a value each, at least one.
pub(super) type Sum<'v, V> = (Torus32, Vec<(i32, &'v V)>);

/// What the filters of a layer read at one place, each with a row of weights, and what is added to its sum.
pub(super) struct Window<'v, V> {
    pub(super) inputs: Vec<&'v V>,
    /// As many weights as there are inputs.
    pub(super) rows: Vec<(Torus32, Cow<'v, [i32]>)>,
}

/// Linear combinations and bootstraps of torus values.
pub(super) trait Machine {
    /// A torus value.
    type Value: Clone + Sync;

    /// The values of the picture.
    fn inputs(&self) -> Vec<Self::Value>;

    /// For each place in a row of the picture, the sum over the rows of factor times value.
    fn sum_rows(&self, factors: &[i32]) -> Result<Vec<Self::Value>>;

    /// `count` linear combinations.
    fn combine<'v>(
        &self,
        count: usize,
        sum: impl Fn(usize) -> Sum<'v, Self::Value> + Sync,
    ) -> Result<Vec<Self::Value>>
    where
        Self::Value: 'v;

    /// For each of `count` windows, the sums of its rows.
    fn weigh<'v>(
        &self,
        count: usize,
        window: impl Fn(usize) -> Window<'v, Self::Value> + Sync,
    ) -> Result<Vec<Vec<Self::Value>>>
    where
        Self::Value: 'v;

    /// Each value looked up in its table.
    fn bootstrap(&mut self, values: &[Self::Value], tables: &[&LookupTable]) -> Result<Vec<Self::Value>>;
}

/// Ciphertexts, on all threads of the current rayon pool. The control hears of bootstraps.
pub(super) struct Ciphertexts<'a> {
    pub(super) evaluator: &'a Evaluator,
    pub(super) image: &'a PackedCiphertext,
    pub(super) control: &'a Control,
}

impl Machine for Ciphertexts<'_> {
    type Value = Ciphertext;

    fn inputs(&self) -> Vec<Ciphertext> {
        self.image.unpack()
    }

    fn sum_rows(&self, factors: &[i32]) -> Result<Vec<Ciphertext>> {
        Ok(self.image.sum_rows(factors)?)
    }

    fn combine<'v>(
        &self,
        count: usize,
        sum: impl Fn(usize) -> Sum<'v, Ciphertext> + Sync,
    ) -> Result<Vec<Ciphertext>> {
        let combined = (0..count).into_par_iter().map(|index| {
            let (constant, terms) = sum(index);
            Ok(Ciphertext::linear(constant, terms)?)
        });
        combined.collect()
    }

    fn weigh<'v>(
        &self,
        count: usize,
        window: impl Fn(usize) -> Window<'v, Ciphertext> + Sync,
    ) -> Result<Vec<Vec<Ciphertext>>> {
        // Where windows are too few for the threads, as in a dense layer, their rows are shared out, but not so thinly that
        // preparing the inputs for each portion would cost more than the sums.
        const PORTIONS_A_THREAD: usize = 4;
        const LEAST_ROWS: usize = 16;
        let portions = (PORTIONS_A_THREAD * rayon::current_num_threads()).div_ceil(count.max(1));
        let weighed = (0..count).into_par_iter().map(|index| {
            let Window { inputs, rows } = window(index);
            let rows: Vec<(Torus32, &[i32])> =
                rows.iter().map(|(constant, row)| (*constant, &row[..])).collect();
            let portions = rows.par_chunks(rows.len().div_ceil(portions).max(LEAST_ROWS));
            let sums: Vec<Vec<Ciphertext>> = portions
                .map(|rows| self.evaluator.linear_combinations(rows, &inputs))
                .collect::<tfhe_core::Result<_>>()?;
            Ok(sums.into_iter().flatten().collect())
        });
        weighed.collect()
    }

    fn bootstrap(&mut self, values: &[Ciphertext], tables: &[&LookupTable]) -> Result<Vec<Ciphertext>> {
        let portion = self.evaluator.portion();
        let mut results = Vec::with_capacity(values.len());
        for (values, tables) in values.chunks(portion).zip(tables.chunks(portion)) {
            self.control.check()?;
            results.extend(self.evaluator.bootstrap(values, tables)?);
            self.control.advance(values.len());
        }
        Ok(results)
    }
}

/// Phases with Gaussian noise. The noise of fresh ciphertexts, some 2^-29 of the torus, is left out.
pub(super) struct Phases<'a> {
    image: &'a [Torus32],
    row_len: usize,
    rng: ChaCha20Rng,
    /// Standard deviation of what key switch and modulus switch add to a phase before it is looked up.
    decision: f64,
    /// Standard deviation of a bootstrap's result.
    result: f64,
}

impl<'a> Phases<'a> {
    pub(super) fn new(
        parameters: &Parameters,
        image: &'a [Torus32],
        row_len: usize,
        rng: ChaCha20Rng,
    ) -> Self {
        let decision = noise::decision(parameters, 0.0).sqrt();
        Self { image, row_len, rng, decision, result: noise::bootstrapped(parameters).sqrt() }
    }

    /// The same without noise: what is left is how phases are rounded.
    #[cfg(feature = "internals")]
    pub(super) fn without_noise(self) -> Self {
        Self { decision: 0.0, result: 0.0, ..self }
    }

    fn noisy(&mut self, phase: Torus32, deviation: f64) -> Torus32 {
        phase + Torus32::from_real(deviation * normal(&mut self.rng))
    }
}

impl Machine for Phases<'_> {
    type Value = Torus32;

    fn inputs(&self) -> Vec<Torus32> {
        self.image.to_vec()
    }

    fn sum_rows(&self, factors: &[i32]) -> Result<Vec<Torus32>> {
        let mut sums = vec![Torus32::default(); self.row_len];
        for (row, &factor) in self.image.chunks(self.row_len).zip(factors) {
            sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value * i64::from(factor));
        }
        Ok(sums)
    }

    fn combine<'v>(
        &self,
        count: usize,
        sum: impl Fn(usize) -> Sum<'v, Torus32> + Sync,
    ) -> Result<Vec<Torus32>> {
        let combined = (0..count).map(|index| {
            let (constant, terms) = sum(index);
            terms.into_iter().fold(constant, |sum, (factor, &value)| sum + value * i64::from(factor))
        });
        Ok(combined.collect())
    }

    fn weigh<'v>(
        &self,
        count: usize,
        window: impl Fn(usize) -> Window<'v, Torus32> + Sync,
    ) -> Result<Vec<Vec<Torus32>>> {
        let weighed = (0..count).map(|index| {
            let Window { inputs, rows } = window(index);
            let inputs: Vec<u32> = inputs.into_iter().map(|input| input.0).collect();
            let sum = |(constant, row): &(Torus32, Cow<'_, [i32]>)| {
                let products =
                    row.iter().zip(&inputs).map(|(&weight, input)| input.wrapping_mul(weight as u32));
                Torus32(products.fold(constant.0, u32::wrapping_add))
            };
            rows.iter().map(sum).collect()
        });
        Ok(weighed.collect())
    }

    fn bootstrap(&mut self, values: &[Torus32], tables: &[&LookupTable]) -> Result<Vec<Torus32>> {
        let looked_up = values.iter().zip(tables).map(|(&value, table)| {
            let value = self.noisy(value, self.decision);
            self.noisy(table.at(value), self.result)
        });
        Ok(looked_up.collect())
    }
}

/// A standard normal number, by Box and Muller's method.
fn normal(rng: &mut ChaCha20Rng) -> f64 {
    let mut uniform = || (rng.next_u64() >> 11) as f64 / 2f64.powi(53);
    let (u, v) = (1.0 - uniform(), uniform());
    (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
}
