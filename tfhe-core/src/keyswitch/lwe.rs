//! Key switching to a small key without structure.
//!
//! The key holds, for each bit S_i of the large key and each level j, an LWE sample under the small key of S_i B^-j. With
//! d_ij the digits of a_i, (0, b) - sum_ij d_ij K_ij has the phase b - sum_i a_i S_i and a little noise more.
//! (Chillotti et al. 2020, section 4.1, with signed digits: one row a level serves all values of a digit.)
//!
//! A key is tens of megabytes, so each row is read once for a whole batch of samples.

use rayon::prelude::*;

use crate::backend::Backend;
use crate::buffer::AlignedBuffer;
use crate::gadget::Gadget;
use crate::keys::CloudKey;
use crate::lwe::{Large, LweCiphertext, LweSecretKey, Small};
use crate::parameters::Parameters;
use crate::random::{MaskSeed, Purpose, SecretSeed};
use crate::torus::{Torus, Torus32};

/// Rows that one pass over the outputs takes: 1 load and 1 store of an output word for so many products.
const ROWS_A_PASS: usize = 4;

/// The bodies of the key's rows, (i, j) in order.
pub(super) fn encrypt_bodies(
    large: &LweSecretKey<Large>,
    small: &LweSecretKey<Small>,
    parameters: &Parameters,
    seed: &SecretSeed,
    masks: MaskSeed,
) -> Vec<Torus32> {
    let gadget = parameters.key_switch_gadget;
    let deviation = parameters.lwe_noise();
    let bits = large.bits().par_iter().enumerate();
    let rows = bits.flat_map_iter(|(i, &bit)| {
        let mut mask = vec![Torus32::default(); small.dimension()];
        (0..gadget.levels as usize).map(move |level| {
            let row = (i * gadget.levels as usize + level) as u64;
            masks.fill(Purpose::KeySwitchKey, row, &mut mask);
            let message = Torus32::from_bits64(gadget.weight(level)) * i64::from(bit);
            small.encrypt_body(&mask, message, deviation, &mut seed.noise(Purpose::KeySwitchKey, row))
        })
    });
    rows.collect()
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
    pub(super) fn expand(key: &CloudKey, backend: Backend) -> Self {
        let CloudKey { parameters, masks, key_switch: bodies, .. } = key;
        let output_dimension = parameters.lwe_dimension;
        // Whole cache lines, so that rows are aligned and vectors need no remainder.
        let stride = (output_dimension + 1).next_multiple_of(16);
        let mut rows = AlignedBuffer::zeroed(bodies.len() * stride);
        rows.par_chunks_exact_mut(stride).zip(bodies).enumerate().for_each(|(number, (row, body))| {
            let mask: &mut [Torus32] = bytemuck::cast_slice_mut(&mut row[..output_dimension]);
            masks.key_switch_row(number, mask);
            row[output_dimension] = body.0;
        });
        Self { rows, stride, output_dimension, gadget: parameters.key_switch_gadget, backend }
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
        let levels = self.gadget.levels as usize;
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

/// output += sum_r digits[r] rows[r], for up to [`ROWS_A_PASS`] rows of the output's length, one after another.
#[allow(unsafe_code)] // docs/unsafe.md
fn add_rows(backend: Backend, output: &mut [u32], rows: &[u32], digits: [u32; ROWS_A_PASS]) {
    match backend {
        Backend::Portable => add_rows_portable(output, rows, digits),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 => {
            // SAFETY: a backend is in use only after `Backend::checked`.
            unsafe { add_rows_avx2(output, rows, digits) }
        }
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 => {
            // SAFETY: as above.
            unsafe { add_rows_avx512(output, rows, digits) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Backend::Avx2 | Backend::Avx512 => add_rows_portable(output, rows, digits),
    }
}

/// Compiled once for each instruction set: the loop is what a compiler vectorises well.
#[inline(always)]
fn add_rows_portable(output: &mut [u32], rows: &[u32], digits: [u32; ROWS_A_PASS]) {
    let len = output.len();
    if rows.len() == ROWS_A_PASS * len {
        let (first, rest) = rows.split_at(len);
        let (second, rest) = rest.split_at(len);
        let (third, fourth) = rest.split_at(len);
        for j in 0..len {
            let sum = (first[j].wrapping_mul(digits[0])).wrapping_add(second[j].wrapping_mul(digits[1]));
            let more = (third[j].wrapping_mul(digits[2])).wrapping_add(fourth[j].wrapping_mul(digits[3]));
            output[j] = output[j].wrapping_add(sum.wrapping_add(more));
        }
    } else {
        for (row, digit) in rows.chunks_exact(len).zip(digits) {
            output.iter_mut().zip(row).for_each(|(x, &y)| *x = x.wrapping_add(y.wrapping_mul(digit)));
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_rows_avx2(output: &mut [u32], rows: &[u32], digits: [u32; ROWS_A_PASS]) {
    add_rows_portable(output, rows, digits);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn add_rows_avx512(output: &mut [u32], rows: &[u32], digits: [u32; ROWS_A_PASS]) {
    add_rows_portable(output, rows, digits);
}
