//! A parameter set: its numbers, and what follows from them.

use crate::backend::transform::{MOST_PRODUCT_BITS, SIZES, StepShape};
use crate::error::{Error, Result};
use crate::gadget::Gadget;
use crate::random::StandardDeviation;
use crate::torus_words::TorusWidth;

/// Which comes first between two linear combinations, and so under which key ciphertexts live in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Key switch, then blind rotation: ciphertexts live under the large key, and a sum of several is key-switched
    /// once (Chillotti, Joye, Paillier, "Programmable bootstrapping", CSCML 2021).
    KeySwitchFirst,
    /// Blind rotation, then key switch: ciphertexts live under the small key (the TFHE library's order).
    BootstrapFirst,
}

/// How the bits of the small key are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SmallKey {
    /// Uniform and independent.
    Binary,
    /// In blocks of d bits, for d key bits a step: at most one of a block is set, and all d + 1 blocks are equally
    /// likely. Fewer TGSW samples a step, and **an assumption of its own** (docs/security.md). (Lee, Min, Seo, Song,
    /// "Faster TFHE bootstrapping with block binary keys", AsiaCCS 2023.)
    BlockBinary,
}

/// A parameter set. Its numbers go together, since sets come from the named constants and from checked files only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// The constant's name.
    pub(crate) name: &'static str,
    /// n, dimension of the small LWE key, in bits.
    pub(crate) lwe_dimension: usize,
    /// N', ring in which keys are switched: the small key is n/N' polynomials mod X^N' + 1; 1 if it has no structure.
    pub(crate) lwe_polynomial_size: usize,
    /// How the small key is drawn.
    pub(crate) small_key: SmallKey,
    /// log2 of the standard deviation of the noise under the small key, in torus units.
    pub(crate) lwe_noise_log2: f64,
    /// k, number of polynomials of the large TLWE key.
    pub(crate) tlwe_dimension: usize,
    /// N, coefficients of a polynomial: a power of two.
    pub(crate) polynomial_size: usize,
    /// log2 of the standard deviation of the noise of the bootstrapping key, in torus units.
    pub(crate) tlwe_noise_log2: f64,
    /// Decomposition of the accumulator.
    pub(crate) gadget: Gadget,
    /// Decomposition of the masks that are key-switched.
    pub(crate) key_switch_gadget: Gadget,
    /// Torus of the bootstrapping key.
    pub(crate) accumulator: TorusWidth,
    /// d, bits of the small key that a step of blind rotation takes: n is a multiple of it.
    pub(crate) bits_a_step: usize,
    /// Order of key switch and blind rotation.
    pub(crate) order: Order,
    /// Estimated security of the weaker key, in bits.
    pub(crate) security_bits: u32,
    /// log2 of the largest failure probability a gate may have: the set's promise, and the bound above which a gate is
    /// refused.
    pub(crate) log2_failure: f64,
}

/// Smallest noise that a 32-bit torus carries without the modulus helping the attacker: 4/q.
const SMALLEST_NOISE_32_LOG2: f64 = -30.0;

impl Parameters {
    /// The constant's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Estimated security of the weaker key, in bits.
    pub const fn security_bits(&self) -> u32 {
        self.security_bits
    }

    /// log2 of the largest failure probability that a gate may have: the set's promise, and the bound above which a gate
    /// is refused.
    pub const fn log2_failure(&self) -> f64 {
        self.log2_failure
    }

    /// n, dimension of the small LWE key, in bits.
    pub const fn lwe_dimension(&self) -> usize {
        self.lwe_dimension
    }

    /// k, number of polynomials of the large TLWE key.
    pub const fn tlwe_dimension(&self) -> usize {
        self.tlwe_dimension
    }

    /// N, coefficients of a polynomial: a power of two.
    pub const fn polynomial_size(&self) -> usize {
        self.polynomial_size
    }

    /// Refuses numbers that do not go together, before anything relies on them.
    ///
    /// # Errors
    /// [`Error::Parameters`].
    pub(crate) fn checked(self) -> Result<Self> {
        let fits = |size: usize| size.is_power_of_two() && SIZES.contains(&size);
        let first = [
            (self.lwe_dimension > 0 && self.tlwe_dimension > 0, "a key of no bits"),
            (fits(self.polynomial_size), "N is no size of a transform"),
            (self.lwe_polynomial_size == 1 || fits(self.lwe_polynomial_size), "N' is no size of a transform"),
            ((1..=4).contains(&self.bits_a_step), "a step takes 1 to 4 key bits"),
        ];
        if let Some((_, reason)) = first.into_iter().find(|(holds, _)| !holds) {
            return Err(Error::Parameters { reason });
        }
        let step = StepShape {
            gadget: self.gadget,
            size: self.polynomial_size,
            dimension: self.tlwe_dimension,
            rotations: self.step_samples(),
        };
        let accumulator = self.gadget.base_log() * self.gadget.levels();
        let conditions = [
            (
                self.lwe_dimension.is_multiple_of(self.bits_a_step),
                "n is not a multiple of the bits of a step",
            ),
            (self.lwe_dimension.is_multiple_of(self.lwe_polynomial_size), "n is not a multiple of N'"),
            (self.large_dimension().is_multiple_of(self.lwe_polynomial_size), "kN is not a multiple of N'"),
            (accumulator <= self.accumulator.bits(), "more digits than the accumulator has bits"),
            (step.product_bits() <= MOST_PRODUCT_BITS, "products beyond a double's precision"),
            (
                self.key_switch_gadget.base_log() * self.key_switch_gadget.levels() <= 31,
                "more key-switch digits than 31 bits",
            ),
        ];
        match conditions.into_iter().find(|(holds, _)| !holds) {
            None => Ok(self),
            Some((_, reason)) => Err(Error::Parameters { reason }),
        }
    }
    /// Whether keys of it have the shape of the TFHE library's: one key bit a step, no structure in the small key, 32-bit
    /// torus, bootstrap first.
    pub(crate) fn is_tfhe_lib(&self) -> bool {
        let shape = (self.bits_a_step, self.lwe_polynomial_size, self.accumulator, self.order);
        shape == (1, 1, TorusWidth::Bits32, Order::BootstrapFirst) && self.small_key == SmallKey::Binary
    }

    /// k N, dimension of the large key read as an LWE key.
    pub fn large_dimension(&self) -> usize {
        self.tlwe_dimension * self.polynomial_size
    }

    /// TGSW samples of the bootstrapping key.
    pub(crate) fn tgsw_samples(&self) -> usize {
        self.steps() * self.step_samples()
    }

    /// Coefficients in the bodies of the bootstrapping key.
    pub(crate) fn bootstrap_bodies(&self) -> usize {
        self.tgsw_samples() * self.tgsw_rows() * self.polynomial_size
    }

    /// Dimension of the ciphertexts between gates.
    pub fn wire_dimension(&self) -> usize {
        match self.order {
            Order::KeySwitchFirst => self.large_dimension(),
            Order::BootstrapFirst => self.lwe_dimension,
        }
    }

    /// (k+1) l, rows of a TGSW sample.
    pub(crate) fn tgsw_rows(&self) -> usize {
        (self.tlwe_dimension + 1) * self.gadget.levels() as usize
    }

    /// n/d, steps of a blind rotation.
    pub(crate) fn steps(&self) -> usize {
        self.lwe_dimension / self.bits_a_step
    }

    /// TGSW samples of a step: one for each value but 0 that its key bits can have.
    pub(crate) fn step_samples(&self) -> usize {
        match self.small_key {
            SmallKey::Binary => (1 << self.bits_a_step) - 1,
            SmallKey::BlockBinary => self.bits_a_step,
        }
    }

    /// The value of a step's key bits, the first one lowest, that its TGSW sample `index` stands for.
    pub(crate) fn pattern(&self, index: usize) -> usize {
        match self.small_key {
            SmallKey::Binary => index + 1,
            SmallKey::BlockBinary => 1 << index,
        }
    }

    /// k N t, torus elements in the bodies of the key-switching key.
    pub(crate) fn key_switch_bodies(&self) -> usize {
        self.large_dimension() * self.key_switch_gadget.levels() as usize
    }

    /// Noise under the small key.
    pub(crate) fn lwe_noise(&self) -> StandardDeviation {
        StandardDeviation::from_real(libm::exp2(self.lwe_noise_log2))
    }

    /// Noise of the bootstrapping key.
    pub(crate) fn tlwe_noise(&self) -> StandardDeviation {
        StandardDeviation::from_real(libm::exp2(self.tlwe_noise_log2))
    }

    /// Noise of fresh ciphertexts: that of the key they live under, on a 32-bit torus.
    pub(crate) fn fresh_noise(&self) -> StandardDeviation {
        match self.order {
            Order::KeySwitchFirst => {
                StandardDeviation::from_real(libm::exp2(self.tlwe_noise_log2.max(SMALLEST_NOISE_32_LOG2)))
            }
            Order::BootstrapFirst => self.lwe_noise(),
        }
    }
}
