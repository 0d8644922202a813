//! The named parameter sets, with their security, failure probability and sizes.

use super::set::{Order, Parameters, SmallKey};
use crate::gadget::Gadget;
use crate::torus_words::TorusWidth;

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
    gadget: Gadget::constant(18, 1),
    key_switch_gadget: Gadget::constant(1, 13),
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
    gadget: Gadget::constant(23, 1),
    key_switch_gadget: Gadget::constant(2, 8),
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
    key_switch_gadget: Gadget::constant(1, 14),
    ..FUNCTIONAL_2048
};

/// The TFHE library's set of versions 1.0 and 1.0.1, with which the paper ran. **Legacy: 94 bits of security today.**
///
/// Kept to reproduce the paper. Failures below 2^-128 a gate, by our centred modulus switch and balanced digits. The
/// deviations are the later releases' 80-bit choice, 2.44e-5 and 7.18e-9, to five digits; version 1.0.1 itself states
/// sqrt(2/pi) 2^-15 = 2.43495e-5 and sqrt(2/pi) 9e-9 = 7.18096e-9. Keys of either are read as this set.
pub const TFHE_LIB_V1_0_1: Parameters = Parameters {
    name: "TFHE_LIB_V1_0_1",
    lwe_dimension: 500,
    lwe_polynomial_size: 1,
    small_key: SmallKey::Binary,
    lwe_noise_log2: -15.322_745_530_042_41, // 2.44002e-5
    tlwe_dimension: 1,
    polynomial_size: 1024,
    tlwe_noise_log2: -27.053_385_838_203_47, // 7.17992e-9
    gadget: Gadget::constant(10, 2),
    key_switch_gadget: Gadget::constant(2, 8),
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
    gadget: Gadget::constant(7, 3),
    key_switch_gadget: Gadget::constant(2, 8),
    accumulator: TorusWidth::Bits32,
    bits_a_step: 1,
    order: Order::BootstrapFirst,
    security_bits: 118,
    log2_failure: -128.0,
};

impl Parameters {
    /// Every named set.
    pub const ALL: &'static [&'static Self] = &[
        &GATES_DEFAULT,
        &GATES_BLOCK_BINARY,
        &FUNCTIONAL_1024,
        &FUNCTIONAL_2048,
        &TFHE_LIB_V1_0_1,
        &TFHE_LIB_V1_1,
    ];

    /// The set of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().copied().find(|set| set.name == name)
    }
}
