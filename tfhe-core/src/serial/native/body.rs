//! The bodies of the kinds of native files.

use super::fields::{Fields, put_bits, put_count, put_words};
use super::header::{HEADER_BYTES, Header};
use crate::ciphertext::list::CiphertextList;
use crate::ciphertext::packed::PackedCiphertext;
use crate::ciphertext::seeded::SeededCiphertexts;
use crate::ciphertext::wire::Ciphertext;
use crate::key_id::KeyId;
use crate::keys::cloud::CloudKey;
use crate::keys::masks::Masks;
use crate::keys::secret::SecretKey;
use crate::memory;
use crate::parameters::set::{Order, Parameters};
use crate::random::{MaskSeed, SEED_BYTES};
use crate::sample::lwe::LweCiphertext;
use crate::serial::fault::FileFault;
use crate::serial::kind::Kind;
use crate::torus::{Torus, Torus32};
use crate::torus_words::{MakeWords, ReadWords};

/// Most ciphertexts in one file.
pub(in crate::serial) const MOST_CIPHERTEXTS: u64 = 1 << 24;
/// Bytes of a count.
const COUNT_BYTES: u64 = 4;
/// The offset of the parameter set's name in a header.
const SET_AT: u64 = 60;

/// A thing that is the body of a kind of file.
pub trait Body: Sized {
    /// What files of it are marked as; a type with two kinds of files has the usual one here.
    const KIND: Kind;

    /// What a file of this one is marked as.
    fn kind(&self) -> Kind {
        Self::KIND
    }

    /// Whether files of this kind hold one.
    fn accepts(kind: Kind) -> bool {
        kind == Self::KIND
    }

    fn parameters(&self) -> &Parameters;

    fn key_id(&self) -> KeyId;

    fn write(&self, body: &mut Vec<u8>);

    /// The body's length has been checked against kind and parameter set.
    fn read(header: &Header, body: &[u8]) -> Result<Self, FileFault>;
}

/// Bytes of the body of a cloud key with seeded masks.
pub(super) fn cloud_key_bytes(p: &Parameters) -> usize {
    let word = p.accumulator.bits() as usize / 8;
    SEED_BYTES + p.bootstrap_bodies() * word + Torus32::BYTES * p.key_switch_bodies()
}

/// Bytes of the body of a key of this kind.
fn key_bytes(kind: Kind, p: &Parameters) -> Option<usize> {
    match kind {
        Kind::SecretKey => Some(p.lwe_dimension.div_ceil(8) + p.large_dimension().div_ceil(8)),
        Kind::CloudKey => Some(cloud_key_bytes(p)),
        Kind::CloudKeyWithMasks => {
            let bootstrap = (p.tlwe_dimension + 1) * p.bootstrap_bodies();
            let key_switch = (p.lwe_dimension + 1) * p.key_switch_bodies();
            Some(Torus32::BYTES * (bootstrap + key_switch))
        }
        Kind::SeededCiphertexts | Kind::PackedCiphertext | Kind::CiphertextList => None,
    }
}

/// Refuses to go on where there is no memory for so many copies of a cloud key. What else there is, is small.
pub(super) fn check_memory(kind: Kind, p: &Parameters, copies: usize) -> crate::Result<()> {
    match (kind, key_bytes(kind, p)) {
        (Kind::CloudKey | Kind::CloudKeyWithMasks, Some(bytes)) => memory::check(copies * bytes),
        _ => Ok(()),
    }
}

/// Refuses a length that the kind cannot have with these parameters.
pub(super) fn check_body_len(kind: Kind, p: &Parameters, len: u64) -> Result<(), FileFault> {
    if kind == Kind::CloudKeyWithMasks && !p.is_tfhe_lib() {
        let field = "the parameter set of a cloud key with its masks";
        return Err(Fields::fault(SET_AT, field, p.name, "one of the TFHE library"));
    }
    let seeded = (SEED_BYTES as u64) + COUNT_BYTES;
    let (least, most) = match (key_bytes(kind, p), kind) {
        (Some(exact), _) => (exact as u64, exact as u64),
        (None, Kind::SeededCiphertexts) => (seeded, seeded + 4 * MOST_CIPHERTEXTS),
        (None, Kind::PackedCiphertext) => (seeded + COUNT_BYTES, seeded + COUNT_BYTES + 4 * MOST_CIPHERTEXTS),
        (None, _) => (COUNT_BYTES, COUNT_BYTES + MOST_CIPHERTEXTS * ciphertext_bytes(p)),
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

/// Appends torus elements to a body.
pub(super) struct PutWords<'a>(pub(super) &'a mut Vec<u8>);

impl ReadWords for PutWords<'_> {
    type Output = ();

    fn read<T: Torus>(self, words: &[T]) {
        put_words(self.0, words);
    }
}

/// Takes so many torus elements from a body.
struct TakeWords<'a, 'b>(&'a mut Fields<'b>, usize);

impl MakeWords for TakeWords<'_, '_> {
    type Error = FileFault;

    fn make<T: Torus>(self) -> Result<Vec<T>, FileFault> {
        self.0.words(self.1)
    }
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
        let mut fields = Fields::new(body, HEADER_BYTES);
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
        self.bootstrap.read(PutWords(body));
        put_words(body, &self.key_switch);
    }

    fn read(header: &Header, body: &[u8]) -> Result<Self, FileFault> {
        let p = header.parameters;
        let mut fields = Fields::new(body, HEADER_BYTES);
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
        let bootstrap = p.accumulator.make(TakeWords(&mut fields, p.bootstrap_bodies()))?;
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
        let mut fields = Fields::new(body, HEADER_BYTES);
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
            let expected = "one that switches keys before it bootstraps";
            let field = "the parameter set of a packed ciphertext";
            return Err(Fields::fault(SET_AT, field, header.parameters.name, expected));
        }
        let mut fields = Fields::new(body, HEADER_BYTES);
        let masks = MaskSeed(fields.array()?);
        let row_len = fields.count()?;
        if !(1..=header.parameters.polynomial_size).contains(&row_len) {
            let expected = format_args!("1 to {}", header.parameters.polynomial_size);
            return Err(Fields::fault(fields.at() - 4, "the number of messages in a row", row_len, expected));
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
        self.parameters()
    }

    fn key_id(&self) -> KeyId {
        self.key_id()
    }

    fn write(&self, body: &mut Vec<u8>) {
        put_count(body, self.ciphertexts().len());
        for ciphertext in self.ciphertexts() {
            body.extend(ciphertext.variance().to_le_bytes());
            put_words(body, ciphertext.sample().words());
        }
    }

    fn read(header: &Header, body: &[u8]) -> Result<Self, FileFault> {
        let p = header.parameters;
        let mut fields = Fields::new(body, HEADER_BYTES);
        let count = fields.count()?;
        let mut ciphertexts = Vec::new();
        for _ in 0..count {
            let variance = f64::from_le_bytes(fields.array()?);
            if !(0.0..1.0).contains(&variance) {
                let field = "the noise variance of a ciphertext";
                return Err(Fields::fault(fields.at() - 8, field, variance, "a number from 0 to 1"));
            }
            let sample = LweCiphertext::from_words(fields.words(p.wire_dimension() + 1)?);
            ciphertexts.push(Ciphertext::new(sample, variance, header.key_id));
        }
        fields.finish("the number of ciphertexts")?;
        Ok(Self::from_parts(p, header.key_id, ciphertexts))
    }
}
