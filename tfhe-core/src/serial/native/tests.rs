//! Every kind of native file: round trips, damage, and what is no such file.

use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::body::Body;
use super::cloud_key_pieces::CloudKeyPieces;
use super::frame::{Frame, cloud_key_bytes, from_bytes, to_bytes};
use super::header::NO_CONTEXT;
use crate::Error;
use crate::ciphertext::list::CiphertextList;
use crate::ciphertext::packed::PackedCiphertext;
use crate::ciphertext::seeded::SeededCiphertexts;
use crate::ciphertext::wire::Ciphertext;
use crate::keys::cloud::CloudKey;
use crate::keys::secret::SecretKey;
use crate::parameters::{GATES_DEFAULT, TFHE_LIB_V1_0_1};
use crate::random::SecretSeed;
use crate::serial::fault::FileFault;
use crate::serial::kind::Kind;
use crate::serial::tfhe_lib;
use crate::torus::Torus32;

/// What a writer gives for keys and ciphertexts of a named set.
fn file<C: Body>(content: &C) -> Vec<u8> {
    to_bytes(content, NO_CONTEXT).unwrap().to_vec()
}

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
    from_bytes(bytes).map(|stored| stored.content)
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
    assert_eq!(read::<SeededCiphertexts>(&file(&seeded())).unwrap(), seeded());
    assert_eq!(read::<PackedCiphertext>(&file(&packed())).unwrap(), packed());
    assert_eq!(read::<CiphertextList>(&file(&list())).unwrap(), list());
    let secret = read::<SecretKey>(&file(&key())).unwrap();
    assert_eq!((secret.id(), secret.small().bits()), (key().id(), key().small().bits()));
    assert_eq!(secret.large().bits(), key().large().bits());
    for parameters in [&GATES_DEFAULT, &TFHE_LIB_V1_0_1] {
        let cloud = CloudKey::generate(&SecretKey::generate(parameters, seed(4)), seed(5)).unwrap();
        let bytes = file(&cloud);
        assert!(read::<CloudKey>(&bytes).unwrap() == cloud);
        assert_eq!(bytes.len(), cloud_key_bytes(parameters));
        assert!(bytes.len() <= 14_000_000, "{} bytes", bytes.len());
    }
}

#[test]
fn a_cloud_keys_pieces_are_its_file() {
    for parameters in [&GATES_DEFAULT, &TFHE_LIB_V1_0_1] {
        let secret = Arc::new(SecretKey::generate(parameters, seed(4)));
        let whole = to_bytes(&CloudKey::generate(&secret, seed(5)).unwrap(), [7; 32]).unwrap();
        let pieces: Vec<Vec<u8>> = CloudKeyPieces::new(secret, seed(5), [7; 32]).unwrap().collect();
        assert!(pieces.concat() == *whole, "{}", parameters.name);
        assert!(pieces.iter().all(|piece| (1..1_000_000).contains(&piece.len())));
    }
}

#[test]
fn a_kind_is_not_taken_for_another() {
    let bytes = file(&packed());
    assert!(matches!(read::<SeededCiphertexts>(&bytes), Err(Error::WrongKind { .. })));
}

/// A file, and what reads it: an error, or the file that is written of what was read.
type Example = (Vec<u8>, fn(&[u8]) -> crate::Result<Vec<u8>>);

fn rewritten<C: Body>(bytes: &[u8]) -> crate::Result<Vec<u8>> {
    let stored = from_bytes::<C>(bytes)?;
    Ok(to_bytes(&stored.content, stored.header.context)?.to_vec())
}

fn example<C: Body>(content: &C) -> Example {
    (to_bytes(content, [7; 32]).unwrap().to_vec(), rewritten::<C>)
}

/// A file of every kind, the longest last: a cloud key of 8 MB, and with its masks of 33 MB. A secret key whose bits do not fill their last byte.
fn examples() -> &'static [Example] {
    static EXAMPLES: OnceLock<Vec<Example>> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let small = SecretKey::generate(&TFHE_LIB_V1_0_1, seed(4));
        let cloud = CloudKey::generate(&small, seed(5)).unwrap();
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
            let Err(Error::BadFile { fault, .. }) = rewritten(&bytes[..len]) else { panic!("{len} bytes") };
            assert!(matches!(fault, FileFault::Truncated { .. } | FileFault::Magic), "{len} bytes: {fault}");
        }
        let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
        let error = rewritten(&longer).unwrap_err();
        assert!(matches!(error, Error::BadFile { fault: FileFault::Trailing { .. }, .. }), "{error}");
    }
}

/// 500 bits end in the middle of a byte: one key has one file.
#[test]
fn bits_after_the_last_one_of_a_secret_key_are_refused() {
    let bytes = file(&SecretKey::generate(&TFHE_LIB_V1_0_1, seed(4)));
    for bit in 4..8 {
        let mut bytes = bytes.clone();
        bytes[100 + 62] |= 1 << bit;
        let error = read::<SecretKey>(&resealed(bytes)).unwrap_err();
        assert!(matches!(error, Error::BadFile { fault: FileFault::Field { .. }, .. }), "{error}");
    }
}

#[test]
fn a_huge_length_is_refused_before_it_is_allocated() {
    let mut bytes = file(&seeded());
    bytes[92..100].copy_from_slice(&u64::MAX.to_le_bytes());
    let error = read::<SeededCiphertexts>(&resealed(bytes)).unwrap_err();
    assert!(matches!(error, Error::BadFile { fault: FileFault::BodyLength { .. }, .. }), "{error}");
    let mut bytes = file(&list());
    bytes[100..104].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(read::<CiphertextList>(&resealed(bytes)).is_err());
    let mut bytes = file(&packed());
    // The bytes 132 to 136 are the length of a row, those after them the number of messages.
    bytes[136..140].copy_from_slice(&1u32.to_le_bytes());
    assert!(read::<PackedCiphertext>(&resealed(bytes)).is_err());
    for row_len in [0u32, u32::MAX] {
        let mut bytes = file(&packed());
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
    let bytes = renamed(&file(&seeded()), b"FUNCTIONAL_2048");
    let stranger = &read::<SeededCiphertexts>(&bytes).unwrap().expand()[0];
    assert!(matches!(key().decrypt(stranger), Err(Error::OtherDimension { expected: 1536, found: 2048 })));
    let own = &seeded().expand()[0];
    assert!(matches!(
        Ciphertext::linear(Torus32(0), [(1, own), (1, stranger)]),
        Err(Error::OtherDimension { .. })
    ));
    assert!(CiphertextList::new(&GATES_DEFAULT, key().id(), vec![stranger.clone()]).is_err());
    let bytes = renamed(&file(&packed()), b"TFHE_LIB_V1_1");
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
fn a_frame_says_what_it_is_before_it_is_decoded() {
    let bytes = to_bytes(&key(), [7; 32]).unwrap();
    let frame = Frame::read(&bytes[..]).unwrap();
    assert_eq!((frame.header().kind, frame.header().context), (Kind::SecretKey, [7; 32]));
    assert_eq!(frame.decode::<SecretKey>().unwrap().content.id(), key().id());
    let error = Frame::read(&bytes[..]).unwrap().decode::<CiphertextList>().unwrap_err();
    assert!(matches!(error, Error::WrongKind { found: Kind::SecretKey, expected: Kind::CiphertextList }));
}

/// A source is read as far as its header declares, and one byte further.
#[test]
fn no_more_is_read_than_the_header_declares() {
    let file = file(&seeded());
    let endless = std::io::Read::chain(&file[..], std::io::repeat(0));
    assert!(matches!(Frame::read(endless), Err(Error::BadFile { fault: FileFault::Trailing { .. } })));
}

/// A set with the name of a named one that is not it has no file.
#[test]
fn an_altered_set_is_not_written() {
    let altered = crate::parameters::set::Parameters { lwe_dimension: 512, ..GATES_DEFAULT };
    let key = SecretKey::generate(&altered, seed(1));
    assert!(matches!(to_bytes(&key, NO_CONTEXT), Err(Error::NotStorable { parameters: "GATES_DEFAULT" })));
}
