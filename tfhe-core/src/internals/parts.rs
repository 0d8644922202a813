//! The parts of a bootstrap by themselves, to be timed. Their time does not depend on what the samples hold.

use std::hint::black_box;

use crate::backend::choice::Backend;
use crate::backend::fft::Fft;
use crate::bootstrap::key::BootstrapKey;
use crate::bootstrap::lookup_table::LookupTable;
use crate::error::Result;
use crate::keys::cloud::CloudKey;
use crate::keyswitch::key::KeySwitchKey;
use crate::parameters::set::Parameters;
use crate::random::SecretSeed;
use crate::sample::external_product::FourierTgsw;
use crate::sample::lwe::LweCiphertext;
use crate::sample::tlwe::TlweSecretKey;
use crate::torus::{Torus32, Torus64};

/// A part of a bootstrap, made ready to be run again and again on the calling thread.
pub struct Part {
    batch: usize,
    run: Box<dyn FnMut()>,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Part {{ batch: {}, .. }}", self.batch)
    }
}

impl Part {
    fn new(batch: usize, run: impl FnMut() + 'static) -> Self {
        Self { batch, run: Box::new(run) }
    }

    /// Ciphertexts that a run takes.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Runs it once.
    pub fn run(&mut self) {
        (self.run)();
    }

    /// A transform of N = `size` real coefficients, and back.
    ///
    /// # Errors
    /// Those of a transform that does not exist.
    pub fn transform(size: usize, backend: Backend) -> Result<Self> {
        let fft = Fft::new(size, backend)?;
        let mut data: Vec<f64> = (0..size).map(|j| ((j * 7919) % 1024) as f64 - 512.0).collect();
        Ok(Self::new(1, move || {
            fft.forward(&mut data);
            fft.inverse(&mut data);
        }))
    }

    /// One external product, as it stands by itself; inside a blind rotation it is fused and batched.
    ///
    /// # Errors
    /// Those of a backend that the CPU lacks.
    pub fn external_product(p: &Parameters, backend: Backend) -> Result<Self> {
        let (dimension, size, noise) = (p.tlwe_dimension, p.polynomial_size, p.tlwe_noise());
        let seed = SecretSeed::deterministic_for_tests;
        let fft = Fft::new(size, backend)?;
        let key = TlweSecretKey::generate(dimension, &fft, &seed(1));
        let tgsw = FourierTgsw::encrypt::<Torus64>(&key, true, p.gadget, noise, &fft, &seed(2));
        let sample =
            key.encrypt_packed(&vec![Torus64(1 << 60); size], noise, &seed(3), 0).expand(dimension, size);
        Ok(Self::new(1, move || {
            black_box(tgsw.external_product(&sample));
        }))
    }

    /// A key switch of a batch.
    ///
    /// # Errors
    /// Those of a backend that the CPU lacks.
    pub fn key_switch(key: &CloudKey, backend: Backend, batch: usize) -> Result<Self> {
        let switch = KeySwitchKey::expand(key, backend)?;
        let sample = LweCiphertext::trivial(key.parameters.large_dimension(), Torus32::from_bit(true));
        let samples = vec![sample; batch];
        Ok(Self::new(batch, move || {
            black_box(switch.switch(&samples));
        }))
    }

    /// A blind rotation of a batch, or of as many as fit the cache.
    ///
    /// # Errors
    /// Those of a backend that the CPU lacks.
    pub fn blind_rotation(key: &CloudKey, backend: Backend, batch: Option<usize>) -> Result<Self> {
        let bootstrap = BootstrapKey::expand(key, backend)?;
        let batch = batch.unwrap_or_else(|| bootstrap.batch_size());
        let table = LookupTable::sign(key.parameters.polynomial_size, Torus32::from_bit(true));
        let samples =
            vec![LweCiphertext::trivial(key.parameters.lwe_dimension, Torus32::from_bit(true)); batch];
        Ok(Self::new(batch, move || {
            black_box(bootstrap.bootstrap(&samples, &vec![&table; batch], 1));
        }))
    }
}
