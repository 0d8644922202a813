//! The secret key, which the client keeps: it encrypts and decrypts.

use std::fmt;

use zeroize::Zeroizing;

use crate::backend::choice::Backend;
use crate::backend::fft::Fft;
use crate::ciphertext::packed::PackedCiphertext;
use crate::ciphertext::seeded::SeededCiphertexts;
use crate::ciphertext::wire::Ciphertext;
use crate::error::{Error, Result};
use crate::key_id::KeyId;
use crate::noise;
use crate::parameters::set::{Order, Parameters};
use crate::random::SecretSeed;
use crate::sample::lwe::{LweSecretKey, Small, Wire};
use crate::sample::tlwe::TlweSecretKey;
use crate::torus::Torus32;

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
            Zeroizing::new(bits.iter().map(|&bit| Torus32::from_bit(bit)).collect());
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
