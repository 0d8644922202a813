//! Keys from fixed seeds, and the backends of this machine.

use tfhe_core::backend::Backend;
use tfhe_core::ciphertext::Ciphertext;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::Parameters;
use tfhe_core::random::SecretSeed;
use tfhe_core::torus::Torus32;

/// A client's two keys.
pub(crate) struct Keys {
    pub(crate) secret: SecretKey,
    pub(crate) cloud: CloudKey,
}

impl Keys {
    /// The same keys for the same number.
    pub(crate) fn generate(parameters: &Parameters, number: u64) -> Self {
        let secret = SecretKey::generate(parameters, seed(number));
        let cloud = CloudKey::generate(&secret, seed(number)).unwrap();
        Self { secret, cloud }
    }

    pub(crate) fn evaluator(&self, backend: Backend) -> Evaluator {
        Evaluator::new(&self.cloud, backend).unwrap()
    }

    /// Fresh ciphertexts, the same for the same number.
    pub(crate) fn encrypt(&self, bits: &[bool], number: u64) -> Vec<Ciphertext> {
        self.secret.encrypt(bits, seed(number)).expand()
    }

    pub(crate) fn decrypt(&self, ciphertexts: &[Ciphertext]) -> Vec<bool> {
        ciphertexts.iter().map(|ciphertext| self.secret.decrypt(ciphertext).unwrap()).collect()
    }

    /// The phase in torus units.
    pub(crate) fn phase(&self, ciphertext: &Ciphertext) -> f64 {
        self.secret.phase(ciphertext).unwrap().to_real()
    }
}

/// The noise of a ciphertext of `message`, in torus units.
pub(crate) fn error(key: &SecretKey, ciphertext: &Ciphertext, message: Torus32) -> f64 {
    (key.phase(ciphertext).unwrap() - message).to_real()
}

/// Real numbers on the torus.
pub(crate) fn reals(messages: &[f64]) -> Vec<Torus32> {
    messages.iter().map(|&x| Torus32::from_real(x)).collect()
}

pub(crate) fn seed(number: u64) -> SecretSeed {
    SecretSeed::deterministic_for_tests(number)
}

/// The backends this machine can test; the others are named, not passed over in silence.
pub(crate) fn backends() -> Vec<Backend> {
    let (here, absent): (Vec<_>, Vec<_>) = Backend::ALL.iter().copied().partition(|b| b.is_available());
    for backend in absent {
        println!("not run: this CPU lacks the backend {backend}");
    }
    here
}

/// The backend of tests that need only one: the fastest, unless `TFHE_BACKEND` names another.
pub(crate) fn one_backend() -> Backend {
    match std::env::var("TFHE_BACKEND") {
        Ok(name) => name.parse::<Backend>().and_then(Backend::checked).unwrap(),
        Err(_) => Backend::fastest(),
    }
}
