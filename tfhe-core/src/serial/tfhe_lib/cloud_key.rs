//! A cloud key set.

use std::io::Read;

use sha2::{Digest, Sha256};

use super::parameter_set::ParameterSet;
use super::source::{Source, field_fault};
use crate::error::{Error, Result, check_key};
use crate::key_id::KeyId;
use crate::keys::cloud::CloudKey;
use crate::keys::masks::Masks;
use crate::keys::secret::SecretKey;
use crate::memory;
use crate::parallel;
use crate::parameters::set::Parameters;
use crate::random::{Purpose, SecretSeed};
use crate::torus::{Torus, Torus32};
use crate::torus_words::TorusWords;

const KEY_SWITCH_UID: i32 = 200;
const BOOTSTRAP_UID: i32 = 201;
/// Words given on at a time.
const CHUNK_WORDS: usize = 1 << 14;

/// The cloud key of a file of the library, with all that it takes to write the file again byte for byte, whichever
/// version wrote it.
///
/// The key-switching key has a sample for each value h = 1 .. B-1 of a digit, where ours, with signed digits, has
/// one for h = 1. So reading takes that one, which is enough: a switch adds the noise of
/// `noise::key_switch`, which for the library's B = 4 has (B^2+2)/12 = 1.5 times the variance of a sample
/// a digit, where the library's own has (B-1)/B = 0.75. And writing must make the others: see [`new`](Self::new),
/// and where the secret key is at hand
/// [`SecretKeySet::with_fresh_samples`](super::SecretKeySet::with_fresh_samples).
#[derive(Clone, PartialEq)]
pub struct CloudKeySet {
    pub(super) set: ParameterSet,
    parameters: Parameters,
    id: KeyId,
    /// Of the key-switching key's noise, and of the bootstrapping key's.
    variances: [f64; 2],
    /// For each bit of the large key, level and value of a digit, a sample of n + 1 words; zeros for the value 0.
    key_switch: Vec<Torus32>,
    /// For each bit of the small key, (k+1) l rows of k + 1 polynomials.
    bootstrap: Vec<Torus32>,
}

impl std::fmt::Debug for CloudKeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CloudKeySet {{ parameters: {}, id: {}, .. }}", self.parameters.name, self.id)
    }
}

impl CloudKeySet {
    /// The library's form of a cloud key: what anybody can make of it who has it. The samples for h > 1 are h
    /// times that for h = 1: right, with h^2 times the variance, and telling nothing new. With them the library's
    /// gates fail with the probability that [`noise`](super::noise) gives, below 2^-128 for both named sets but where
    /// [`TFHE_LIB_V1_0_1`](crate::parameters::TFHE_LIB_V1_0_1) reads results of MUX. The same key gives the same bytes.
    ///
    /// # Errors
    /// [`Error::NotTfheLib`] for a key of another shape than the library's.
    pub fn new(key: &CloudKey) -> Result<Self> {
        Self::make(key, |digit, first, sample, _| {
            for (word, &first) in sample.iter_mut().zip(first) {
                *word = first * digit as i64;
            }
        })
    }

    /// The library's form of the cloud key of `secret`, with fresh samples for h > 1, as the library makes them
    /// (which also shifts their noise to the mean 0).
    ///
    /// # Errors
    /// [`Error::NotTfheLib`] for a key of another shape than the library's; [`Error::OtherKey`] unless both are of
    /// one key.
    pub(super) fn with_secret(key: &CloudKey, secret: &SecretKey, seed: SecretSeed) -> Result<Self> {
        check_key(secret.id(), key.id)?;
        let p = key.parameters;
        let (small, large, masks) = (secret.small(), secret.large().bits(), seed.mask_seed());
        let (levels, base) = (p.key_switch_gadget.levels() as usize, 1 << p.key_switch_gadget.base_log());
        Self::make(key, |digit, _, sample, row| {
            let (mask, body) = sample.split_at_mut(p.lwe_dimension);
            let number = (row * base + digit) as u64;
            masks.fill(Purpose::KeySwitchKey, number, mask);
            let weight = Torus32::from_bits64(p.key_switch_gadget.weight(row % levels));
            let message = weight * (digit as i64 * i64::from(large[row / levels]));
            let mut noise = seed.noise(Purpose::KeySwitchKey, number);
            body[0] = small.encrypt_body(mask, message, p.lwe_noise(), &mut noise);
        })
    }

    /// All samples, of which `other` makes those for h > 1, given h, the sample for 1, where to, and the row's
    /// number.
    fn make(key: &CloudKey, other: impl Fn(usize, &[Torus32], &mut [Torus32], usize) + Sync) -> Result<Self> {
        let p = key.parameters;
        let set = ParameterSet::new(&p)?;
        let bodies = key.bootstrap.as_32().ok_or(Error::NotTfheLib { parameters: p.name })?;
        let (size, mask_len) = (p.polynomial_size, p.tlwe_dimension * p.polynomial_size);
        let mut bootstrap = memory::zeroed((p.tlwe_dimension + 1) * bodies.len())?;
        parallel::for_each_chunk(&mut bootstrap, mask_len + size, |row, words| {
            let (mask, body) = words.split_at_mut(mask_len);
            key.masks.bootstrap_row(row, mask);
            body.copy_from_slice(&bodies[row * size..][..size]);
        });
        let (n, base) = (p.lwe_dimension, 1usize << p.key_switch_gadget.base_log());
        let mut key_switch = memory::zeroed(key.key_switch.len() * base * (n + 1))?;
        parallel::for_each_chunk(&mut key_switch, base * (n + 1), |row, samples| {
            // The sample for 0 stays zero.
            let (first, others) = samples[n + 1..].split_at_mut(n + 1);
            key.masks.key_switch_row(row, &mut first[..n]);
            first[n] = key.key_switch[row];
            for (index, sample) in others.chunks_exact_mut(n + 1).enumerate() {
                other(index + 2, first, sample, row);
            }
        });
        let variances = [p.lwe_noise_log2, p.tlwe_noise_log2].map(|log2| libm::exp2(2.0 * log2));
        let id = KeyId([0; 16]);
        let mut made = Self { set, parameters: p, id, variances, key_switch, bootstrap };
        let mut sum = Sha256::new();
        made.emit(|bytes| sum.update(bytes));
        made.id = identity(sum.finalize().into());
        Ok(made)
    }

    /// The parameters: a named set, or one for use in memory.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The identity: the beginning of the SHA-256 sum of the file.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// `secret`, the key that it was made with, under the identity of this set.
    ///
    /// # Errors
    /// [`Error::OtherDimension`] for a key of other parameters.
    pub(super) fn adopt(&self, secret: &SecretKey) -> Result<SecretKey> {
        let (expected, found) = (self.parameters.lwe_dimension, secret.small().dimension());
        let (large, found_large) = (self.parameters.large_dimension(), secret.large().bits().len());
        if (expected, large) != (found, found_large) {
            return Err(Error::OtherDimension { expected, found });
        }
        let bits = [secret.small().bits(), secret.large().bits()].map(<[u32]>::to_vec);
        let [small, large] = bits;
        Ok(SecretKey::from_bits(&self.parameters, self.id, small, large))
    }

    /// The cloud key, for use. The samples for h > 1 are dropped.
    pub fn into_cloud_key(self) -> CloudKey {
        let p = self.parameters;
        let (size, mask_len) = (p.polynomial_size, p.tlwe_dimension * p.polynomial_size);
        let (n, base) = (p.lwe_dimension, 1usize << p.key_switch_gadget.base_log());
        let samples = self.key_switch.chunks_exact(base * (n + 1)).map(|samples| &samples[n + 1..][..n + 1]);
        let (key_switch_masks, key_switch) = split(samples, n, p.key_switch_bodies());
        drop(self.key_switch);
        let rows = self.bootstrap.chunks_exact(mask_len + size);
        let (bootstrap_masks, bodies) = split(rows, mask_len, p.bootstrap_bodies() / size);
        CloudKey {
            parameters: p,
            id: self.id,
            masks: Masks::Stored { bootstrap: bootstrap_masks, key_switch: key_switch_masks },
            bootstrap: TorusWords::Bits32(bodies),
            key_switch,
        }
    }

    /// Reads what both kinds of key set begin with.
    pub(super) fn read_part<R: Read>(source: &mut Source<R>) -> Result<Self> {
        let set = ParameterSet::read_part(source)?;
        set.check_key_switch_text(source)?;
        let (key_switch_words, bootstrap_words) =
            set.key_words().expect("invariant: a set that was read has countable keys");
        source.uid(KEY_SWITCH_UID, "a key-switching key")?;
        let key_switch_variance = source.variance()?;
        let key_switch_at = source.at();
        let key_switch = source.words(key_switch_words)?;
        source.uid(BOOTSTRAP_UID, "a bootstrapping key")?;
        let bootstrap_variance = source.variance()?;
        let bootstrap = source.words(bootstrap_words)?;
        let parameters = set.parameters(key_switch_variance, bootstrap_variance)?;
        let sample = parameters.lwe_dimension + 1;
        let all = sample << parameters.key_switch_gadget.base_log();
        for (row, samples) in key_switch.chunks_exact(all).enumerate() {
            if set.has_zero_samples() && samples[..sample].iter().any(|word| word.0 != 0) {
                let at = key_switch_at + 4 * (row * all) as u64;
                return Err(field_fault(at, "the sample of the digit 0", "not zero", "zero"));
            }
        }
        let variances = [key_switch_variance, bootstrap_variance];
        Ok(Self { set, parameters, id: identity(source.take_sum()), variances, key_switch, bootstrap })
    }

    /// Bytes of the file.
    pub fn file_len(&self) -> usize {
        let text = self.set.to_text().len() + self.set.key_switch_text().len();
        text + 2 * (4 + 8) + 4 * (self.key_switch.len() + self.bootstrap.len())
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.file_len());
        self.emit(|part| bytes.extend_from_slice(part));
        bytes
    }

    /// Gives the bytes of the file to `take`, part by part.
    pub(super) fn emit(&self, mut take: impl FnMut(&[u8])) {
        let mut emit_words = |start: &[&[u8]], words: &[Torus32]| {
            start.iter().for_each(|bytes| take(bytes));
            let mut buffer = Vec::with_capacity(4 * CHUNK_WORDS);
            for chunk in words.chunks(CHUNK_WORDS) {
                buffer.clear();
                buffer.extend(chunk.iter().flat_map(|word| word.0.to_le_bytes()));
                take(&buffer);
            }
        };
        let [key_switch_variance, bootstrap_variance] = self.variances.map(f64::to_le_bytes);
        let texts = [self.set.to_text(), self.set.key_switch_text()];
        let [set, key_switch] = texts.each_ref().map(String::as_bytes);
        emit_words(&[set, key_switch, &KEY_SWITCH_UID.to_le_bytes(), &key_switch_variance], &self.key_switch);
        emit_words(&[&BOOTSTRAP_UID.to_le_bytes(), &bootstrap_variance], &self.bootstrap);
    }
}

/// The identity of a key set, of the sum of its bytes.
fn identity(sum: [u8; 32]) -> KeyId {
    let mut id = KeyId([0; 16]);
    id.0.copy_from_slice(&sum[..16]);
    id
}

/// Masks of `mask_len` words, and bodies, of so many rows.
fn split<'a>(
    rows: impl Iterator<Item = &'a [Torus32]>,
    mask_len: usize,
    count: usize,
) -> (Vec<Torus32>, Vec<Torus32>) {
    let mut masks = Vec::with_capacity(count * mask_len);
    let mut bodies = Vec::new();
    for row in rows {
        masks.extend_from_slice(&row[..mask_len]);
        bodies.extend_from_slice(&row[mask_len..]);
    }
    (masks, bodies)
}
