//! What the benchmarks share: keys from fixed seeds, backends, thread pools. The benchmarks themselves are in `benches/`,
//! one criterion target each.
//!
//! ```text
//! cargo bench -p benches --bench gates
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bnn::data::Image;
use bnn::model::Model;
use rayon::ThreadPool;
use tfhe_core::backend::Backend;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::Parameters;
use tfhe_core::random::SecretSeed;

/// A client's keys, the same in every run.
pub struct Keys {
    /// What encrypts.
    pub secret: Arc<SecretKey>,
    /// What an [`Evaluator`] is made of.
    pub cloud: CloudKey,
}

impl Keys {
    /// The keys for a parameter set.
    pub fn new(parameters: &Parameters) -> Self {
        Self::numbered(parameters, 0)
    }

    /// Other keys for other numbers.
    pub fn numbered(parameters: &Parameters, number: u64) -> Self {
        let secret = SecretKey::generate(parameters, seed(2 * number + 1));
        let cloud =
            CloudKey::generate(&secret, seed(2 * number + 2)).expect("there is memory for a cloud key");
        Self { secret: Arc::new(secret), cloud }
    }

    /// `count` fresh ciphertexts of alternating bits.
    pub fn bits(&self, count: usize) -> Vec<Ciphertext> {
        let bits: Vec<bool> = (0..count).map(|i| i % 2 == 1).collect();
        self.secret.encrypt(&bits, seed(3)).expand()
    }

    /// The server's engine on a backend that this CPU has.
    pub fn evaluator(&self, backend: Backend) -> Arc<Evaluator> {
        let evaluator = Evaluator::new(&self.cloud, backend);
        Arc::new(evaluator.expect("invariant: only available backends are benchmarked"))
    }
}

/// The folder of models and digits that ship.
pub fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

/// A model that ships.
pub fn model(name: &str) -> Arc<Model> {
    let read = |file| std::fs::read(models().join(name).join(file)).expect("invariant: the model ships");
    let model = Model::from_bytes(&read("manifest.toml"), &read("weights.safetensors"));
    Arc::new(model.expect("invariant: the model ships"))
}

/// The sample digit 7.
pub fn seven() -> Image {
    let bytes = std::fs::read(models().join("digits/7.png")).expect("invariant: the digit ships");
    Image::decode(&bytes, None).expect("invariant: the digit ships")
}

/// The same seed for the same number: benchmarks keep no secrets.
pub fn seed(number: u64) -> SecretSeed {
    SecretSeed::deterministic_for_tests(number)
}

/// The backends this CPU has.
pub fn backends() -> impl Iterator<Item = Backend> {
    Backend::ALL.iter().copied().filter(|backend| backend.is_available())
}

/// The backend that `TFHE_BACKEND` names, else the fastest.
pub fn chosen_backend() -> Backend {
    match std::env::var("TFHE_BACKEND") {
        Ok(name) if !name.is_empty() => {
            let named = name.parse::<Backend>().and_then(Backend::checked);
            named.expect("TFHE_BACKEND names a backend that this CPU has")
        }
        _ => Backend::fastest(),
    }
}

/// A pool in which what is [installed](ThreadPool::install) runs on `threads` threads.
pub fn pool(threads: usize) -> ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("the system gives no threads")
}
