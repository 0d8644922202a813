//! The known-answer vectors of `vectors/native-files.json`: from fixed seeds, the bytes of every kind of file of ours,
//! on every machine. What changes a random stream, the Gaussian sampler, the exact key products, an encryption or a
//! format changes a sum here.
//!
//! `PRINT_VECTORS=1 cargo test --release -p tfhe-core --test vectors -- --nocapture` prints the file anew.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::{Order, Parameters};
use tfhe_core::random::SecretSeed;
use tfhe_core::serial::{FileContent, NO_CONTEXT, to_bytes};
use tfhe_core::torus::{Torus, Torus32};

fn entry<C: FileContent>(content: &C) -> Value {
    let bytes = to_bytes(content, NO_CONTEXT);
    let sum: String = Sha256::digest(&bytes[..]).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "bytes": bytes.len(), "sha256": sum })
}

/// All the files of one set, each from its own seed.
fn files(set: &Parameters) -> Value {
    let seed = SecretSeed::deterministic_for_tests;
    let secret = SecretKey::generate(set, seed(1));
    let bits: Vec<bool> = (0..40).map(|i| i % 3 == 1).collect();
    let mut files = json!({
        "secret key (seed 1)": entry(&secret),
        "cloud key (seed 2)": entry(&CloudKey::generate(&secret, seed(2))),
        "seeded ciphertexts (seed 3)": entry(&secret.encrypt(&bits, seed(3))),
    });
    if set.order == Order::KeySwitchFirst {
        let messages: Vec<Torus32> = (0..100).map(|i| Torus32::from_real(f64::from(i) / 256.0)).collect();
        let packed = secret.encrypt_packed(&messages, 64, seed(4)).unwrap();
        files["packed ciphertext (seed 4)"] = entry(&packed);
    }
    files
}

#[test]
fn files_from_fixed_seeds_have_the_recorded_bytes() {
    let sets: serde_json::Map<_, _> =
        Parameters::ALL.iter().map(|set| (set.name.into(), files(set))).collect();
    let found = Value::Object(sets);
    if std::env::var_os("PRINT_VECTORS").is_some() {
        println!("{found:#}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/native-files.json");
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(found, recorded);
}
