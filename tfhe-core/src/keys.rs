//! The two keys of a user: the *secret key* of the client and the *cloud key* of the server.
//!
//! A secret key is the small LWE key and the large TLWE key. A cloud key is what a server needs to bootstrap without
//! learning anything: the bootstrapping key (TGSW samples of the small key's bits under the large key) and the
//! key-switching key (samples of the large key's bits under the small key), with masks expanded from a seed.
//!
//! Every secret key has a random 128-bit identity, which its cloud key and all its ciphertexts carry: what belongs to
//! another key is refused, even where the parameters agree.

use std::fmt;

use zeroize::Zeroizing;

use crate::backend::Backend;
use crate::bootstrap;
use crate::ciphertext::{Ciphertext, PackedCiphertext, SeededCiphertexts};
use crate::error::{Error, Result};
use crate::fft::Fft;
use crate::keyswitch;
use crate::lwe::{LweSecretKey, Small, Wire};
use crate::noise;
use crate::parameters::{Order, Parameters, SmallKey, TorusWidth};
use crate::random::{MaskSeed, Purpose, SecretSeed};
use crate::tlwe::TlweSecretKey;
use crate::torus::{Torus, Torus32, Torus48, Torus64};

mod masks;

pub(crate) use masks::Masks;

/// Identity of a secret key: 128 random bits, public.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 16]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl KeyId {
    /// Refuses material of another key.
    pub(crate) fn check(self, found: Self) -> Result<()> {
        if self == found { Ok(()) } else { Err(Error::OtherKey { expected: self, found }) }
    }
}

/// The torus values of bits: 1/8 for 1, -1/8 for 0.
pub(crate) fn encode_bit(bit: bool) -> Torus32 {
    let eighth = Torus32(1 << 29);
    // Selected by arithmetic: the bit is the client's secret.
    eighth * (2 * i64::from(bit) - 1)
}

/// What the client keeps: wiped on drop, never printed.
pub struct SecretKey {
    parameters: Parameters,
    id: KeyId,
    small: LweSecretKey<Small>,
    large: TlweSecretKey,
    /// The small key or the extracted large one, as the set's order says.
    wire: LweSecretKey<Wire>,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey {{ parameters: {}, id: {}, .. }}", self.parameters.name, self.id)
    }
}

impl SecretKey {
    /// Draws a key for a parameter set.
    ///
    /// ```
    /// use tfhe_core::keys::SecretKey;
    /// use tfhe_core::parameters::GATES_DEFAULT;
    /// use tfhe_core::random::SecretSeed;
    /// let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::from_os()?);
    /// let bits = key.encrypt(&[true, false], SecretSeed::from_os()?).expand();
    /// assert!(key.decrypt(&bits[0])? && !key.decrypt(&bits[1])?);
    /// # Ok::<(), tfhe_core::Error>(())
    /// ```
    pub fn generate(parameters: &Parameters, seed: SecretSeed) -> Self {
        let small = match parameters.small_key {
            SmallKey::Binary => seed.secret_bits(Purpose::SmallKey, parameters.lwe_dimension),
            SmallKey::BlockBinary => {
                seed.secret_blocks(Purpose::SmallKey, parameters.lwe_dimension, parameters.bits_a_step)
            }
        };
        let large = seed.secret_bits(Purpose::LargeKey, parameters.large_dimension());
        let id = KeyId(seed.public_bytes(Purpose::Identity));
        Self::from_bits(parameters, id, small.to_vec(), large.to_vec())
    }

    /// n and k N bits, 0 or 1 each.
    pub(crate) fn from_bits(parameters: &Parameters, id: KeyId, small: Vec<u32>, large: Vec<u32>) -> Self {
        assert!(
            parameters.lwe_dimension.is_multiple_of(parameters.bits_a_step)
                && parameters.lwe_dimension.is_multiple_of(parameters.lwe_polynomial_size)
                && parameters.large_dimension().is_multiple_of(parameters.lwe_polynomial_size),
            "a small key of whole steps and polynomials"
        );
        // Products with the key are exact on every backend; the portable one cannot be missing.
        let fft = Fft::new(parameters.polynomial_size, Backend::Portable)
            .expect("invariant: a named set has a transform");
        let large = TlweSecretKey::from_bits(large, fft);
        let wire = match parameters.order {
            Order::KeySwitchFirst => large.bits().to_vec(),
            Order::BootstrapFirst => small.clone(),
        };
        let (small, wire) = (LweSecretKey::from_bits(small), LweSecretKey::from_bits(wire));
        Self { parameters: *parameters, id, small, large, wire }
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The key's public identity.
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn small(&self) -> &LweSecretKey<Small> {
        &self.small
    }

    pub(crate) fn large(&self) -> &TlweSecretKey {
        &self.large
    }

    /// Encrypts bits for the gates: 4 bytes a bit, and one seed.
    pub fn encrypt(&self, bits: &[bool], seed: SecretSeed) -> SeededCiphertexts {
        let messages: Zeroizing<Vec<Torus32>> =
            Zeroizing::new(bits.iter().map(|&bit| encode_bit(bit)).collect());
        let masks = seed.mask_seed();
        let bodies = self.wire.encrypt_bodies(&messages, self.parameters.fresh_noise(), &seed, masks);
        SeededCiphertexts::from_parts(&self.parameters, self.id, masks, bodies)
    }

    /// Encrypts torus messages in rows of `row_len`, from 1 to N, each row into one TLWE sample whose coefficients can be
    /// extracted: 4 bytes a message, and one seed.
    ///
    /// # Errors
    /// [`Error::RowLength`] for rows of none or of more than N messages; [`Error::NotPackable`] for a set whose
    /// ciphertexts are not under the large key.
    pub fn encrypt_packed(
        &self,
        messages: &[Torus32],
        row_len: usize,
        seed: SecretSeed,
    ) -> Result<PackedCiphertext> {
        let p = &self.parameters;
        if p.order != Order::KeySwitchFirst {
            return Err(Error::NotPackable { parameters: p.name });
        }
        if !(1..=p.polynomial_size).contains(&row_len) {
            return Err(Error::RowLength { found: row_len, most: p.polynomial_size });
        }
        let mut bodies = Vec::with_capacity(messages.len());
        for (row, messages) in messages.chunks(row_len).enumerate() {
            let sample = self.large.encrypt_packed(messages, p.fresh_noise(), &seed, row);
            bodies.extend_from_slice(sample.bodies());
        }
        Ok(PackedCiphertext::from_parts(p, self.id, seed.mask_seed(), row_len, bodies))
    }

    /// Decrypts a bit: whether the phase is in [0, 1/2).
    ///
    /// A wrong bit would tell of the key (docs/security.md), so what the noise may carry from 1/8 or -1/8 across 0 with
    /// more than the set's probability is refused, by the noise that the ciphertext states.
    ///
    /// # Errors
    /// [`Error::TooNoisyToDecrypt`]; as [`phase`](Self::phase).
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Result<bool> {
        let phase = self.phase(ciphertext)?;
        let log2_failure = noise::log2_failure(0.125, ciphertext.variance());
        let bound = self.parameters.log2_failure;
        if log2_failure > bound {
            return Err(Error::TooNoisyToDecrypt { log2_failure, bound });
        }
        // The top bit is the sign of the phase.
        Ok(phase.0 >> 31 == 0)
    }

    /// The phase of a ciphertext: its message and noise, in torus units.
    ///
    /// # Errors
    /// [`Error::OtherKey`] or [`Error::OtherDimension`] if the ciphertext is not of this key.
    pub fn phase(&self, ciphertext: &Ciphertext) -> Result<Torus32> {
        ciphertext.check(self.id, self.parameters.wire_dimension())?;
        Ok(self.wire.phase(ciphertext.sample()))
    }
}

/// The bodies of a bootstrapping key, on the torus that its set asks for.
#[derive(Clone, PartialEq)]
pub(crate) enum BootstrapBodies {
    Bits32(Vec<Torus32>),
    Bits48(Vec<Torus48>),
    Bits64(Vec<Torus64>),
}

/// What the server holds, as it is stored and sent: bodies, and the seed of their masks; where a key comes from a file of
/// the [TFHE library](crate::serial::tfhe_lib), the masks themselves. To be used it is expanded by
/// [`Evaluator::new`](crate::evaluator::Evaluator::new).
#[derive(Clone, PartialEq)]
pub struct CloudKey {
    pub(crate) parameters: Parameters,
    pub(crate) id: KeyId,
    pub(crate) masks: Masks,
    pub(crate) bootstrap: BootstrapBodies,
    pub(crate) key_switch: Vec<Torus32>,
}

impl fmt::Debug for CloudKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloudKey {{ parameters: {}, id: {}, .. }}", self.parameters.name, self.id)
    }
}

impl CloudKey {
    /// Makes the cloud key of a secret key, on all threads: the same bytes from the same seed, on every machine.
    pub fn generate(secret: &SecretKey, seed: SecretSeed) -> Self {
        let p = secret.parameters;
        let masks = seed.mask_seed();
        fn bodies<T: Torus>(secret: &SecretKey, seed: &SecretSeed, masks: MaskSeed) -> Vec<T> {
            bootstrap::encrypt_bodies(&secret.large, &secret.small, &secret.parameters, seed, masks)
        }
        let bootstrap = match p.accumulator {
            TorusWidth::Bits32 => BootstrapBodies::Bits32(bodies(secret, &seed, masks)),
            TorusWidth::Bits48 => BootstrapBodies::Bits48(bodies(secret, &seed, masks)),
            TorusWidth::Bits64 => BootstrapBodies::Bits64(bodies(secret, &seed, masks)),
        };
        let key_switch =
            keyswitch::encrypt_bodies(&secret.large.extracted(), &secret.small, &p, &seed, masks);
        Self { parameters: p, id: secret.id, masks: Masks::Seeded(masks), bootstrap, key_switch }
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The identity of the secret key it was made for.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{GATES_DEFAULT, TFHE_LIB_V1_1};

    #[test]
    fn bits_survive_encryption_in_both_orders() {
        for parameters in [&GATES_DEFAULT, &TFHE_LIB_V1_1] {
            let key = SecretKey::generate(parameters, SecretSeed::deterministic_for_tests(1));
            let bits: Vec<bool> = (0..50).map(|i| i % 3 == 0).collect();
            let ciphertexts = key.encrypt(&bits, SecretSeed::deterministic_for_tests(2)).expand();
            let decrypted: Vec<bool> = ciphertexts.iter().map(|c| key.decrypt(c).unwrap()).collect();
            assert_eq!(decrypted, bits);
        }
    }

    #[test]
    fn another_key_is_refused_even_with_equal_parameters() {
        let key = |seed| SecretKey::generate(&GATES_DEFAULT, SecretSeed::deterministic_for_tests(seed));
        let bit = &key(1).encrypt(&[true], SecretSeed::deterministic_for_tests(2)).expand()[0];
        assert!(matches!(key(3).decrypt(bit), Err(Error::OtherKey { .. })));
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SecretKey::generate(&GATES_DEFAULT, SecretSeed::deterministic_for_tests(1));
        let id = key.id();
        assert_eq!(format!("{key:?}"), format!("SecretKey {{ parameters: GATES_DEFAULT, id: {id}, .. }}"));
    }

    #[test]
    fn the_same_seed_gives_the_same_cloud_key_on_any_number_of_threads() {
        let secret = SecretKey::generate(&GATES_DEFAULT, SecretSeed::deterministic_for_tests(1));
        let generate = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| CloudKey::generate(&secret, SecretSeed::deterministic_for_tests(2)))
        };
        assert!(generate(1) == generate(3));
    }
}
