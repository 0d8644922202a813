//! Randomness: secret seeds, public mask seeds, and the streams drawn from them.
//!
//! Every generator is ChaCha20 (RFC 8439 block function; 256-bit key, 64-bit stream number), keyed by 32 bytes. A
//! [`SecretSeed`] comes from the operating system and feeds one act only (one key generation, one encryption): secret
//! keys and noise are drawn from its streams. A `MaskSeed` is public: uniform masks are expanded from it, so that a
//! file holds the seed and the bodies and the masks are recomputed. A stream is numbered by what it is for and by the
//! index of the row it fills, so rows can be made in any order, on any number of threads, with the same result.
//!
//! ```
//! use tfhe_core::{keys::SecretKey, parameters::GATES_DEFAULT, random::SecretSeed};
//! let seed = SecretSeed::from_os()?;
//! assert_eq!(format!("{seed:?}"), "SecretSeed(..)");
//! let key = SecretKey::generate(&GATES_DEFAULT, seed); // which consumes it
//! # Ok::<(), tfhe_core::Error>(())
//! ```

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::control::Control;
use crate::error::{Error, Result};
use crate::torus::Torus;

mod gaussian;
#[cfg(test)]
mod statistics;

pub(crate) use gaussian::StandardDeviation;
pub(crate) use gaussian::normal_pair;

/// Bytes of a seed.
pub(crate) const SEED_BYTES: usize = 32;

/// What a stream is for: the high byte of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Purpose {
    Identity = 0,
    SmallKey = 1,
    LargeKey = 2,
    PublicSeed = 3,
    BootstrapKey = 4,
    KeySwitchKey = 5,
    Ciphertexts = 6,
}

/// The generator of row `index` of what is drawn from a seed for a purpose.
pub(crate) fn stream(seed: &[u8; SEED_BYTES], purpose: Purpose, index: u64) -> ChaCha20Rng {
    debug_assert!(index < 1 << 56);
    let mut rng = ChaCha20Rng::from_seed(*seed);
    rng.set_stream((purpose as u64) << 56 | index);
    rng
}

/// 256 secret random bits, wiped on drop; used for one key generation or one encryption and then consumed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretSeed([u8; SEED_BYTES]);

impl std::fmt::Debug for SecretSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretSeed(..)")
    }
}

impl SecretSeed {
    /// A seed from the operating system's generator.
    ///
    /// # Errors
    /// [`Error::Entropy`] if the operating system gives none.
    pub fn from_os() -> Result<Self> {
        let mut seed = Self([0; SEED_BYTES]);
        getrandom::fill(&mut seed.0).map_err(|source| Error::Entropy { reason: source.to_string() })?;
        Ok(seed)
    }

    /// A fixed seed: everything made from it is known to all. **For tests and test vectors only.**
    #[cfg(any(test, feature = "internals"))]
    #[doc(hidden)]
    pub fn deterministic_for_tests(number: u64) -> Self {
        let mut seed = [0; SEED_BYTES];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self(seed)
    }

    /// `N` bytes that may be published: they tell nothing of the other streams.
    pub(crate) fn public_bytes<const N: usize>(&self, purpose: Purpose) -> [u8; N] {
        let mut bytes = [0; N];
        stream(&self.0, purpose, 0).fill_bytes(&mut bytes);
        bytes
    }

    /// The seed of the masks that go with this seed's noise.
    pub(crate) fn mask_seed(&self) -> MaskSeed {
        MaskSeed(self.public_bytes(Purpose::PublicSeed))
    }

    /// `len` uniform secret bits, each 0 or 1.
    pub(crate) fn secret_bits(&self, purpose: Purpose, len: usize) -> Zeroizing<Vec<u32>> {
        let mut rng = SecretStream(stream(&self.0, purpose, 0));
        Zeroizing::new((0..len).map(|_| rng.0.next_u32() & 1).collect())
    }

    /// `len` secret bits in blocks of `block`, of which at most one is set, each of the `block` + 1 cases being equally
    /// likely (to within 2^-62).
    pub(crate) fn secret_blocks(&self, purpose: Purpose, len: usize, block: usize) -> Zeroizing<Vec<u32>> {
        debug_assert!(len.is_multiple_of(block));
        let mut rng = SecretStream(stream(&self.0, purpose, 0));
        let blocks = (0..len / block).flat_map(|_| {
            let case = ((u128::from(rng.0.next_u64()) * (block as u128 + 1)) >> 64) as u32;
            // 1 where `case` is i, by arithmetic: the difference is 0 or has its top bit set after negation or not.
            (0..block as u32).map(move |i| 1 ^ ((case ^ i) | (case ^ i).wrapping_neg()) >> 31)
        });
        // Of its final size at once: a vector that grows would leave copies behind.
        let mut bits = Zeroizing::new(Vec::with_capacity(len));
        bits.extend(blocks);
        bits
    }

    /// The noise of row `index`.
    pub(crate) fn noise(&self, purpose: Purpose, index: u64) -> NoiseStream {
        NoiseStream { rng: SecretStream(stream(&self.0, purpose, index)), spare: None }
    }
}

/// A generator whose state is secret: overwritten on drop, since `rand_chacha` does not do that itself.
struct SecretStream(ChaCha20Rng);

impl Drop for SecretStream {
    fn drop(&mut self) {
        self.0 = ChaCha20Rng::from_seed([0; SEED_BYTES]);
        std::hint::black_box(&self.0);
    }
}

/// 256 public bits from which uniform masks are expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaskSeed(pub(crate) [u8; SEED_BYTES]);

impl MaskSeed {
    /// Fills `masks` with the uniform torus elements of row `index`.
    pub(crate) fn fill<T: Torus>(&self, purpose: Purpose, index: u64, masks: &mut [T]) {
        stream(&self.0, purpose, index).fill_bytes(bytemuck::cast_slice_mut(masks));
        if cfg!(target_endian = "big") {
            let swap = |x: &mut T| bytemuck::bytes_of_mut(x).reverse();
            masks.iter_mut().for_each(swap);
        }
        // A word may have more bits than its torus; the bits beyond are cut, so that every element is equally likely.
        let excess = 8 * size_of::<T>() as u32 - T::BITS;
        if excess > 0 {
            masks.iter_mut().for_each(|x| *x = T::from_bits64(x.to_bits64() >> excess << excess));
        }
    }
}

/// What the rows of a key are drawn from, and who hears that they are done.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) seed: &'a SecretSeed,
    pub(crate) masks: MaskSeed,
    pub(crate) control: &'a Control,
}

/// Gaussian noise from a secret stream; see [`StandardDeviation`].
pub(crate) struct NoiseStream {
    rng: SecretStream,
    /// The second normal number of the last pair.
    spare: Option<i64>,
}

impl NoiseStream {
    /// The next noise term, as a signed multiple of 2^-64 mod 1.
    pub(crate) fn next(&mut self, deviation: StandardDeviation) -> u64 {
        // Which of the two is due is public: it depends on the count of calls only.
        let normal = match self.spare.take() {
            Some(normal) => normal,
            None => {
                let (first, second) = normal_pair(self.rng.0.next_u64(), self.rng.0.next_u64());
                self.spare = Some(second);
                first
            }
        };
        deviation.scale(normal)
    }
}

impl Drop for NoiseStream {
    fn drop(&mut self) {
        self.spare.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torus::Torus64;

    #[test]
    fn streams_are_reproducible_and_apart() {
        let seed = SecretSeed::deterministic_for_tests(7);
        let masks = |purpose, index| {
            let mut masks = [Torus64::default(); 4];
            seed.mask_seed().fill(purpose, index, &mut masks);
            masks
        };
        assert_eq!(masks(Purpose::BootstrapKey, 3), masks(Purpose::BootstrapKey, 3));
        assert_ne!(masks(Purpose::BootstrapKey, 3), masks(Purpose::BootstrapKey, 4));
        assert_ne!(masks(Purpose::BootstrapKey, 3), masks(Purpose::KeySwitchKey, 3));
        assert_ne!(seed.mask_seed(), SecretSeed::deterministic_for_tests(8).mask_seed());
    }

    #[test]
    fn the_operating_system_gives_different_seeds() {
        assert_ne!(SecretSeed::from_os().unwrap().0, SecretSeed::from_os().unwrap().0);
        assert_eq!(format!("{:?}", SecretSeed::from_os().unwrap()), "SecretSeed(..)");
    }

    #[test]
    fn blocks_have_at_most_one_bit_and_all_cases_are_equally_likely() {
        let bits = SecretSeed::deterministic_for_tests(8).secret_blocks(Purpose::SmallKey, 3 << 14, 3);
        let mut cases = [0f64; 8];
        for block in bits.chunks(3) {
            cases[(block[0] | block[1] << 1 | block[2] << 2) as usize] += 1.0;
        }
        assert_eq!([3, 5, 6, 7].map(|case| cases[case]), [0.0; 4]);
        for case in [0, 1, 2, 4] {
            // 2^14 draws of probability 1/4: mean 4096, standard deviation 55; 6 deviations fail once in 5e8.
            assert!((cases[case] - 4096.0).abs() < 6.0 * 55.0, "{cases:?}");
        }
    }
}
