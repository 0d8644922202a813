//! The bodies of the kinds of files.

use zeroize::Zeroizing;

use super::{FileFault, Header, Kind};
use crate::ciphertext::{Ciphertext, PackedCiphertext, SeededCiphertexts};
use crate::keys::{BootstrapBodies, CloudKey, KeyId, Masks, SecretKey};
use crate::lwe::LweCiphertext;
use crate::parameters::{Order, Parameters, TorusWidth};
use crate::random::{MaskSeed, SEED_BYTES};
use crate::torus::{Torus, Torus32};

/// Most ciphertexts in one file.
pub(super) const MOST_CIPHERTEXTS: u64 = 1 << 24;
/// Bytes of a count.
const COUNT_BYTES: u64 = 4;

/// Ciphertexts of one key and parameter set, such as a server's results.
#[derive(Clone, Debug, PartialEq)]
pub struct CiphertextList {
    parameters: Parameters,
    key_id: KeyId,
    ciphertexts: Vec<Ciphertext>,
}

impl CiphertextList {
    /// Lists `ciphertexts`, all of the key `key_id`.
    ///
    /// # Errors
    /// [`Error::OtherKey`](crate::Error::OtherKey) or [`Error::OtherDimension`](crate::Error::OtherDimension) for a
    /// ciphertext of another key.
    pub fn new(parameters: &Parameters, key_id: KeyId, ciphertexts: Vec<Ciphertext>) -> crate::Result<Self> {
        ciphertexts.iter().try_for_each(|c| c.check(key_id, parameters.wire_dimension()))?;
        Ok(Self { parameters: *parameters, key_id, ciphertexts })
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Whose ciphertexts they are.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The ciphertexts, in order.
    pub fn ciphertexts(&self) -> &[Ciphertext] {
        &self.ciphertexts
    }
}

/// Reads fields one after another.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], FileFault> {
        let short = FileFault::Truncated { found: self.rest.len() as u64, expected: len as u64 };
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(short)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FileFault> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    fn words<T: Torus>(&mut self, count: usize) -> Result<Vec<T>, FileFault> {
        let words = self.bytes(count * T::BYTES)?.chunks_exact(T::BYTES);
        Ok(words.map(word_from_le).collect())
    }

    /// A count of records that make up the rest.
    fn count(&mut self) -> Result<usize, FileFault> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    fn secret_bits(&mut self, count: usize) -> Result<Zeroizing<Vec<u32>>, FileFault> {
        let bytes = self.bytes(count.div_ceil(8))?;
        // What follows the last bit is no bit of the key, so a branch on it tells nothing.
        if bytes.last().is_some_and(|&last| !count.is_multiple_of(8) && last >> (count % 8) != 0) {
            return Err(FileFault::Field {
                field: "what follows the last bit of a key",
                found: "not 0".into(),
                expected: "0".into(),
            });
        }
        // By position, not by value: no branch on the key.
        Ok(Zeroizing::new((0..count).map(|i| u32::from(bytes[i / 8] >> (i % 8) & 1)).collect()))
    }

    /// Nothing may be left: lengths and counts must agree.
    fn finish(&self, field: &'static str) -> Result<(), FileFault> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(FileFault::Field {
            field,
            found: "too small for the body".into(),
            expected: format!("a count that covers {} more bytes", self.rest.len()),
        })
    }
}

fn word_from_le<T: Torus>(bytes: &[u8]) -> T {
    let mut top = [0; 8];
    // The element's bytes are the top ones of its 64-bit form.
    top[8 - bytes.len()..].copy_from_slice(bytes);
    T::from_bits64(u64::from_le_bytes(top))
}

fn put_words<T: Torus>(bytes: &mut Vec<u8>, words: &[T]) {
    for word in words {
        bytes.extend_from_slice(&word.to_bits64().to_le_bytes()[8 - T::BYTES..]);
    }
}

fn put_bits(bytes: &mut Vec<u8>, bits: &[u32]) {
    let byte = |bits: &[u32]| bits.iter().enumerate().fold(0u8, |byte, (i, &bit)| byte | (bit as u8) << i);
    bytes.extend(bits.chunks(8).map(byte));
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend(u32::try_from(count).expect("invariant: fewer than 2^24 ciphertexts").to_le_bytes());
}

/// A thing that is the body of a kind of file.
pub trait Body: Sized {
    /// What files of it are marked as; a type with two kinds of files has the usual one here.
    const KIND: Kind;

    /// What a file of this one is marked as.
    #[doc(hidden)]
    fn kind(&self) -> Kind {
        Self::KIND
    }

    /// Whether files of this kind hold one.
    #[doc(hidden)]
    fn accepts(kind: Kind) -> bool {
        kind == Self::KIND
    }

    #[doc(hidden)]
    fn parameters(&self) -> &Parameters;

    #[doc(hidden)]
    fn key_id(&self) -> KeyId;

    #[doc(hidden)]
    fn write(&self, body: &mut Vec<u8>);

    /// The body's length has been checked against kind and parameter set.
    #[doc(hidden)]
    fn read(header: &Header, body: &[u8]) -> Result<Self, FileFault>;
}

/// Refuses a length that the kind cannot have with these parameters.
pub(super) fn check_body_len(kind: Kind, p: &'static Parameters, len: u64) -> Result<(), FileFault> {
    let seeded = (SEED_BYTES as u64) + COUNT_BYTES;
    let (least, most) = match kind {
        Kind::SecretKey => {
            let exact = (p.lwe_dimension.div_ceil(8) + p.large_dimension().div_ceil(8)) as u64;
            (exact, exact)
        }
        Kind::CloudKey => {
            let word = p.accumulator.bits() as usize / 8;
            let exact =
                (SEED_BYTES + p.bootstrap_bodies() * word + Torus32::BYTES * p.key_switch_bodies()) as u64;
            (exact, exact)
        }
        Kind::CloudKeyWithMasks => {
            if !p.is_tfhe_lib() {
                return Err(FileFault::Field {
                    field: "the parameter set of a cloud key with its masks",
                    found: p.name.into(),
                    expected: "one of the TFHE library".into(),
                });
            }
            let bootstrap = (p.tlwe_dimension + 1) * p.bootstrap_bodies();
            let key_switch = (p.lwe_dimension + 1) * p.key_switch_bodies();
            let exact = (Torus32::BYTES * (bootstrap + key_switch)) as u64;
            (exact, exact)
        }
        Kind::SeededCiphertexts => (seeded, seeded + 4 * MOST_CIPHERTEXTS),
        Kind::PackedCiphertext => (seeded + COUNT_BYTES, seeded + COUNT_BYTES + 4 * MOST_CIPHERTEXTS),
        Kind::CiphertextList => (COUNT_BYTES, COUNT_BYTES + MOST_CIPHERTEXTS * ciphertext_bytes(p)),
    };
    if (least..=most).contains(&len) {
        return Ok(());
    }
    let expected = if least == most { format!("{least}") } else { format!("from {least} to {most}") };
    Err(FileFault::BodyLength { found: len, kind, parameters: p.name, expected })
}

/// Variance, masks and body.
fn ciphertext_bytes(p: &Parameters) -> u64 {
    8 + 4 * (p.wire_dimension() as u64 + 1)
}

impl Body for SecretKey {
    const KIND: Kind = Kind::SecretKey;

    fn parameters(&self) -> &Parameters {
        self.parameters()
    }

    fn key_id(&self) -> KeyId {
        self.id()
    }

    fn write(&self, body: &mut Vec<u8>) {
        // Reserved at once, so that no copy of the key is left behind by a growing vector.
        body.reserve_exact(self.small().dimension().div_ceil(8) + self.large().bits().len().div_ceil(8));
        put_bits(body, self.small().bits());
        put_bits(body, self.large().bits());
    }

    fn read(header: &Header, body: &[u8]) -> Result<Self, FileFault> {
        let p = header.parameters;
        let mut fields = Fields::new(body);
        let small = fields.secret_bits(p.lwe_dimension)?;
        let large = fields.secret_bits(p.large_dimension())?;
        Ok(Self::from_bits(p, header.key_id, small.to_vec(), large.to_vec()))
    }
}

impl Body for CloudKey {
    const KIND: Kind = Kind::CloudKey;

    fn kind(&self) -> Kind {
        match self.masks {
            Masks::Seeded(_) => Kind::CloudKey,
            Masks::Stored { .. } => Kind::CloudKeyWithMasks,
        }
    }

    fn accepts(kind: Kind) -> bool {
        matches!(kind, Kind::CloudKey | Kind::CloudKeyWithMasks)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn key_id(&self) -> KeyId {
        self.id
    }

    fn write(&self, body: &mut Vec<u8>) {
        match &self.masks {
            Masks::Seeded(seed) => body.extend(seed.0),
            Masks::Stored { bootstrap, key_switch } => {
                put_words(body, bootstrap);
                put_words(body, key_switch);
            }
        }
        match &self.bootstrap {
            BootstrapBodies::Bits32(words) => put_words(body, words),
            BootstrapBodies::Bits48(words) => put_words(body, words),
            BootstrapBodies::Bits64(words) => put_words(body, words),
        }
        put_words(body, &self.key_switch);
    }

    fn read(header: &Header, body: &[u8]) -> Result<Self, FileFault> {
        let p = header.parameters;
        let mut fields = Fields::new(body);
        let masks = match header.kind {
            Kind::CloudKeyWithMasks => {
                let bootstrap = fields.words(p.tlwe_dimension * p.bootstrap_bodies())?;
                Masks::Stored {
                    bootstrap,
                    key_switch: fields.words(p.lwe_dimension * p.key_switch_bodies())?,
                }
            }
            _ => Masks::Seeded(MaskSeed(fields.array()?)),
        };
        let count = p.bootstrap_bodies();
        let bootstrap = match p.accumulator {
            TorusWidth::Bits32 => BootstrapBodies::Bits32(fields.words(count)?),
            TorusWidth::Bits48 => BootstrapBodies::Bits48(fields.words(count)?),
            TorusWidth::Bits64 => BootstrapBodies::Bits64(fields.words(count)?),
        };
        let key_switch = fields.words(p.key_switch_bodies())?;
        Ok(Self { parameters: *p, id: header.key_id, masks, bootstrap, key_switch })
    }
}

impl Body for SeededCiphertexts {
    const KIND: Kind = Kind::SeededCiphertexts;

    fn parameters(&self) -> &Parameters {
        self.parameters()
    }

    fn key_id(&self) -> KeyId {
        self.key_id()
    }

    fn write(&self, body: &mut Vec<u8>) {
        let (masks, bodies) = self.parts();
        body.extend(masks.0);
        put_count(body, bodies.len());
        put_words(body, bodies);
    }

    fn read(header: &Header, body: &[u8]) -> Result<Self, FileFault> {
        let mut fields = Fields::new(body);
        let masks = MaskSeed(fields.array()?);
        let count = fields.count()?;
        let bodies = fields.words(count)?;
        fields.finish("the number of ciphertexts")?;
        Ok(Self::from_parts(header.parameters, header.key_id, masks, bodies))
    }
}

impl Body for PackedCiphertext {
    const KIND: Kind = Kind::PackedCiphertext;

    fn parameters(&self) -> &Parameters {
        self.parameters()
    }

    fn key_id(&self) -> KeyId {
        self.key_id()
    }

    fn write(&self, body: &mut Vec<u8>) {
        let (masks, bodies) = self.parts();
        body.extend(masks.0);
        put_count(body, self.row_len());
        put_count(body, bodies.len());
        put_words(body, bodies);
    }

    fn read(header: &Header, body: &[u8]) -> Result<Self, FileFault> {
        if header.parameters.order != Order::KeySwitchFirst {
            return Err(FileFault::Field {
                field: "the parameter set of a packed ciphertext",
                found: header.parameters.name.into(),
                expected: "one that switches keys before it bootstraps".into(),
            });
        }
        let mut fields = Fields::new(body);
        let masks = MaskSeed(fields.array()?);
        let row_len = fields.count()?;
        if !(1..=header.parameters.polynomial_size).contains(&row_len) {
            return Err(FileFault::Field {
                field: "the number of messages in a row",
                found: row_len.to_string(),
                expected: format!("1 to {}", header.parameters.polynomial_size),
            });
        }
        let count = fields.count()?;
        let bodies = fields.words(count)?;
        fields.finish("the number of messages")?;
        Ok(Self::from_parts(header.parameters, header.key_id, masks, row_len, bodies))
    }
}

impl Body for CiphertextList {
    const KIND: Kind = Kind::CiphertextList;

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn key_id(&self) -> KeyId {
        self.key_id
    }

    fn write(&self, body: &mut Vec<u8>) {
        put_count(body, self.ciphertexts.len());
        for ciphertext in &self.ciphertexts {
            body.extend(ciphertext.variance().to_le_bytes());
            put_words(body, ciphertext.sample().words());
        }
    }

    fn read(header: &Header, body: &[u8]) -> Result<Self, FileFault> {
        let p = header.parameters;
        let mut fields = Fields::new(body);
        let count = fields.count()?;
        let mut ciphertexts = Vec::new();
        for _ in 0..count {
            let variance = f64::from_le_bytes(fields.array()?);
            if !(0.0..1.0).contains(&variance) {
                return Err(FileFault::Field {
                    field: "the noise variance of a ciphertext",
                    found: variance.to_string(),
                    expected: "a number from 0 to 1".into(),
                });
            }
            let sample = LweCiphertext::from_words(fields.words(p.wire_dimension() + 1)?);
            ciphertexts.push(Ciphertext::new(sample, variance, header.key_id));
        }
        fields.finish("the number of ciphertexts")?;
        Ok(Self { parameters: *p, key_id: header.key_id, ciphertexts })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Existing, NO_CONTEXT, from_bytes, inspect, load, save, to_bytes};
    use super::*;
    use crate::Error;
    use crate::parameters::{GATES_DEFAULT, TFHE_LIB_V1_0_1};
    use crate::random::SecretSeed;
    use crate::serial::tfhe_lib;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};
    use std::path::Path;
    use std::sync::OnceLock;

    fn seed(number: u64) -> SecretSeed {
        SecretSeed::deterministic_for_tests(number)
    }

    fn key() -> SecretKey {
        SecretKey::generate(&GATES_DEFAULT, seed(1))
    }

    fn seeded() -> SeededCiphertexts {
        key().encrypt(&[true, false, true], seed(2))
    }

    fn packed() -> PackedCiphertext {
        key().encrypt_packed(&[Torus32(1), Torus32(2)], 2, seed(3)).unwrap()
    }

    fn list() -> CiphertextList {
        CiphertextList::new(&GATES_DEFAULT, key().id(), seeded().expand()).unwrap()
    }

    fn read<C: Body>(bytes: &[u8]) -> crate::Result<C> {
        from_bytes(bytes, Path::new("test")).map(|stored| stored.content)
    }

    /// The same file with the right checksum again.
    fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let end = bytes.len() - 32;
        let checksum = Sha256::digest(&bytes[..end]);
        bytes[end..].copy_from_slice(&checksum);
        bytes
    }

    #[test]
    fn every_kind_survives_the_round_trip() {
        assert_eq!(read::<SeededCiphertexts>(&to_bytes(&seeded(), NO_CONTEXT)).unwrap(), seeded());
        assert_eq!(read::<PackedCiphertext>(&to_bytes(&packed(), NO_CONTEXT)).unwrap(), packed());
        assert_eq!(read::<CiphertextList>(&to_bytes(&list(), NO_CONTEXT)).unwrap(), list());
        let secret = read::<SecretKey>(&to_bytes(&key(), NO_CONTEXT)).unwrap();
        assert_eq!((secret.id(), secret.small().bits()), (key().id(), key().small().bits()));
        assert_eq!(secret.large().bits(), key().large().bits());
        for parameters in [&GATES_DEFAULT, &TFHE_LIB_V1_0_1] {
            let cloud = CloudKey::generate(&SecretKey::generate(parameters, seed(4)), seed(5));
            let bytes = to_bytes(&cloud, NO_CONTEXT);
            assert!(read::<CloudKey>(&bytes).unwrap() == cloud);
            assert!(bytes.len() <= 14_000_000, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn a_kind_is_not_taken_for_another() {
        let bytes = to_bytes(&packed(), NO_CONTEXT);
        assert!(matches!(read::<SeededCiphertexts>(&bytes), Err(Error::WrongKind { .. })));
    }

    /// A file, and what reads it: an error, or the file that is written of what was read.
    type Example = (Vec<u8>, fn(&[u8]) -> crate::Result<Vec<u8>>);

    fn rewritten<C: Body>(bytes: &[u8]) -> crate::Result<Vec<u8>> {
        let stored = from_bytes::<C>(bytes, Path::new("test"))?;
        Ok(to_bytes(&stored.content, stored.header.context).to_vec())
    }

    fn example<C: Body>(content: &C) -> Example {
        (to_bytes(content, [7; 32]).to_vec(), rewritten::<C>)
    }

    /// A file of every kind, the longest last: a cloud key of 8 MB, and with its masks of 33 MB. A secret key whose bits do not fill their last byte.
    fn examples() -> &'static [Example] {
        static EXAMPLES: OnceLock<Vec<Example>> = OnceLock::new();
        EXAMPLES.get_or_init(|| {
            let small = SecretKey::generate(&TFHE_LIB_V1_0_1, seed(4));
            let cloud = CloudKey::generate(&small, seed(5));
            let with_masks = tfhe_lib::CloudKeySet::new(&cloud).unwrap().into_cloud_key();
            vec![
                example(&seeded()),
                example(&packed()),
                example(&list()),
                example(&key()),
                example(&small),
                example(&cloud),
                example(&with_masks),
            ]
        })
    }

    #[test]
    fn every_truncation_is_an_error() {
        for (bytes, rewritten) in examples() {
            assert!(rewritten(bytes).unwrap() == *bytes);
            // All lengths of what is short; of what is long, the header's and some more.
            let (near, far) = (bytes.len().min(1000), bytes.len() / 61 + 1);
            for len in (0..near).chain((near..bytes.len()).step_by(far)).chain([bytes.len() - 1]) {
                let Err(Error::BadFile { fault, .. }) = rewritten(&bytes[..len]) else {
                    panic!("{len} bytes")
                };
                assert!(
                    matches!(fault, FileFault::Truncated { .. } | FileFault::Magic),
                    "{len} bytes: {fault}"
                );
            }
            let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
            let error = rewritten(&longer).unwrap_err();
            assert!(matches!(error, Error::BadFile { fault: FileFault::Trailing { .. }, .. }), "{error}");
        }
    }

    /// 500 bits end in the middle of a byte: one key has one file.
    #[test]
    fn bits_after_the_last_one_of_a_secret_key_are_refused() {
        let bytes = to_bytes(&SecretKey::generate(&TFHE_LIB_V1_0_1, seed(4)), NO_CONTEXT).to_vec();
        for bit in 4..8 {
            let mut bytes = bytes.clone();
            bytes[100 + 62] |= 1 << bit;
            let error = read::<SecretKey>(&resealed(bytes)).unwrap_err();
            assert!(matches!(error, Error::BadFile { fault: FileFault::Field { .. }, .. }), "{error}");
        }
    }

    #[test]
    fn a_huge_length_is_refused_before_it_is_allocated() {
        let mut bytes = to_bytes(&seeded(), NO_CONTEXT).to_vec();
        bytes[92..100].copy_from_slice(&u64::MAX.to_le_bytes());
        let error = read::<SeededCiphertexts>(&resealed(bytes)).unwrap_err();
        assert!(matches!(error, Error::BadFile { fault: FileFault::BodyLength { .. }, .. }), "{error}");
        let mut bytes = to_bytes(&list(), NO_CONTEXT).to_vec();
        bytes[100..104].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(read::<CiphertextList>(&resealed(bytes)).is_err());
        let mut bytes = to_bytes(&packed(), NO_CONTEXT).to_vec();
        // The bytes 132 to 136 are the length of a row, those after them the number of messages.
        bytes[136..140].copy_from_slice(&1u32.to_le_bytes());
        assert!(read::<PackedCiphertext>(&resealed(bytes)).is_err());
        for row_len in [0u32, u32::MAX] {
            let mut bytes = to_bytes(&packed(), NO_CONTEXT).to_vec();
            bytes[132..136].copy_from_slice(&row_len.to_le_bytes());
            let error = read::<PackedCiphertext>(&resealed(bytes)).unwrap_err();
            assert!(matches!(error, Error::BadFile { fault: FileFault::Field { .. }, .. }), "{error}");
        }
    }

    /// A hostile file may name another set under the same key id: the dimensions betray it.
    #[test]
    fn another_set_under_the_same_key_id_is_refused() {
        let renamed = |bytes: &[u8], name: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes[60..92].fill(0);
            bytes[60..60 + name.len()].copy_from_slice(name);
            resealed(bytes)
        };
        let bytes = renamed(&to_bytes(&seeded(), NO_CONTEXT), b"FUNCTIONAL_2048");
        let stranger = &read::<SeededCiphertexts>(&bytes).unwrap().expand()[0];
        assert!(matches!(
            key().decrypt(stranger),
            Err(Error::OtherDimension { expected: 1536, found: 2048 })
        ));
        let own = &seeded().expand()[0];
        assert!(matches!(
            Ciphertext::linear(Torus32(0), [(1, own), (1, stranger)]),
            Err(Error::OtherDimension { .. })
        ));
        assert!(CiphertextList::new(&GATES_DEFAULT, key().id(), vec![stranger.clone()]).is_err());
        let bytes = renamed(&to_bytes(&packed(), NO_CONTEXT), b"TFHE_LIB_V1_1");
        let error = read::<PackedCiphertext>(&bytes).unwrap_err();
        assert!(matches!(error, Error::BadFile { fault: FileFault::Field { .. }, .. }), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// A flipped bit anywhere is found, by a field or by the checksum.
        #[test]
        fn every_bit_flip_is_an_error(at: prop::sample::Index, bit in 0u32..8) {
            for (bytes, rewritten) in &examples()[..5] {
                let mut bytes = bytes.clone();
                let at = at.index(bytes.len());
                bytes[at] ^= 1u8 << bit;
                let found = matches!(rewritten(&bytes), Err(Error::BadFile { .. }));
                prop_assert!(found);
            }
        }

        /// With the checksum made right again, whatever the bytes say: an error, or a value that has this file.
        #[test]
        fn resealed_damage_is_an_error_or_another_value(at: prop::sample::Index, byte: u8) {
            for (bytes, rewritten) in &examples()[..5] {
                let mut bytes = bytes.clone();
                let at = at.index(bytes.len());
                bytes[at] = byte;
                let bytes = resealed(bytes);
                if let Ok(again) = rewritten(&bytes) {
                    prop_assert!(again == bytes);
                }
                // As every other kind too.
                for (_, rewritten) in &examples()[..5] {
                    let _ = rewritten(&bytes);
                }
            }
        }
    }

    proptest! {
        // Megabytes a case.
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn a_damaged_cloud_key_is_found_or_another(at: prop::sample::Index, early in 0..200_usize, bit in 0u32..8) {
            let at = |(bytes, _): &Example| [at.index(bytes.len()), early];
            for (example, at) in examples()[5..].iter().flat_map(|example| at(example).map(|at| (example, at))) {
                let (bytes, rewritten) = example;
                let mut bytes = bytes.clone();
                bytes[at] ^= 1u8 << bit;
                let found = matches!(rewritten(&bytes), Err(Error::BadFile { .. }));
                prop_assert!(found);
                let bytes = resealed(bytes);
                if let Ok(again) = rewritten(&bytes) {
                    prop_assert!(again == bytes);
                }
            }
        }
    }

    #[test]
    fn files_are_whole_private_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        save(&key(), [7; 32], &path, Existing::Refuse).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(matches!(save(&seeded(), NO_CONTEXT, &path, Existing::Refuse), Err(Error::Exists { .. })));
        let stored = load::<SecretKey>(&path).unwrap();
        assert_eq!((stored.header.context, stored.content.id()), ([7; 32], key().id()));
        save(&seeded(), NO_CONTEXT, &path, Existing::Replace).unwrap();
        assert_eq!(inspect(&path).unwrap().kind, Kind::SeededCiphertexts);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left");
        let nowhere = folder.path().join("missing").join("x");
        assert!(matches!(save(&seeded(), NO_CONTEXT, &nowhere, Existing::Refuse), Err(Error::Io { .. })));
    }
}
