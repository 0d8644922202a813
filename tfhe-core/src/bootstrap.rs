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
//! The modulus switch is centred: with a'_i = round(2N a_i) and e_i = a'_i / 2N - a_i, b' = floor(2N (b + 1/2 sum
//! e_i)). The half sum is the mean of what rounding the masks adds, for uniform key bits (for a block-binary key it halves
//! the variance no less), and the floor puts the 2N slots symmetrically about
//! 0, slot j standing for the phases [j, j+1) / 2N.
//!
//! **Batch.** A key is tens of megabytes and would stream from memory once a sample. So the loop over the key bits is
//! outside, and each key bit's TGSW sample is loaded once and applied to every accumulator of the batch.
//!
//! ```
//! use tfhe_core::{bootstrap::LookupTable, torus::{Torus, Torus32}};
//! // |x| over the phases from -1/4 to 1/4, in slots of 1/1024.
//! let table = LookupTable::from_function(512, f64::abs);
//! let value = table.at(Torus32::from_real(-0.2)).to_real();
//! assert!((value - 0.2).abs() <= 1.0 / 2048.0);
//! ```

use rayon::prelude::*;

use crate::backend::Backend;
use crate::buffer::AlignedBuffer;
use crate::cache;
use crate::error::Result;
use crate::fft::{Fft, Step, StepShape};
use crate::keys::{BootstrapBodies, CloudKey, Masks};
use crate::lwe::{Large, LweCiphertext, LweSecretKey, Small};
use crate::parameters::Parameters;
use crate::random::{MaskSeed, SecretSeed};
use crate::tgsw;
use crate::tlwe::{TlweCiphertext, TlweSecretKey};
use crate::torus::{Torus, Torus32, Torus64};

mod team;

/// Share of the second-level cache for the accumulators of a batch: the rest is for two steps' keys and the scratch
/// space.
const BATCH_SHARE: usize = 4;

/// A table of torus values over the phase, made for N slots on the half torus.
///
/// The table is negacyclic by nature: its value at x + 1/2 is minus that at x.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupTable {
    /// Value at the phases [j, j+1) / 2N for j < N, 64-bit torus.
    values: Vec<u64>,
}

impl LookupTable {
    /// `amplitude` where the phase is in [0, 1/2), minus `amplitude` where it is in [-1/2, 0): exact on the whole
    /// torus. `size` is N.
    pub fn sign(size: usize, amplitude: Torus32) -> Self {
        Self { values: vec![amplitude.to_bits64(); size] }
    }

    /// `f` on the phases [-1/4, 1/4), in torus units; `size` is N. A slot takes the value of `f` at its middle.
    ///
    /// Beyond, the table is minus `f` of the phase half a turn away, so that the caller keeps phases, with their noise,
    /// inside; unless `f` goes on so: s (|x| - 1/4) does, and as a table it is right on the whole torus.
    pub fn from_function(size: usize, f: impl Fn(f64) -> f64) -> Self {
        let slots = 2.0 * size as f64;
        let value = |j: usize| {
            let middle = (j as f64 + 0.5) / slots;
            let real = if j < size / 2 { f(middle) } else { -f(middle - 0.5) };
            Torus64::from_real(real).to_bits64()
        };
        Self { values: (0..size).map(value).collect() }
    }

    /// N.
    pub fn size(&self) -> usize {
        self.values.len()
    }

    /// The slots j < N, 64-bit torus.
    pub(crate) fn values(&self) -> &[u64] {
        &self.values
    }

    /// The value at a phase: what a bootstrap without noise gives.
    pub fn at(&self, phase: Torus32) -> Torus32 {
        let size = self.values.len();
        let slot = ((u64::from(phase.0) * 2 * size as u64) >> 32) as usize;
        let bits = if slot < size { self.values[slot] } else { self.values[slot - size].wrapping_neg() };
        Torus32::from_bits64(bits)
    }
}

/// The bodies of a bootstrapping key's rows on the torus `T`: for each step, TGSW samples of (k+1) l polynomials. A sample
/// is of 1 if the step's key bits have the sample's [pattern](Parameters::pattern), else of 0.
pub(crate) fn encrypt_bodies<T: Torus>(
    large: &TlweSecretKey,
    small: &LweSecretKey<Small>,
    parameters: &Parameters,
    seed: &SecretSeed,
    masks: MaskSeed,
) -> Vec<T> {
    let deviation = parameters.tlwe_noise();
    let count = parameters.step_samples();
    let samples = (0..parameters.steps() * count).into_par_iter().flat_map_iter(|index| {
        let (step, pattern) = (index / count, parameters.pattern(index % count));
        let bits = &small.bits()[step * parameters.bits_a_step..][..parameters.bits_a_step];
        // The product of s_i or 1 - s_i, as the pattern says.
        let factor = |(i, &bit): (usize, &u32)| 1 ^ bit ^ (pattern >> i & 1) as u32;
        let message = bits.iter().enumerate().map(factor).product();
        tgsw::encrypt_bodies(large, message, parameters.gadget, deviation, index, masks, seed)
    });
    samples.collect()
}

/// A bootstrapping key in the Fourier domain of one backend.
pub struct BootstrapKey {
    /// The keys of the steps, one after another.
    points: AlignedBuffer<f64>,
    parameters: Parameters,
    shape: StepShape,
    fft: Fft,
    batch_size: usize,
}

impl std::fmt::Debug for BootstrapKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BootstrapKey {{ bytes: {}, .. }}", self.bytes())
    }
}

impl BootstrapKey {
    /// Puts masks and bodies together and transforms the samples, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`](crate::Error::BackendUnavailable) if the CPU lacks the backend.
    pub fn expand(key: &CloudKey, backend: Backend) -> Result<Self> {
        let fft = Fft::new(key.parameters.polynomial_size, backend)?;
        Ok(match &key.bootstrap {
            BootstrapBodies::Bits32(bodies) => Self::transform(&key.parameters, bodies, &key.masks, fft),
            BootstrapBodies::Bits48(bodies) => Self::transform(&key.parameters, bodies, &key.masks, fft),
            BootstrapBodies::Bits64(bodies) => Self::transform(&key.parameters, bodies, &key.masks, fft),
        })
    }

    fn transform<T: Torus>(parameters: &Parameters, bodies: &[T], masks: &Masks, fft: Fft) -> Self {
        let shape = StepShape {
            gadget: parameters.gadget,
            size: parameters.polynomial_size,
            dimension: parameters.tlwe_dimension,
            rotations: parameters.step_samples(),
        };
        let mut points = AlignedBuffer::zeroed(parameters.steps() * shape.key_len());
        points
            .par_chunks_exact_mut(shape.key_len())
            .zip(bodies.par_chunks_exact(bodies.len() / parameters.steps()))
            .enumerate()
            .for_each(|(step, (points, bodies))| {
                let samples = points.chunks_exact_mut(shape.key_len() / shape.rotations);
                let bodies = bodies.chunks_exact(bodies.len() / shape.rotations);
                for (sample, (points, bodies)) in samples.zip(bodies).enumerate() {
                    let index = step * shape.rotations + sample;
                    tgsw::transform_rows(bodies, index, masks, shape.dimension, &fft, points);
                }
                fft.transform().arrange_key(&shape, points);
            });
        let accumulator_bytes = shape.accumulator_len() * size_of::<u64>();
        let batch_size = (cache::second_level_bytes() / BATCH_SHARE / accumulator_bytes).clamp(4, 64);
        Self { points, parameters: *parameters, shape, fft, batch_size }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.points)
    }

    /// How many samples a batch should have for this key and this machine's cache.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Looks up the phase of each sample of `batch` in its table: modulus switch, blind rotation and sample extraction.
    /// The values come under the large key. A batch runs on this thread; a single sample is shared by up to `threads`.
    ///
    /// # Panics
    /// If there are not as many tables as samples, or one of them has another dimension or size than the key.
    pub fn bootstrap(
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
        if let ([sample], 2..) = (&samples[..], threads) {
            team::rotate(self, sample, threads, &mut accumulators);
        } else {
            self.rotate(&samples, &mut accumulators);
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

    /// The steps, with their number.
    fn steps(&self) -> impl Iterator<Item = (usize, Step<'_>)> {
        let keys = self.points.chunks_exact(self.shape.key_len());
        let next_keys = keys.clone().skip(1).chain([&[][..]]);
        keys.zip(next_keys).map(|(key, next_key)| Step { shape: &self.shape, key, next_key }).enumerate()
    }

    /// The exponents of step `number`: for each of its TGSW samples the sum mod 2N of the masks in its pattern.
    fn shifts(&self, number: usize, sample: &SwitchedSample, shifts: &mut [u32]) {
        let bits = self.parameters.bits_a_step;
        let masks = &sample.masks[number * bits..][..bits];
        for (i, shift) in shifts.iter_mut().enumerate() {
            *shift = pattern_sum(masks, self.parameters.pattern(i)) % (2 * self.shape.size as u32);
        }
    }

    /// Step `number` alone, for a batch with `shifts` of its own.
    pub(crate) fn step(&self, number: usize, accumulators: &mut [u64], shifts: &[u32]) {
        let mut scratch = AlignedBuffer::zeroed(self.shape.scratch_len());
        let key = &self.points[number * self.shape.key_len()..][..self.shape.key_len()];
        let step = Step { shape: &self.shape, key, next_key: &[] };
        self.fft.transform().rotate_and_add(&step, accumulators, shifts, &mut scratch);
    }

    /// All steps for a batch.
    pub(crate) fn rotate(&self, samples: &[SwitchedSample], accumulators: &mut [u64]) {
        let rotations = self.shape.rotations;
        let mut scratch = AlignedBuffer::zeroed(self.shape.scratch_len());
        let mut shifts = vec![0; samples.len() * rotations];
        for (number, step) in self.steps() {
            for (shifts, sample) in shifts.chunks_exact_mut(rotations).zip(samples) {
                self.shifts(number, sample, shifts);
            }
            self.fft.transform().rotate_and_add(&step, accumulators, &shifts, &mut scratch);
        }
    }
}

/// The sum of the masks whose bit is set in `pattern`.
fn pattern_sum(masks: &[u32], pattern: usize) -> u32 {
    masks.iter().enumerate().map(|(i, &mask)| mask * (pattern >> i & 1) as u32).sum()
}

/// An LWE sample with modulus 2N.
pub(crate) struct SwitchedSample {
    /// Below 2N each.
    pub(crate) masks: Vec<u32>,
    /// Below 2N.
    pub(crate) body: u32,
}

impl SwitchedSample {
    pub(crate) fn new(sample: &LweCiphertext<Torus32, Small>, size: usize) -> Self {
        let slots_log = (2 * size).ilog2();
        let unit = 1u32 << (32 - slots_log);
        let mut error_sum = 0i64;
        let masks = sample
            .mask()
            .iter()
            .map(|a| {
                let rounded = a.0.wrapping_add(unit / 2) & !(unit - 1);
                error_sum += i64::from(rounded.wrapping_sub(a.0) as i32);
                rounded >> (32 - slots_log)
            })
            .collect();
        // (floor, mod 1) of the body and half of the errors' sum
        let body = (sample.body().0.wrapping_add((error_sum >> 1) as u32)) >> (32 - slots_log);
        Self { masks, body }
    }

    /// Writes X^-b' times the table to the body of an accumulator.
    fn start(&self, table: &LookupTable, body: &mut [u64]) {
        let size = table.values.len();
        for (j, x) in body.iter_mut().enumerate() {
            let at = (j + self.body as usize) % (2 * size);
            *x = if at < size { table.values[at] } else { table.values[at - size].wrapping_neg() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The switched phase is the phase to within the rounding of the masks, for any key.
        #[test]
        fn modulus_switch_is_close_and_centred(masks in prop::collection::vec(any::<u32>(), 64), body: u32, key: u64) {
            let words = masks.iter().copied().chain([body]).map(Torus32).collect();
            let sample = LweCiphertext::from_words(words);
            let bits = (0..64).map(|i| (key >> i & 1) as u32).collect();
            let secret = LweSecretKey::<Small>::from_bits(bits);
            let size = 512;
            let switched = SwitchedSample::new(&sample, size);
            let product: u32 = switched.masks.iter().enumerate().filter(|(i, _)| key >> i & 1 == 1).map(|(_, a)| a).sum();
            let slot = (switched.body + 2 * size as u32 * 64 - product) % (2 * size as u32);
            let middle = (f64::from(slot) + 0.5) / (2.0 * size as f64);
            let error = Torus64::from_real(middle - secret.phase(&sample).to_real()).to_real();
            // Half a slot for each of 64 masks, halved by centring, and half a slot for the body.
            prop_assert!(error.abs() * 2.0 * size as f64 <= 64.0 / 4.0 + 0.5 + 1e-6, "{error}");
        }
    }

    #[test]
    fn a_magnitude_is_right_on_the_whole_turn() {
        let table = LookupTable::from_function(1024, |x| 0.5 * (x.abs() - 0.25));
        for step in -500..500 {
            let x = f64::from(step) / 1000.0;
            let value = table.at(Torus32::from_real(x)).to_real();
            assert!((value - 0.5 * (x.abs() - 0.25)).abs() < 0.5 / 4096.0 + 1e-9, "{x}: {value}");
        }
    }

    #[test]
    fn tables_hold_the_function_on_the_quarter_turn() {
        let table = LookupTable::from_function(1024, |x| x * x);
        let value = |j: usize| Torus64(table.values[j]).to_real();
        assert!((value(100) - (100.5f64 / 2048.0).powi(2)).abs() < 1e-15);
        // Slot 1024 - 100 stands for the phase -100/2048 plus half a turn: negated.
        assert!((value(924) + (99.5f64 / 2048.0).powi(2)).abs() < 1e-15);
    }
}
