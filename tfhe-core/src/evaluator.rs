//! The server's engine: a cloud key expanded for one backend, and the batched bootstrap that everything runs on.
//!
//! ```
//! use tfhe_core::{backend::Backend, bootstrap::LookupTable, evaluator::Evaluator, keys::{CloudKey, SecretKey}};
//! use tfhe_core::{parameters::GATES_DEFAULT, random::SecretSeed, torus::Torus32};
//! let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
//! let cloud = CloudKey::generate(&key, SecretSeed::from_os()?)?;
//! let inputs = key.encrypt(&[true, false], SecretSeed::from_os()?).expand();
//! // The server: the signs of both, at 1/16 instead of 1/8, in one batch.
//! let evaluator = Evaluator::new(&cloud, Backend::fastest())?;
//! let sign = LookupTable::sign(GATES_DEFAULT.polynomial_size(), Torus32::from_real(1.0 / 16.0));
//! let signs = evaluator.bootstrap(&inputs, &[&sign, &sign])?;
//! // Within 1/64, which is more than ten standard deviations of the noise.
//! assert!((key.phase(&signs[0])?.to_real() - 1.0 / 16.0).abs() < 1.0 / 64.0);
//! assert!((key.phase(&signs[1])?.to_real() + 1.0 / 16.0).abs() < 1.0 / 64.0);
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use crate::backend::choice::Backend;
use crate::backend::matrix::add_products;
use crate::bootstrap::key::BootstrapKey;
use crate::bootstrap::lookup_table::LookupTable;
use crate::ciphertext::wire::Ciphertext;
use crate::error::{Error, Result};
use crate::key_id::KeyId;
use crate::keys::cloud::CloudKey;
use crate::keyswitch::key::KeySwitchKey;
use crate::noise;
use crate::parallel;
use crate::parameters::set::{Order, Parameters};
use crate::sample::lwe::{LweCiphertext, Wire};
use crate::torus::Torus32;

/// A cloud key ready for use, in the memory of the server.
pub struct Evaluator {
    parameters: Parameters,
    id: KeyId,
    bootstrap: BootstrapKey,
    key_switch: KeySwitchKey,
    backend: Backend,
    /// Variance of what it bootstraps.
    variance: f64,
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Evaluator {{ parameters: {}, id: {}, backend: {} }}",
            self.parameters.name, self.id, self.backend
        )
    }
}

impl Evaluator {
    /// Expands the masks and transforms the bootstrapping key, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`] if the CPU lacks the backend; [`Error::Memory`] where the expanded key finds none.
    pub fn new(key: &CloudKey, backend: Backend) -> Result<Self> {
        let p = key.parameters;
        let bootstrap = BootstrapKey::expand(key, backend)?;
        let key_switch = KeySwitchKey::expand(key, backend)?;
        Ok(Self {
            parameters: p,
            id: key.id,
            bootstrap,
            key_switch,
            backend,
            variance: noise::bootstrapped(&p),
        })
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Whose cloud key it is.
    pub fn key_id(&self) -> KeyId {
        self.id
    }

    /// The backend in use.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Bytes of the expanded key in memory.
    pub fn key_bytes(&self) -> usize {
        self.bootstrap.bytes() + self.key_switch.bytes()
    }

    /// How many ciphertexts to hand over at a time where one wants to hear of progress in between: enough to fill the
    /// batches of every thread of the current rayon pool, twice.
    pub fn portion(&self) -> usize {
        2 * self.bootstrap.batch_size() * parallel::threads()
    }

    /// The noiseless ciphertext of a constant.
    pub fn trivial(&self, message: Torus32) -> Ciphertext {
        Ciphertext::new(LweCiphertext::trivial(self.parameters.wire_dimension(), message), 0.0, self.id)
    }

    /// Linear combinations of the same `inputs`, as [`Ciphertext::linear`] computes one, on the calling thread: for each row its
    /// constant, and the sum of weight x input. Many rows at a time are much faster than each by itself, and weights of 16 bits much
    /// faster than larger ones. A sum of no inputs is [`trivial`](Self::trivial).
    ///
    /// # Errors
    /// [`Error::OtherKey`] or [`Error::OtherDimension`] for a ciphertext of another key; [`Error::WeightCount`] for a row that has
    /// not a weight for each input.
    pub fn linear_combinations(
        &self,
        rows: &[(Torus32, &[i32])],
        inputs: &[&Ciphertext],
    ) -> Result<Vec<Ciphertext>> {
        let dimension = self.parameters.wire_dimension();
        inputs.iter().try_for_each(|input| input.check(self.id, dimension))?;
        if let Some((_, row)) = rows.iter().find(|(_, row)| row.len() != inputs.len()) {
            return Err(Error::WeightCount { inputs: inputs.len(), weights: row.len() });
        }
        let weights: Vec<&[i32]> = rows.iter().map(|&(_, row)| row).collect();
        let words: Vec<&[u32]> =
            inputs.iter().map(|input| bytemuck::cast_slice(input.sample().words())).collect();
        let mut sums = vec![vec![0; dimension + 1]; rows.len()];
        sums.iter_mut().zip(rows).for_each(|(sum, (constant, _))| sum[dimension] = constant.0);
        add_products(self.backend, &weights, &words, &mut sums);
        let noise = Ciphertext::shared_noise(inputs);
        let ciphertexts = sums.into_iter().zip(weights).map(|(sum, weights)| {
            let sample = LweCiphertext::from_words(bytemuck::cast_vec(sum));
            Ciphertext::new(sample, noise.variance(weights), self.id)
        });
        Ok(ciphertexts.collect())
    }

    /// Functional bootstrapping of a batch, on all threads of the current rayon pool: the phase of each input looked
    /// up in its own table, with fresh noise.
    ///
    /// # Errors
    /// [`Error::OtherKey`] or [`Error::OtherDimension`] for a ciphertext of another key; [`Error::TableCount`] unless there
    /// is a table an input; [`Error::TableSize`] for a table of another N.
    pub fn bootstrap(&self, inputs: &[Ciphertext], tables: &[&LookupTable]) -> Result<Vec<Ciphertext>> {
        if inputs.len() != tables.len() {
            return Err(Error::TableCount { inputs: inputs.len(), tables: tables.len() });
        }
        if let Some(table) = tables.iter().find(|table| table.size() != self.parameters.polynomial_size) {
            return Err(Error::TableSize { found: table.size(), expected: self.parameters.polynomial_size });
        }
        let dimension = self.parameters.wire_dimension();
        inputs.iter().try_for_each(|input| input.check(self.id, dimension))?;
        let samples = inputs.iter().map(|input| input.sample().clone()).collect();
        Ok(self.bootstrap_samples(samples, tables))
    }

    /// [`bootstrap`](Self::bootstrap) of samples known to be of this key, with a table each.
    pub(crate) fn bootstrap_samples(
        &self,
        samples: Vec<LweCiphertext<Torus32, Wire>>,
        tables: &[&LookupTable],
    ) -> Vec<Ciphertext> {
        if samples.is_empty() {
            return Vec::new();
        }
        // As many batches as keep every thread busy to the end, each as large as the cache allows.
        let threads = parallel::threads();
        let batches = samples.len().div_ceil(self.bootstrap.batch_size()).next_multiple_of(threads);
        let batch = samples.len().div_ceil(batches);
        // A sample that is alone has the threads to itself. (Callers with many at once do better to batch them.)
        let team = if samples.len() == 1 { threads } else { 1 };
        parallel::flat_map(samples.len().div_ceil(batch), |number| {
            let range = number * batch..samples.len().min((number + 1) * batch);
            let results = self.bootstrap_batch(&samples[range.clone()], &tables[range], team);
            results.into_iter().map(|sample| Ciphertext::new(sample, self.variance, self.id))
        })
    }

    /// One batch on one thread, or one sample on several. Here the set's order decides which key [`Wire`] is.
    fn bootstrap_batch(
        &self,
        samples: &[LweCiphertext<Torus32, Wire>],
        tables: &[&LookupTable],
        threads: usize,
    ) -> Vec<LweCiphertext<Torus32, Wire>> {
        match self.parameters.order {
            Order::KeySwitchFirst => {
                let large: Vec<_> = samples.iter().cloned().map(LweCiphertext::rename_key).collect();
                let results = self.bootstrap.bootstrap(&self.key_switch.switch(&large), tables, threads);
                results.into_iter().map(LweCiphertext::rename_key).collect()
            }
            Order::BootstrapFirst => {
                let small: Vec<_> = samples.iter().cloned().map(LweCiphertext::rename_key).collect();
                let results = self.key_switch.switch(&self.bootstrap.bootstrap(&small, tables, threads));
                results.into_iter().map(LweCiphertext::rename_key).collect()
            }
        }
    }
}
