//! Vectors of what is drawn from seeds: streams, masks, secret bits and blocks, Gaussian noise.

use rand_chacha::rand_core::Rng;
use serde_json::{Value, json};

use super::case::{Case, Vector, bits, hex, real, seed_bytes, word64, words, words64};
use crate::parameters::{GATES_BLOCK_BINARY, Parameters};
use crate::random::{self, MaskSeed, Purpose, SecretSeed, StandardDeviation};
use crate::torus::{Torus, Torus32, Torus48, Torus64};

/// Seed numbers: the smallest, one in use everywhere, and one of eight bytes.
const SEEDS: [u64; 3] = [0, 1, 0x0123_4567_89ab_cdef];

pub(super) fn vectors() -> Vec<Vector> {
    vec![
        Vector::new(
            "seeds",
            "deterministic_for_tests: the number in 8 bytes, little-endian, then zeros; public bytes are streams of purpose 3 (mask seed) and 0 (key id); docs/formats.md, Masks",
            SEEDS.map(seed).to_vec(),
        ),
        Vector::new(
            "random-streams",
            "ChaCha20, RFC 8439 section 2.3, with a 64-bit block counter and the 64-bit stream number purpose 2^56 + row; docs/formats.md, Masks",
            STREAMS.map(stream).to_vec(),
        ),
        Vector::new(
            "masks",
            "stream (mask seed, purpose, row) as little-endian words; of 48-bit elements the upper 48 of 64 bits; docs/formats.md, Masks",
            mask_cases(),
        ),
        Vector::new(
            "secret-bits",
            "the lowest bit of each u32 of stream (seed, purpose, 0)",
            [(Purpose::SmallKey, 100), (Purpose::LargeKey, 64)].map(secret_bits).to_vec(),
        ),
        Vector::new(
            "secret-blocks",
            "floor(x (block + 1) / 2^64) of each u64 x is the bit that is set, or none; Lee, Min, Seo, Song, AsiaCCS 2023, section 3",
            [(60, 3), (60, 2), (30, 5)].map(secret_blocks).to_vec(),
        ),
        Vector::new(
            "normal-pairs",
            "sqrt(-2 ln u) (cos 2 pi v, sin 2 pi v), Box and Muller, Annals of Mathematical Statistics 29, 1958; in the fixed point of tfhe-core/src/random/gaussian.rs and vectors/README.md",
            normal_pairs(),
        ),
        Vector::new(
            "standard-deviations",
            "round(2^64 2^log2); docs/parameters.md",
            Parameters::ALL.iter().copied().flat_map(deviations).collect(),
        ),
        Vector::new(
            "noise",
            "floor((g deviation + 2^27) / 2^28) of normal numbers g in units of 2^-28; the two of a pair one after another",
            noise_cases(),
        ),
    ]
}

fn seed(number: u64) -> Case {
    let seed = SecretSeed::deterministic_for_tests(number);
    let outputs = json!({
        "seed": hex(&seed_bytes(number)),
        "mask_seed": hex(&seed.mask_seed().0),
        "key_id": hex(&seed.public_bytes::<16>(Purpose::Identity)),
    });
    Case::new(json!({ "number": number }), outputs)
}

/// Every purpose, and rows to the largest.
const STREAMS: [(u64, Purpose, u64); 8] = [
    (0, Purpose::Identity, 0),
    (1, Purpose::SmallKey, 0),
    (1, Purpose::LargeKey, 0),
    (1, Purpose::PublicSeed, 0),
    (1, Purpose::BootstrapKey, 1),
    (2, Purpose::KeySwitchKey, 0x1234_5678_9abc),
    (2, Purpose::Ciphertexts, 0),
    (0x0123_4567_89ab_cdef, Purpose::Ciphertexts, (1 << 56) - 1),
];

fn stream((number, purpose, row): (u64, Purpose, u64)) -> Case {
    let mut bytes = [0; 96];
    random::stream(&seed_bytes(number), purpose, row).fill_bytes(&mut bytes);
    Case::new(stream_inputs(number, purpose, row), json!({ "bytes": hex(&bytes) }))
}

fn stream_inputs(number: u64, purpose: Purpose, row: u64) -> Value {
    json!({ "seed": hex(&seed_bytes(number)), "purpose": purpose as u8, "row": row })
}

fn mask_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (purpose, row) in
        [(Purpose::BootstrapKey, 0), (Purpose::BootstrapKey, 15_359), (Purpose::Ciphertexts, 39)]
    {
        cases.extend([
            masks::<Torus32>(purpose, row),
            masks::<Torus48>(purpose, row),
            masks::<Torus64>(purpose, row),
        ]);
    }
    cases
}

fn masks<T: Torus>(purpose: Purpose, row: u64) -> Case {
    let seed = SecretSeed::deterministic_for_tests(2).mask_seed();
    let mut elements = [T::default(); 10];
    seed.fill(purpose, row, &mut elements);
    let inputs = json!({
        "mask_seed": hex(&seed.0),
        "purpose": purpose as u8,
        "row": row,
        "width": T::BITS,
        "count": elements.len(),
    });
    Case::new(inputs, json!({ "words": words(&elements) }))
}

fn secret_bits((purpose, count): (Purpose, usize)) -> Case {
    let secret = SecretSeed::deterministic_for_tests(1).secret_bits(purpose, count);
    let inputs = json!({ "seed": hex(&seed_bytes(1)), "purpose": purpose as u8, "count": count });
    Case::new(inputs, json!({ "bits": bits(&secret) }))
}

fn secret_blocks((count, block): (usize, usize)) -> Case {
    let secret = SecretSeed::deterministic_for_tests(1).secret_blocks(Purpose::SmallKey, count, block);
    let inputs = json!({
        "seed": hex(&seed_bytes(1)),
        "purpose": Purpose::SmallKey as u8,
        "count": count,
        "block": block,
    });
    Case::new(inputs, json!({ "bits": bits(&secret) }))
}

/// The ends of both intervals, the borders of the quarter turns, and pairs of a stream.
fn normal_pairs() -> Vec<Case> {
    let ends = [0, 1, 2, 1 << 63, (1 << 63) - 1, u64::MAX];
    let angles = [0, 1, (1 << 62) - 1, 1 << 62, 1 << 63, 3 << 62, u64::MAX];
    let mut pairs: Vec<(u64, u64)> = ends.iter().map(|&u| (u, 1 << 61)).collect();
    pairs.extend(angles.map(|v| (1 << 60, v)));
    let mut rng = random::stream(&seed_bytes(3), Purpose::Ciphertexts, 0);
    pairs.extend((0..32).map(|_| (rng.next_u64(), rng.next_u64())));
    let case = |(u, v)| {
        let (x, y) = random::normal_pair(u, v);
        Case::new(json!({ "u": word64(u), "v": word64(v) }), json!({ "pair": [x, y] }))
    };
    pairs.into_iter().map(case).collect()
}

fn deviations(set: &Parameters) -> [Case; 3] {
    let fresh = if set.fresh_noise() == set.lwe_noise() {
        set.lwe_noise_log2
    } else {
        set.tlwe_noise_log2.max(-30.0)
    };
    let of = [
        ("lwe", set.lwe_noise_log2, set.lwe_noise()),
        ("tlwe", set.tlwe_noise_log2, set.tlwe_noise()),
        ("fresh", fresh, set.fresh_noise()),
    ];
    of.map(|(of, log2, deviation)| {
        let inputs = json!({ "set": set.name, "of": of, "log2": real(log2) });
        Case::new(inputs, json!({ "deviation": word64(deviation.to_bits64()) }))
    })
}

/// None, one unit, those of a set, and the largest.
fn noise_cases() -> Vec<Case> {
    let deviations = [
        StandardDeviation::ZERO,
        StandardDeviation::from_real(libm::exp2(-64.0)),
        GATES_BLOCK_BINARY.lwe_noise(),
        GATES_BLOCK_BINARY.tlwe_noise(),
        GATES_BLOCK_BINARY.fresh_noise(),
        StandardDeviation::from_real(0.499),
    ];
    let case = |(row, deviation): (usize, StandardDeviation)| {
        let count = 7;
        let mut noise = SecretSeed::deterministic_for_tests(3).noise(Purpose::Ciphertexts, row as u64);
        let drawn: Vec<u64> = (0..count).map(|_| noise.next(deviation)).collect();
        let mut inputs = stream_inputs(3, Purpose::Ciphertexts, row as u64);
        inputs["deviation"] = word64(deviation.to_bits64()).into();
        inputs["count"] = count.into();
        Case::new(inputs, json!({ "words": words64(&drawn) }))
    };
    deviations.into_iter().enumerate().map(case).collect()
}

/// The seed that masks of vectors come from.
pub(super) fn mask_seed(number: u64) -> MaskSeed {
    SecretSeed::deterministic_for_tests(number).mask_seed()
}
