//! Vectors of keys and ciphertexts from seeds, of key switching, and of whole files.

use serde_json::{Value, json};

use super::case::{Case, Vector, bits, digest, hex, sum, word32, words};
use super::keys::{CLOUD_KEY, Keys, SECRET_KEY, SetKeys};
use super::randomness::mask_seed;
use crate::backend::choice::Backend;
use crate::ciphertext::list::CiphertextList;
use crate::error::Result;
use crate::keyswitch::key::KeySwitchKey;
use crate::parameters::set::{Order, Parameters};
use crate::random::{Purpose, SecretSeed};
use crate::sample::lwe::LweCiphertext;
use crate::serial::{FileContent, NO_CONTEXT, to_bytes};
use crate::torus::{Torus, Torus32};
use crate::torus_words::ReadWords;

/// Seed number of seeded ciphertexts.
pub(super) const CIPHERTEXTS: u64 = 3;
/// Seed number of packed ciphertexts.
const PACKED: u64 = 4;

pub(super) fn vectors(keys: &Keys, backend: Backend) -> Result<Vec<Vector>> {
    let mut key_switches = Vec::new();
    for (set, set_keys) in keys.sets() {
        key_switches.extend(key_switch(set, set_keys, backend)?);
    }
    Ok(vec![
        Vector::new(
            "secret-keys",
            "secret-bits of purposes 1 (n; secret-blocks of d bits for a block-binary key) and 2 (k N); docs/formats.md",
            keys.sets().map(secret_key).collect(),
        ),
        Vector::new(
            "encryption",
            "b = <a, s> + message + noise; Chillotti et al. 2020, section 2.2; docs/formats.md, kind 3",
            keys.sets().map(encryption).collect(),
        ),
        Vector::new(
            "packed-encryption",
            "B = <A, S> + message + noise on polynomials, cut to the messages; Chillotti et al. 2020, section 2.2; docs/formats.md, kind 6",
            keys.sets()
                .filter(|(set, _)| set.order == Order::KeySwitchFirst)
                .map(packed_encryption)
                .collect(),
        ),
        Vector::new(
            "bootstrap-key-rows",
            "TGSW rows: phase m B^-(i+1) times -S_p or 1; Chillotti et al. 2020, section 3.1; docs/formats.md, kind 2",
            keys.sets().flat_map(|(set, keys)| bootstrap_key_rows(set, keys)).collect(),
        ),
        Vector::new(
            "key-switch-key-rows",
            "samples of S_i B^-(j+1) under the small key; Chillotti et al. 2020, section 4.1; docs/formats.md, kind 2",
            keys.sets().flat_map(|(set, keys)| key_switch_key_rows(set, keys)).collect(),
        ),
        Vector::new(
            "key-switch",
            "(0, b) - sum d_ij K_ij: Chillotti et al. 2020, section 4.1; through a ring (N' > 1): Bergerat et al., CCS 2024, and tfhe-core/src/keyswitch/ring.rs",
            key_switches,
        ),
    ])
}

fn seed(number: u64) -> SecretSeed {
    SecretSeed::deterministic_for_tests(number)
}

fn secret_key((set, keys): (&Parameters, &SetKeys)) -> Case {
    let key = keys.secret(set);
    let outputs = json!({
        "key_id": hex(&key.id().0),
        "small": bits(key.small().bits()),
        "large": bits(key.large().bits()),
    });
    Case::new(json!({ "set": set.name, "secret_key": SECRET_KEY }), outputs)
}

/// `count` bits of which every third is 1.
fn message_bits(count: usize) -> Vec<bool> {
    (0..count).map(|i| i % 3 == 1).collect()
}

fn encryption((set, keys): (&Parameters, &SetKeys)) -> Case {
    let messages = message_bits(12);
    let ciphertexts = keys.secret(set).encrypt(&messages, seed(CIPHERTEXTS));
    let (masks, bodies) = ciphertexts.parts();
    let inputs = json!({
        "set": set.name,
        "secret_key": SECRET_KEY,
        "ciphertexts": CIPHERTEXTS,
        "bits": bits(&messages.iter().map(|&bit| u32::from(bit)).collect::<Vec<_>>()),
    });
    Case::new(inputs, json!({ "mask_seed": hex(&masks.0), "bodies": words(bodies) }))
}

fn packed_encryption((set, keys): (&Parameters, &SetKeys)) -> Case {
    let messages: Vec<Torus32> = (0..10).map(|i| Torus32::from_real(f64::from(i) / 64.0)).collect();
    let row_len = 4;
    let packed = keys
        .secret(set)
        .encrypt_packed(&messages, row_len, seed(PACKED))
        .expect("invariant: a set that switches keys first packs rows of up to N");
    let (masks, bodies) = packed.parts();
    let inputs = json!({
        "set": set.name,
        "secret_key": SECRET_KEY,
        "ciphertexts": PACKED,
        "row_len": row_len,
        "messages": words(&messages),
    });
    Case::new(inputs, json!({ "mask_seed": hex(&masks.0), "bodies": words(bodies) }))
}

/// The digest of some elements.
struct Digest(std::ops::Range<usize>);

impl ReadWords for Digest {
    type Output = Value;

    fn read<T: Torus>(self, words: &[T]) -> Value {
        digest(&words[self.0])
    }
}

/// The first row, that of the body, one in the middle and the last.
fn bootstrap_key_rows(set: &Parameters, keys: &SetKeys) -> Vec<Case> {
    let (size, rows) = (set.polynomial_size, set.tgsw_rows());
    let samples = set.tgsw_samples();
    let row_digest = |number: usize| {
        let range = number * size..(number + 1) * size;
        keys.cloud(set).bootstrap.read(Digest(range))
    };
    let case = |(sample, row)| {
        let inputs = json!({
            "set": set.name,
            "secret_key": SECRET_KEY,
            "cloud_key": CLOUD_KEY,
            "sample": sample,
            "row": row,
        });
        Case::new(inputs, row_digest(sample * rows + row))
    };
    [(0, 0), (0, rows - 1), (1, 1), (samples / 2, 0), (samples / 2, rows - 1), (samples - 1, rows - 1)]
        .map(case)
        .to_vec()
}

/// The first row, one in the middle and the last.
fn key_switch_key_rows(set: &Parameters, keys: &SetKeys) -> Vec<Case> {
    let (size, levels) = (set.lwe_polynomial_size, set.key_switch_gadget.levels() as usize);
    let polynomials = set.large_dimension() / size;
    let case = |(polynomial, level)| {
        let inputs = json!({
            "set": set.name,
            "secret_key": SECRET_KEY,
            "cloud_key": CLOUD_KEY,
            "polynomial": polynomial,
            "level": level,
        });
        let number = polynomial * levels + level;
        Case::new(inputs, digest(&keys.cloud(set).key_switch[number * size..][..size]))
    };
    [(0, 0), (0, levels - 1), (polynomials / 2, 1), (polynomials - 1, levels - 1)].map(case).to_vec()
}

/// A uniform sample, and one whose masks are ties of the decomposition.
fn key_switch(set: &Parameters, keys: &SetKeys, backend: Backend) -> Result<[Case; 2]> {
    let key = KeySwitchKey::expand(keys.cloud(set), backend)?;
    let case = |row: u64, body: Torus32| {
        let masks = mask_seed(6);
        let mut sample = vec![Torus32::default(); set.large_dimension() + 1];
        let (mask, last) = sample.split_at_mut(set.large_dimension());
        masks.fill(Purpose::Ciphertexts, row, mask);
        last[0] = body;
        let switched = key.switch(&[LweCiphertext::from_words(sample)]);
        let inputs = json!({
            "set": set.name,
            "secret_key": SECRET_KEY,
            "cloud_key": CLOUD_KEY,
            "mask_seed": hex(&masks.0),
            "row": row,
            "body": word32(body),
        });
        Case::new(inputs, json!({ "words": words(switched[0].words()) }))
    };
    Ok([case(0, Torus32(0)), case(1, Torus32(0x8000_0001))])
}

/// Every kind of file of every set, but a key with its masks, which is the TFHE library's (vectors/tfhe-lib).
pub(super) fn native_files(keys: &Keys) -> Vector {
    let cases = keys.sets().flat_map(|(set, keys)| files(set, keys)).collect();
    Vector::new("native-files", "docs/formats.md, the native file; with all that it stands on", cases)
}

fn files(set: &Parameters, keys: &SetKeys) -> Vec<Case> {
    let secret = keys.secret(set);
    let bits = secret.encrypt(&message_bits(40), seed(CIPHERTEXTS));
    let ciphertexts =
        |kind| json!({ "set": set.name, "kind": kind, "secret_key": SECRET_KEY, "ciphertexts": CIPHERTEXTS });
    let list = CiphertextList::new(set, secret.id(), bits.expand()).expect("invariant: of this key");
    let mut cases = vec![
        file(json!({ "set": set.name, "kind": "secret key", "secret_key": SECRET_KEY }), secret),
        file(
            json!({ "set": set.name, "kind": "cloud key", "secret_key": SECRET_KEY, "cloud_key": CLOUD_KEY }),
            keys.cloud(set),
        ),
        file(ciphertexts("seeded ciphertexts"), &bits),
        file(ciphertexts("ciphertext list"), &list),
    ];
    if set.order == Order::KeySwitchFirst {
        let messages: Vec<Torus32> = (0..100).map(|i| Torus32::from_real(f64::from(i) / 256.0)).collect();
        let packed = secret
            .encrypt_packed(&messages, 64, seed(PACKED))
            .expect("invariant: a set that switches keys first packs rows of up to N");
        cases.push(file(
            json!({
                "set": set.name,
                "kind": "packed ciphertext",
                "secret_key": SECRET_KEY,
                "ciphertexts": PACKED,
            }),
            &packed,
        ));
    }
    cases
}

fn file<C: FileContent>(inputs: Value, content: &C) -> Case {
    let bytes = to_bytes(content, NO_CONTEXT).expect("invariant: of a named set");
    Case::new(inputs, json!({ "bytes": bytes.len(), "sha256": sum(&bytes) }))
}
