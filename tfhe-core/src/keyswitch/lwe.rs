//! Key switching to a small key without structure.
//!
//! The key holds, for each bit S_i of the large key and each level j, an LWE sample under the small key of S_i B^-j. With
//! d_ij the digits of a_i, (0, b) - sum_ij d_ij K_ij has the phase b - sum_i a_i S_i and a little noise more.
//! (Chillotti et al. 2020, section 4.1, with signed digits: one row a level serves all values of a digit.)
//!
//! A key is tens of megabytes, so each row is read once for a whole batch of samples.

use crate::backend::buffer::AlignedBuffer;
use crate::backend::choice::Backend;
use crate::backend::rows::{ROWS_A_PASS, add_rows};
use crate::error::Result;
use crate::gadget::Gadget;
use crate::keys::cloud::CloudKey;
use crate::parallel;
use crate::parameters::set::Parameters;
use crate::random::{Purpose, Rows};
use crate::sample::lwe::{Large, LweCiphertext, LweSecretKey, Small};
use crate::torus::{Torus, Torus32};

/// The bodies of the key's rows, (i, j) in order.
pub(super) fn encrypt_bodies(
    large: &LweSecretKey<Large>,
    small: &LweSecretKey<Small>,
    parameters: &Parameters,
    rows: Rows<'_>,
) -> Vec<Torus32> {
    let gadget = parameters.key_switch_gadget;
    let deviation = parameters.lwe_noise();
    let levels = gadget.levels() as usize;
    parallel::flat_map(large.dimension(), |i| {
        let mut bodies = Vec::with_capacity(levels);
        if rows.control.is_cancelled() {
            return bodies;
        }
        let bit = i64::from(large.bits()[i]);
        let mut mask = vec![Torus32::default(); small.dimension()];
        for level in 0..levels {
            let row = (i * levels + level) as u64;
            rows.masks.fill(Purpose::KeySwitchKey, row, &mut mask);
            let message = Torus32::from_bits64(gadget.weight(level)) * bit;
            let mut noise = rows.seed.noise(Purpose::KeySwitchKey, row);
            bodies.push(small.encrypt_body(&mask, message, deviation, &mut noise));
        }
        rows.control.advance(1);
        bodies
    })
}

/// The key, expanded for use.
pub(super) struct LweKeySwitchKey {
    /// One sample a row, `stride` words apart.
    rows: AlignedBuffer<u32>,
    stride: usize,
    output_dimension: usize,
    gadget: Gadget,
    backend: Backend,
}

impl LweKeySwitchKey {
    /// Expands the masks, for a `backend` that the CPU has.
    pub(super) fn expand(key: &CloudKey, backend: Backend) -> Result<Self> {
        let CloudKey { parameters, masks, key_switch: bodies, .. } = key;
        let output_dimension = parameters.lwe_dimension;
        // Whole cache lines, so that rows are aligned and vectors need no remainder.
        let stride = (output_dimension + 1).next_multiple_of(16);
        let mut rows = AlignedBuffer::large(bodies.len() * stride)?;
        parallel::for_each_chunk(&mut rows, stride, |number, row: &mut [u32]| {
            let mask: &mut [Torus32] = bytemuck::cast_slice_mut(&mut row[..output_dimension]);
            masks.key_switch_row(number, mask);
            row[output_dimension] = bodies[number].0;
        });
        Ok(Self { rows, stride, output_dimension, gadget: parameters.key_switch_gadget, backend })
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.rows)
    }

    /// Switches every sample of a `batch` that is not empty, of the large key's dimension, on this thread.
    pub(super) fn switch(
        &self,
        batch: &[LweCiphertext<Torus32, Large>],
    ) -> Vec<LweCiphertext<Torus32, Small>> {
        let stride = self.stride;
        let levels = self.gadget.levels() as usize;
        let row_count = self.rows.len() / stride;
        // digits[row * batch + c], negated: adding their products to the outputs subtracts the rows.
        let mut digits = vec![0u32; row_count * batch.len()];
        let mut outputs = AlignedBuffer::<u32>::zeroed(batch.len() * stride);
        for (c, sample) in batch.iter().enumerate() {
            for (i, a) in sample.mask().iter().enumerate() {
                self.gadget.digits(a.to_bits64(), |level, digit| {
                    digits[(i * levels + level) * batch.len() + c] = (-digit) as u32;
                });
            }
            outputs[c * stride + self.output_dimension] = sample.body().0;
        }
        let passes = self.rows.chunks(ROWS_A_PASS * stride).zip(digits.chunks(ROWS_A_PASS * batch.len()));
        for (rows, digits) in passes {
            for (c, output) in outputs.chunks_exact_mut(stride).enumerate() {
                let digits = std::array::from_fn(|r| digits.get(r * batch.len() + c).copied().unwrap_or(0));
                add_rows(self.backend, output, rows, digits);
            }
        }
        let sample = |output: &[u32]| {
            let words: &[Torus32] = bytemuck::cast_slice(&output[..=self.output_dimension]);
            LweCiphertext::from_words(words.to_vec())
        };
        outputs.chunks_exact(stride).map(sample).collect()
    }
}
