//! The named parameter sets.
//!
//! A set fixes the two keys (small LWE key of n bits; large TLWE key of k polynomials of N bits), their noise, both
//! decompositions, the width of the accumulator's torus and the order of key switch and bootstrap. Ciphertexts between
//! gates and the key-switching key are on [`Torus32`].
//!
//! Security figures are those of the public lattice estimator (default cost model, binary secrets, the cheapest attack;
//! docs/runs/lattice-estimator.txt); near 128.4 bits and for q = 2^32 they are on the line log2(sigma) = 2.67 - 0.0257 n.
//! The noise is never below 4/q. Failure probabilities are
//! those of [`noise`](crate::noise), for one bootstrap of the worst gate; a test checks that they keep the sets' bounds.
//! docs/parameters.md and docs/security.md have the derivation.
//!
//! ```
//! use tfhe_core::parameters::Parameters;
//! let set = Parameters::named("GATES_DEFAULT").unwrap();
//! assert_eq!((set.security_bits, set.lwe_dimension, set.large_dimension()), (128, 640, 1536));
//! assert!(Parameters::ALL.iter().all(|set| set.log2_failure <= -128.0));
//! ```

use crate::gadget::Gadget;
use crate::random::StandardDeviation;
use crate::torus::{Torus, Torus32, Torus48, Torus64};

/// Width of the torus on which a bootstrapping key and its accumulator live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TorusWidth {
    /// [`Torus32`].
    Bits32,
    /// [`Torus48`].
    Bits48,
    /// [`Torus64`].
    Bits64,
}

impl TorusWidth {
    /// Bits of an element, which takes an eighth as many bytes in a file.
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits32 => Torus32::BITS,
            Self::Bits48 => Torus48::BITS,
            Self::Bits64 => Torus64::BITS,
        }
    }
}

/// Which comes first between two linear combinations, and so under which key ciphertexts live in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Key switch, then blind rotation: ciphertexts live under the large key, and a sum of several is key-switched
    /// once (Chillotti, Joye, Paillier, "Programmable bootstrapping", CSCML 2021).
    KeySwitchFirst,
    /// Blind rotation, then key switch: ciphertexts live under the small key (the TFHE library's order).
    BootstrapFirst,
}

/// How the bits of the small key are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmallKey {
    /// Uniform and independent.
    Binary,
    /// In blocks of d bits, for d key bits a step: at most one of a block is set, and all d + 1 blocks are equally
    /// likely. Fewer TGSW samples a step, and **an assumption of its own** (docs/security.md). (Lee, Min, Seo, Song,
    /// "Faster TFHE bootstrapping with block binary keys", AsiaCCS 2023.)
    BlockBinary,
}

/// A parameter set; see the module. A file names the set it was made with, so only keys of the named constants can be
/// stored and read back; altered copies are for experiments.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parameters {
    /// The constant's name.
    pub name: &'static str,
    /// n, dimension of the small LWE key, in bits.
    pub lwe_dimension: usize,
    /// N', ring in which keys are switched: the small key is n/N' polynomials mod X^N' + 1; 1 if it has no structure.
    pub lwe_polynomial_size: usize,
    /// How the small key is drawn.
    pub small_key: SmallKey,
    /// log2 of the standard deviation of the noise under the small key, in torus units.
    pub lwe_noise_log2: f64,
    /// k, number of polynomials of the large TLWE key.
    pub tlwe_dimension: usize,
    /// N, coefficients of a polynomial: a power of two.
    pub polynomial_size: usize,
    /// log2 of the standard deviation of the noise of the bootstrapping key, in torus units.
    pub tlwe_noise_log2: f64,
    /// Decomposition of the accumulator.
    pub gadget: Gadget,
    /// Decomposition of the masks that are key-switched.
    pub key_switch_gadget: Gadget,
    /// Torus of the bootstrapping key.
    pub accumulator: TorusWidth,
    /// d, bits of the small key that a step of blind rotation takes: n is a multiple of it.
    pub bits_a_step: usize,
    /// Order of key switch and blind rotation.
    pub order: Order,
    /// Estimated security of the weaker key, in bits.
    pub security_bits: u32,
    /// log2 of the largest failure probability a gate may have: the set's promise, and the bound above which a gate is
    /// refused.
    pub log2_failure: f64,
}

/// The default for gates: 128 bits of security, failures below 2^-128 a gate (worst: MAJ, 2^-212).
///
/// One decomposition level and two key bits a step: 8 transforms of 256 points and 48 key polynomials for each of 320
/// steps. Cloud key 11.9 MB in a file (seeded), 63.8 MB in memory. Noise (standard deviations): blind rotation 2^-9.5,
/// key switch 2^-7.4, modulus switch 2^-8.1; thirteen levels of it let a circuit add four bits after another before it
/// bootstraps their sum. Security: 640 at 2^-13.778 has 128.2 bits, 1536 at 2^-36.8 has 128.7.
pub const GATES_DEFAULT: Parameters = Parameters {
    name: "GATES_DEFAULT",
    lwe_dimension: 640,
    lwe_polynomial_size: 128,
    small_key: SmallKey::Binary,
    lwe_noise_log2: -13.778,
    tlwe_dimension: 3,
    polynomial_size: 512,
    tlwe_noise_log2: -36.8,
    gadget: Gadget { base_log: 18, levels: 1 },
    key_switch_gadget: Gadget { base_log: 1, levels: 13 },
    accumulator: TorusWidth::Bits48,
    bits_a_step: 2,
    order: Order::KeySwitchFirst,
    security_bits: 128,
    log2_failure: -128.0,
};

/// Faster gates under an assumption of their own: block-binary small keys. **Not the default: 128 bits of security hold
/// against the attacks that have been estimated for such keys, which are fewer** (docs/security.md).
///
/// Three key bits a step, with as many TGSW samples as two have in [`GATES_DEFAULT`]: 224 steps. Failures below 2^-128
/// a gate (worst: MAJ, 2^-222). Cloud key 8.3 MB in a file (seeded), 47.3 MB in memory. Noise (standard deviations):
/// blind rotation 2^-9.7, key switch 2^-7.4, modulus switch 2^-8.1.
pub const GATES_BLOCK_BINARY: Parameters = Parameters {
    name: "GATES_BLOCK_BINARY",
    lwe_dimension: 672,
    lwe_polynomial_size: 32,
    small_key: SmallKey::BlockBinary,
    lwe_noise_log2: -13.81,
    bits_a_step: 3,
    security_bits: 128, // under the assumption above
    ..GATES_DEFAULT
};

/// For functional bootstrapping: 128 bits of security; sums and tables on 2048 slots.
///
/// Two key bits a step. Cloud key 41.0 MB in a file (seeded), 84 MB in memory. Noise (standard deviations): blind
/// rotation 2^-14.2, key and modulus switch together 2^-9.8; as gates, failures stay below 2^-128 too. Security: 832 at
/// 2^-18.71 has 128.3 bits, 2048 at 2^-49.9 has 129.2.
pub const FUNCTIONAL_2048: Parameters = Parameters {
    name: "FUNCTIONAL_2048",
    lwe_dimension: 832,
    lwe_polynomial_size: 64,
    small_key: SmallKey::Binary,
    lwe_noise_log2: -18.71,
    tlwe_dimension: 1,
    polynomial_size: 2048,
    tlwe_noise_log2: -49.9,
    gadget: Gadget { base_log: 23, levels: 1 },
    key_switch_gadget: Gadget { base_log: 2, levels: 8 },
    accumulator: TorusWidth::Bits64,
    bits_a_step: 2,
    order: Order::KeySwitchFirst,
    security_bits: 128,
    log2_failure: -128.0,
};

/// For functional bootstrapping at less cost: 128 bits of security; tables on 1024 slots.
///
/// Two key bits a step. Cloud key 28.4 MB in a file (seeded), 85.9 MB in memory. Noise (standard deviations): blind
/// rotation 2^-14.4, less than that of [`FUNCTIONAL_2048`], whose larger transform rounds more; key and modulus switch
/// together 2^-8.9, twice as much, for 0.7 of the time. As gates, failures stay below 2^-128 too. Security: 768 at
/// 2^-17.06 has 128.3 bits, 2048 at 2^-49.9 has 129.2.
pub const FUNCTIONAL_1024: Parameters = Parameters {
    name: "FUNCTIONAL_1024",
    lwe_dimension: 768,
    lwe_polynomial_size: 256,
    lwe_noise_log2: -17.06,
    tlwe_dimension: 2,
    polynomial_size: 1024,
    key_switch_gadget: Gadget { base_log: 1, levels: 14 },
    ..FUNCTIONAL_2048
};

/// The TFHE library's set of versions 1.0 and 1.0.1, with which the paper ran. **Legacy: 94 bits of security today.**
///
/// Kept to reproduce the paper. Failures below 2^-128 a gate, by our centred modulus switch and balanced digits.
pub const TFHE_LIB_V1_0_1: Parameters = Parameters {
    name: "TFHE_LIB_V1_0_1",
    lwe_dimension: 500,
    lwe_polynomial_size: 1,
    small_key: SmallKey::Binary,
    lwe_noise_log2: -15.322_745_530_042_41, // 2.44e-5
    tlwe_dimension: 1,
    polynomial_size: 1024,
    tlwe_noise_log2: -27.053_385_838_203_47, // 7.18e-9
    gadget: Gadget { base_log: 10, levels: 2 },
    key_switch_gadget: Gadget { base_log: 2, levels: 8 },
    accumulator: TorusWidth::Bits32,
    bits_a_step: 1,
    order: Order::BootstrapFirst,
    security_bits: 94,
    log2_failure: -128.0,
};

/// The TFHE library's default set of version 1.1. **Legacy: 118 bits of security today.**
///
/// Kept to exchange files. Failures below 2^-128 a gate.
pub const TFHE_LIB_V1_1: Parameters = Parameters {
    name: "TFHE_LIB_V1_1",
    lwe_dimension: 630,
    lwe_polynomial_size: 1,
    small_key: SmallKey::Binary,
    lwe_noise_log2: -15.0,
    tlwe_dimension: 1,
    polynomial_size: 1024,
    tlwe_noise_log2: -25.0,
    gadget: Gadget { base_log: 7, levels: 3 },
    key_switch_gadget: Gadget { base_log: 2, levels: 8 },
    accumulator: TorusWidth::Bits32,
    bits_a_step: 1,
    order: Order::BootstrapFirst,
    security_bits: 118,
    log2_failure: -128.0,
};

/// Smallest noise that a 32-bit torus carries without the modulus helping the attacker: 4/q.
const SMALLEST_NOISE_32_LOG2: f64 = -30.0;

impl Parameters {
    /// Every named set.
    pub const ALL: [&'static Self; 6] = [
        &GATES_DEFAULT,
        &GATES_BLOCK_BINARY,
        &FUNCTIONAL_1024,
        &FUNCTIONAL_2048,
        &TFHE_LIB_V1_0_1,
        &TFHE_LIB_V1_1,
    ];

    /// The set of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|set| set.name == name)
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

    /// Coefficients in the bodies of the bootstrapping key.
    pub fn bootstrap_bodies(&self) -> usize {
        self.steps() * self.step_samples() * self.tgsw_rows() * self.polynomial_size
    }

    /// Dimension of the ciphertexts between gates.
    pub fn wire_dimension(&self) -> usize {
        match self.order {
            Order::KeySwitchFirst => self.large_dimension(),
            Order::BootstrapFirst => self.lwe_dimension,
        }
    }

    /// (k+1) l, rows of a TGSW sample.
    pub fn tgsw_rows(&self) -> usize {
        (self.tlwe_dimension + 1) * self.gadget.levels as usize
    }

    /// n/d, steps of a blind rotation.
    pub fn steps(&self) -> usize {
        self.lwe_dimension / self.bits_a_step
    }

    /// TGSW samples of a step: one for each value but 0 that its key bits can have.
    pub fn step_samples(&self) -> usize {
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
    pub fn key_switch_bodies(&self) -> usize {
        self.large_dimension() * self.key_switch_gadget.levels as usize
    }

    /// Noise under the small key.
    pub fn lwe_noise(&self) -> StandardDeviation {
        StandardDeviation::from_real(libm::exp2(self.lwe_noise_log2))
    }

    /// Noise of the bootstrapping key.
    pub fn tlwe_noise(&self) -> StandardDeviation {
        StandardDeviation::from_real(libm::exp2(self.tlwe_noise_log2))
    }

    /// Noise of fresh ciphertexts: that of the key they live under, on a 32-bit torus.
    pub fn fresh_noise(&self) -> StandardDeviation {
        match self.order {
            Order::KeySwitchFirst => {
                StandardDeviation::from_real(libm::exp2(self.tlwe_noise_log2.max(SMALLEST_NOISE_32_LOG2)))
            }
            Order::BootstrapFirst => self.lwe_noise(),
        }
    }
}
