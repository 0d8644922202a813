//! Parameter sets that are no named ones, for a search of better sets and for tests.

use crate::error::{Error, Result};
use crate::gadget::Gadget;
use crate::parameters::set::Parameters;

/// The numbers of a parameter set, in the notation of [`parameters`](crate::parameters), to be altered. The torus, the order
/// and the kind of keys stay those of the set that they are taken from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// The set that the other numbers were taken from.
    pub base: Parameters,
    /// n, in bits, and N'.
    pub lwe: (usize, usize),
    /// k and N.
    pub tlwe: (usize, usize),
    /// log2 of B, and l.
    pub gadget: (u32, u32),
    /// log2 of B_k, and t.
    pub key_switch: (u32, u32),
    /// d.
    pub bits_a_step: usize,
    /// log2 of the standard deviations under the small and the large key, in torus units.
    pub noise_log2: (f64, f64),
}

impl Trial {
    /// The numbers of a set.
    pub fn of(p: &Parameters) -> Self {
        Self {
            base: *p,
            lwe: (p.lwe_dimension, p.lwe_polynomial_size),
            tlwe: (p.tlwe_dimension, p.polynomial_size),
            gadget: (p.gadget.base_log(), p.gadget.levels()),
            key_switch: (p.key_switch_gadget.base_log(), p.key_switch_gadget.levels()),
            bits_a_step: p.bits_a_step,
            noise_log2: (p.lwe_noise_log2, p.tlwe_noise_log2),
        }
    }

    /// The set, called "trial", of unknown security.
    ///
    /// # Errors
    /// [`Error::Parameters`] for numbers that do not go together.
    pub fn parameters(&self) -> Result<Parameters> {
        let gadget = |(base_log, levels)| {
            Gadget::new(base_log, levels).ok_or(Error::Parameters { reason: "a gadget has 1 to 50 bits" })
        };
        let set = Parameters {
            name: "trial",
            lwe_dimension: self.lwe.0,
            lwe_polynomial_size: self.lwe.1,
            lwe_noise_log2: self.noise_log2.0,
            tlwe_dimension: self.tlwe.0,
            polynomial_size: self.tlwe.1,
            tlwe_noise_log2: self.noise_log2.1,
            gadget: gadget(self.gadget)?,
            key_switch_gadget: gadget(self.key_switch)?,
            bits_a_step: self.bits_a_step,
            security_bits: 0,
            ..self.base
        };
        set.checked()
    }

    /// n/d, steps of a blind rotation.
    pub fn steps(&self) -> usize {
        self.lwe.0 / self.bits_a_step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::GATES_DEFAULT;

    /// Numbers that do not go together are an error before anything is computed from them.
    #[test]
    fn altered_sets_are_checked() {
        let default = Trial::of(&GATES_DEFAULT);
        let altered = default.parameters().unwrap();
        assert!(altered != GATES_DEFAULT && altered.security_bits() == 0);
        let wrong = [
            Trial { lwe: (0, 1), ..default },
            Trial { lwe: (641, 1), ..default },
            Trial { lwe: (640, 96), ..default },
            Trial { lwe: (640, 0), ..default },
            Trial { tlwe: (0, 512), ..default },
            Trial { tlwe: (3, 500), ..default },
            Trial { tlwe: (3, 1 << 20), ..default },
            Trial { gadget: (0, 1), ..default },
            Trial { gadget: (51, 1), ..default },
            Trial { gadget: (48, 1), ..default },
            Trial { key_switch: (32, 1), ..default },
            Trial { bits_a_step: 0, ..default },
            Trial { bits_a_step: 64, ..default },
        ];
        for trial in wrong {
            assert!(matches!(trial.parameters(), Err(Error::Parameters { .. })), "{trial:?}");
        }
    }
}
