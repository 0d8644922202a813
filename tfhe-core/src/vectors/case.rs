//! A vector, its cases, and the notation of their values; `vectors/README.md` has it for readers in other languages.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::random::SEED_BYTES;
use crate::torus::{Torus, Torus32};

/// One step, with its rule and some cases of it.
#[derive(Clone, Debug)]
pub struct Vector {
    pub(super) name: String,
    pub(super) definition: String,
    pub(super) cases: Vec<Case>,
}

impl Vector {
    /// `definition` is the rule that the outputs follow, and where it is from.
    pub fn new(name: impl Into<String>, definition: impl Into<String>, cases: Vec<Case>) -> Self {
        Self { name: name.into(), definition: definition.into(), cases }
    }
}

/// Inputs, and what a step makes of them.
#[derive(Clone, Debug)]
pub struct Case {
    pub(super) inputs: Value,
    /// Compared exactly.
    pub(super) outputs: Map<String, Value>,
    /// Compared within a tolerance.
    pub(super) approximate: Vec<Approximate>,
}

impl Case {
    /// A case whose outputs are exact; both are JSON objects.
    ///
    /// # Panics
    /// If `outputs` is no object.
    pub fn new(inputs: Value, outputs: Value) -> Self {
        let Value::Object(outputs) = outputs else { panic!("the outputs of a vector are an object") };
        Self { inputs, outputs, approximate: Vec::new() }
    }

    /// With an output that is compared within a tolerance.
    pub(super) fn with(mut self, output: Approximate) -> Self {
        self.approximate.push(output);
        self
    }
}

/// An output that comes out of a transform: torus elements of 64 bits.
#[derive(Clone, Debug)]
pub(super) struct Approximate {
    pub(super) name: String,
    pub(super) words: Vec<u64>,
    /// The largest distance, in units of 2^-64.
    pub(super) tolerance: u64,
    pub(super) measure: Measure,
    pub(super) place: Place,
}

/// What the distance of two outputs is.
#[derive(Clone, Debug)]
pub(super) enum Measure {
    /// The largest of two words.
    Words,
    /// That of the phases of two LWE samples, under the key of these bits.
    Phase(Vec<u32>),
}

impl Measure {
    /// The distance on the torus, in units of 2^-64, of outputs of one length.
    pub(super) fn distance(&self, x: &[u64], y: &[u64]) -> u64 {
        let difference = |(x, y): (&u64, &u64)| x.wrapping_sub(*y);
        match self {
            Self::Words => {
                x.iter().zip(y).map(|pair| (difference(pair) as i64).unsigned_abs()).max().unwrap_or_default()
            }
            Self::Phase(key) => {
                let mut phase = x.last().zip(y.last()).map(difference).unwrap_or_default();
                for (pair, &bit) in x.iter().zip(y).zip(key) {
                    phase = phase.wrapping_sub(difference(pair).wrapping_mul(bit.into()));
                }
                (phase as i64).unsigned_abs()
            }
        }
    }
}

/// Where an output is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the JSON file.
    Inline,
    /// In the binary file beside it.
    Binary,
}

/// Bytes as vectors write them: two hexadecimal digits each.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 sum of bytes, as vectors write it.
pub fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// An integer of 64 bits, or a torus element of 48 or 64.
pub(super) fn word64(word: u64) -> String {
    format!("{word:016x}")
}

/// Torus elements.
pub(super) fn words<T: Torus>(words: &[T]) -> String {
    let digits = 2 * size_of::<T>();
    let word = |x: &T| format!("{:0digits$x}", x.to_bits64() >> (64 - 4 * digits));
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Torus elements of 64 bits, or integers.
pub(super) fn words64(words: &[u64]) -> String {
    words.iter().map(|&x| word64(x)).collect::<Vec<_>>().join(" ")
}

/// A torus element of 32 bits.
pub(super) fn word32(word: Torus32) -> String {
    words(&[word])
}

/// A double, exactly.
pub(super) fn real(x: f64) -> String {
    format!("{x:?}")
}

/// Secret bits, of public seeds.
pub(super) fn bits(bits: &[u32]) -> String {
    bits.iter().map(|bit| if *bit == 0 { '0' } else { '1' }).collect()
}

/// The first four words, and the sum of all.
pub(super) fn digest<T: Torus>(all: &[T]) -> Value {
    let bytes: &[u8] = bytemuck::cast_slice(all);
    json!({ "first": words(&all[..all.len().min(4)]), "sha256": sum(bytes) })
}

/// The 32 bytes that [`SecretSeed::deterministic_for_tests`](crate::random::SecretSeed::deterministic_for_tests) makes of a
/// number.
pub(super) fn seed_bytes(number: u64) -> [u8; SEED_BYTES] {
    let mut seed = [0; SEED_BYTES];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}
