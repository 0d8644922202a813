//! A bootstrapping key, expanded for use.

use std::sync::Arc;

use super::modulus_switch::SwitchedSample;
use crate::backend::buffer::AlignedBuffer;
use crate::backend::cache;
use crate::backend::choice::Backend;
use crate::backend::fft::Fft;
use crate::backend::transform::{Step, StepShape};
use crate::error::Result;
use crate::keys::cloud::CloudKey;
use crate::keys::masks::Masks;
use crate::parallel;
use crate::parameters::set::Parameters;
use crate::sample::tgsw;
use crate::torus::Torus;
use crate::torus_words::ReadWords;

/// Share of the second-level cache for the accumulators of a batch: the rest is for two steps' keys and the scratch
/// space.
const BATCH_SHARE: usize = 4;

/// A bootstrapping key in the Fourier domain of one backend; cheap to clone.
#[derive(Clone)]
pub(crate) struct BootstrapKey {
    /// The keys of the steps, one after another. Shared with threads that help in a rotation, for which nobody waits.
    points: Arc<AlignedBuffer<f64>>,
    pub(super) parameters: Parameters,
    pub(super) shape: StepShape,
    pub(super) fft: Fft,
    batch_size: usize,
}

impl std::fmt::Debug for BootstrapKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BootstrapKey {{ bytes: {}, .. }}", self.bytes())
    }
}

/// Expands bodies of any width.
struct Expansion<'a> {
    parameters: &'a Parameters,
    masks: &'a Masks,
    fft: Fft,
}

impl ReadWords for Expansion<'_> {
    type Output = Result<BootstrapKey>;

    fn read<T: Torus>(self, bodies: &[T]) -> Result<BootstrapKey> {
        BootstrapKey::transform(self.parameters, bodies, self.masks, self.fft)
    }
}

impl BootstrapKey {
    /// Puts masks and bodies together and transforms the samples, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`](crate::Error::BackendUnavailable) if the CPU lacks the backend;
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn expand(key: &CloudKey, backend: Backend) -> Result<Self> {
        let fft = Fft::new(key.parameters.polynomial_size, backend)?;
        key.bootstrap.read(Expansion { parameters: &key.parameters, masks: &key.masks, fft })
    }

    fn transform<T: Torus>(parameters: &Parameters, bodies: &[T], masks: &Masks, fft: Fft) -> Result<Self> {
        let shape = StepShape {
            gadget: parameters.gadget,
            size: parameters.polynomial_size,
            dimension: parameters.tlwe_dimension,
            rotations: parameters.step_samples(),
        };
        let mut points = AlignedBuffer::large(parameters.steps() * shape.key_len())?;
        let step_len = bodies.len() / parameters.steps();
        parallel::for_each_chunk(&mut points, shape.key_len(), |step, points: &mut [f64]| {
            let samples = points.chunks_exact_mut(shape.key_len() / shape.rotations);
            let bodies = bodies[step * step_len..][..step_len].chunks_exact(step_len / shape.rotations);
            for (sample, (points, bodies)) in samples.zip(bodies).enumerate() {
                let index = step * shape.rotations + sample;
                tgsw::transform_rows(bodies, index, masks, shape.dimension, &fft, points);
            }
            fft.transform().arrange_key(&shape, points);
        });
        let accumulator_bytes = shape.accumulator_len() * size_of::<u64>();
        let batch_size = (cache::second_level_bytes() / BATCH_SHARE / accumulator_bytes).clamp(4, 64);
        Ok(Self { points: Arc::new(points), parameters: *parameters, shape, fft, batch_size })
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&**self.points)
    }

    /// How many samples a batch should have for this key and this machine's cache.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Step `number`, followed by the next one.
    pub(super) fn numbered(&self, number: usize) -> Step<'_> {
        let len = self.shape.key_len();
        let (key, next) = self.points[number * len..].split_at(len);
        Step { shape: &self.shape, key, next_key: &next[..len.min(next.len())] }
    }

    /// The exponents of step `number`: for each of its TGSW samples the sum mod 2N of the masks in its pattern.
    pub(super) fn shifts(&self, number: usize, sample: &SwitchedSample, shifts: &mut [u32]) {
        let bits = self.parameters.bits_a_step;
        let masks = &sample.masks[number * bits..][..bits];
        for (i, shift) in shifts.iter_mut().enumerate() {
            *shift = pattern_sum(masks, self.parameters.pattern(i)) % (2 * self.shape.size as u32);
        }
    }
}

/// The sum of the masks whose bit is set in `pattern`.
fn pattern_sum(masks: &[u32], pattern: usize) -> u32 {
    masks.iter().enumerate().map(|(i, &mask)| mask * (pattern >> i & 1) as u32).sum()
}
