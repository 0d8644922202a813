//! Bootstrapping: blind rotation of a lookup table by an encrypted amount.
//!
//! A sample (a, b) under the small key is switched to the modulus 2N; the accumulator starts as X^-b' times the table
//! and is multiplied by X^(a'_i s_i), d key bits a step. For d = 1 that is acc += (X^a'_i - 1) (BK_i ⊡ acc), a CMux
//! with an encrypted bit. For two bits s, t with the masks a, b it is
//!
//! ```text
//! acc += (X^a - 1) (BK[s (1-t)] ⊡ acc) + (X^b - 1) (BK[(1-s) t] ⊡ acc) + (X^(a+b) - 1) (BK[s t] ⊡ acc)
//! ```
//!
//! with three TGSW samples, of which at most one is of 1. (A block-binary key has at most one bit set in a step, so that the
//! samples of its bits are enough: acc += sum_i (X^a_i - 1) (BK_i ⊡ acc).) All share the decomposition and the transforms of one
//! accumulator, and are summed before the transform back; X^a - 1 is multiplied in the Fourier domain. So a step costs
//! as many transforms for two bits as for one. (Zhou et al., "Faster bootstrapping with multiple addends", IEEE Access
//! 2018; Bourse et al., "Fast homomorphic evaluation of deep discretized neural networks", CRYPTO 2018, section 4.2.)
//!
//! What remains is X^-phase times the table: its constant coefficient is the table's value at the phase, under the
//! large key, with a noise that does not depend on the input's. (Chillotti et al. 2020, section 4.3, algorithm 9; for
//! arbitrary tables Chillotti, Joye and Paillier, CSCML 2021.)
//!
//! **Batch.** A key is tens of megabytes and would stream from memory once a sample. So the loop over the key bits is
//! outside, and each key bit's TGSW sample is loaded once and applied to every accumulator of the batch.

use super::key::BootstrapKey;
use super::lookup_table::LookupTable;
use super::modulus_switch::SwitchedSample;
#[cfg(feature = "parallel")]
use super::team;
use crate::backend::buffer::AlignedBuffer;
#[cfg(any(test, feature = "internals"))]
use crate::backend::transform::Step;
use crate::sample::lwe::{Large, LweCiphertext, Small};
use crate::sample::tlwe::TlweCiphertext;
use crate::torus::{Torus, Torus32, Torus64};

impl BootstrapKey {
    /// Looks up the phase of each sample of `batch` in its table: modulus switch, blind rotation and sample extraction.
    /// The values come under the large key. A batch runs on this thread; a single sample is shared by up to `threads`: this one,
    /// and those of the current rayon pool that are idle.
    ///
    /// # Panics
    /// If there are not as many tables as samples, or one of them has another dimension or size than the key.
    #[cfg_attr(not(feature = "parallel"), expect(unused_variables, reason = "there is one thread"))]
    pub(crate) fn bootstrap(
        &self,
        batch: &[LweCiphertext<Torus32, Small>],
        tables: &[&LookupTable],
        threads: usize,
    ) -> Vec<LweCiphertext<Torus32, Large>> {
        let (shape, size) = (&self.shape, self.shape.size);
        let accumulator_len = shape.accumulator_len();
        assert_eq!(batch.len(), tables.len(), "a lookup table a sample");
        assert!(tables.iter().all(|table| table.size() == size), "a lookup table of another size");
        let fits = |sample: &LweCiphertext<_, _>| sample.dimension() == self.parameters.lwe_dimension;
        assert!(batch.iter().all(fits), "an LWE sample of another dimension");
        let samples: Vec<SwitchedSample> =
            batch.iter().map(|sample| SwitchedSample::new(sample, size)).collect();
        let mut accumulators = AlignedBuffer::<u64>::zeroed(samples.len() * accumulator_len);
        for ((accumulator, sample), table) in
            accumulators.chunks_exact_mut(accumulator_len).zip(&samples).zip(tables)
        {
            sample.start(table, &mut accumulator[shape.dimension * size..]);
        }
        match &samples[..] {
            #[cfg(feature = "parallel")]
            [sample] if threads > 1 => team::rotate(self, sample, threads, &mut accumulators),
            samples => self.rotate(samples, &mut accumulators),
        }
        let extract = |accumulator: &[u64]| {
            let words: &[Torus64] = bytemuck::cast_slice(accumulator);
            let sample = TlweCiphertext::from_words(words.to_vec(), size).sample_extract(0);
            LweCiphertext::from_words(
                sample.words().iter().map(|x| Torus32::from_bits64(x.to_bits64())).collect(),
            )
        };
        accumulators.chunks_exact(accumulator_len).map(extract).collect()
    }

    /// Step `number` alone, for a batch with `shifts` of its own.
    #[cfg(any(test, feature = "internals"))]
    pub(crate) fn step(&self, number: usize, accumulators: &mut [u64], shifts: &[u32]) {
        let mut scratch = AlignedBuffer::zeroed(self.shape.scratch_len());
        let step = Step { next_key: &[], ..self.numbered(number) };
        self.fft.transform().rotate_and_add(&step, accumulators, shifts, &mut scratch);
    }

    /// All steps for a batch.
    pub(crate) fn rotate(&self, samples: &[SwitchedSample], accumulators: &mut [u64]) {
        let rotations = self.shape.rotations;
        let mut scratch = AlignedBuffer::zeroed(self.shape.scratch_len());
        let mut shifts = vec![0; samples.len() * rotations];
        for number in 0..self.parameters.steps() {
            for (shifts, sample) in shifts.chunks_exact_mut(rotations).zip(samples) {
                self.shifts(number, sample, shifts);
            }
            self.fft.transform().rotate_and_add(&self.numbered(number), accumulators, &shifts, &mut scratch);
        }
    }
}
