//! What our writer makes in the TFHE library's form, from fixed seeds: `vectors/tfhe-lib/written.json` has the sums.
//!
//! `PRINT_VECTORS=1 cargo test --release -p tfhe-core --test integration library_files -- --nocapture` prints them anew.

use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tfhe_core::ciphertext::CiphertextList;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::{Parameters, TFHE_LIB_V1_0_1, TFHE_LIB_V1_1};
use tfhe_core::serial::tfhe_lib::{CloudKeySet, SecretKeySet, ciphertexts_to_bytes};
use tfhe_core::serial::{NO_CONTEXT, to_bytes};

use crate::support::seed;

fn files(set: &Parameters) -> Value {
    let sum = |bytes: &[u8]| {
        let sum: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "bytes": bytes.len(), "sha256": sum })
    };
    let secret = SecretKey::generate(set, seed(1));
    let cloud = CloudKey::generate(&secret, seed(2)).unwrap();
    let bits: Vec<bool> = (0..40).map(|i| i % 3 == 1).collect();
    let multiples = SecretKeySet::new(&secret, &cloud).unwrap();
    let fresh = SecretKeySet::with_fresh_samples(&secret, &cloud, seed(5)).unwrap();
    let key = CloudKeySet::new(&cloud).unwrap().into_cloud_key();
    let list = CiphertextList::new(set, secret.id(), secret.encrypt(&bits, seed(3)).expand()).unwrap();
    json!({
        "secret key set (seeds 1, 2)": sum(&multiples.to_bytes()),
        "cloud key set (seeds 1, 2)": sum(&multiples.cloud().to_bytes()),
        "cloud key set, fresh samples (seeds 1, 2, 5)": sum(&fresh.cloud().to_bytes()),
        "ciphertexts (seeds 1, 3)": sum(&ciphertexts_to_bytes(&list).unwrap()),
        "native cloud key with masks (seeds 1, 2)": sum(&to_bytes(&key, NO_CONTEXT).unwrap()),
    })
}

#[test]
fn files_in_the_librarys_form_have_the_recorded_bytes() {
    let sets = [&TFHE_LIB_V1_0_1, &TFHE_LIB_V1_1];
    let sets: Map<_, _> = sets.iter().map(|set| (set.name().into(), files(set))).collect();
    let found = Value::Object(sets);
    if std::env::var_os("PRINT_VECTORS").is_some() {
        println!("{found:#}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/tfhe-lib/written.json");
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(found, recorded);
}
