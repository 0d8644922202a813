//! The client, which has a specification and a key, and no model.

use std::sync::Arc;

use bnn::{
    Error,
    client::{Client, ClientSpecification, EncryptedScores, SpecificationFault},
    engine::{self, Engine, client_specification, functional},
    model::Model,
};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tfhe_core::{
    Blame,
    ciphertext::CiphertextList,
    control::Control,
    keys::SecretKey,
    parameters::{FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_BLOCK_BINARY, GATES_DEFAULT, TFHE_LIB_V1_1},
    random::SecretSeed,
    serial,
};

use crate::{
    shipped,
    toy::{Open, colours, picture, toy},
};

const SHIPPED: [&str; 5] = ["binarized-cnn", "binarized-perceptron", "hybrid-cnn", "perceptron", "sign-cnn"];

fn seed(number: u64) -> SecretSeed {
    SecretSeed::deterministic_for_tests(number)
}

fn specification(model: &Arc<Model>) -> ClientSpecification {
    client_specification(model).unwrap()
}

fn fault(bytes: &[u8]) -> SpecificationFault {
    let error = ClientSpecification::from_bytes(bytes).unwrap_err();
    assert_eq!(error.blame(), Blame::Peer);
    assert!(!error.to_string().contains(char::is_control), "{error}");
    match error {
        Error::Specification(fault) => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn specifications_survive_their_bytes() {
    for name in SHIPPED {
        let model = shipped::model(name);
        let specification = specification(&model);
        let bytes = specification.to_bytes();
        println!("{name}: {} bytes", bytes.len());
        assert!(bytes.len() < 20_000);
        let read = ClientSpecification::from_bytes(&bytes).unwrap();
        assert_eq!(read, specification);
        assert_eq!((read.model_name(), read.model_digest()), (name, model.digest()));
        assert_eq!(read.input(), model.input());
        let labels: Vec<String> = (0..10).map(|label| label.to_string()).collect();
        assert_eq!(read.labels(), labels);
        let cheapest = Engine::Functional.parameters(Some(&model)).unwrap();
        assert_eq!(read.parameter_sets(Engine::Functional)[0], cheapest);
        assert_eq!(read.parameter_sets(Engine::Gates)[0], &GATES_DEFAULT);
    }
}

/// Channels make a specification of version 2. That of one channel stays what it was.
#[test]
fn channels_survive_the_bytes_of_a_specification() {
    let specification = specification(&colours().open().unwrap());
    let bytes = specification.to_bytes();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(
        text.contains("\"version\":2") && text.contains("\"height\":2,\"channels\":3,\"pixels\""),
        "{text}"
    );
    let read = ClientSpecification::from_bytes(&bytes).unwrap();
    assert_eq!((read.input().channels(), read.input().value_count()), (3, 12));
    assert_eq!(read, specification);
    assert_eq!(read.to_bytes(), bytes);

    let grey = String::from_utf8(self::specification(&toy().open().unwrap()).to_bytes()).unwrap();
    assert!(grey.contains("\"version\":1") && !grey.contains("channels"), "{grey}");
}

/// The bytes of an encrypted picture from fixed seeds, which no change of code may change.
#[test]
fn a_fixed_seed_gives_the_recorded_bytes() {
    let mut sums = Vec::new();
    for (name, set) in [
        ("binarized-perceptron", &FUNCTIONAL_1024),
        ("binarized-cnn", &FUNCTIONAL_1024),
        ("sign-cnn", &GATES_DEFAULT),
    ] {
        let specification = Arc::new(specification(&shipped::model(name)));
        let client = Client::new(specification, Arc::new(SecretKey::generate(set, seed(1)))).unwrap();
        let encoded = client.encode(&shipped::digit(7)).unwrap();
        let bytes = client.encrypt(&encoded, seed(2)).unwrap().to_bytes().unwrap();
        let sum: String = Sha256::digest(&bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        sums.push(sum);
    }
    assert_eq!(sums, RECORDED);
}

/// The first bytes of their SHA-256, in hexadecimal digits. A change of a model, whose digest and units are in them, changes its own.
const RECORDED: [&str; 3] = ["2f7fa85a6739f7bb", "fb56af9dabc1de19", "f5441abcec115b95"];

/// Scores of made-up ciphertexts are decrypted where their number is that of the model, by a client of any set.
#[test]
fn scores_of_another_number_are_refused() {
    let model = shipped::model("binarized-cnn");
    let specification = Arc::new(specification(&model));
    for set in [&FUNCTIONAL_1024, &FUNCTIONAL_2048, &GATES_DEFAULT, &TFHE_LIB_V1_1] {
        let key = Arc::new(SecretKey::generate(set, seed(1)));
        let client = Client::new(Arc::clone(&specification), Arc::clone(&key)).unwrap();
        let ciphertexts = key.encrypt(&[true; 700], seed(3)).expand();
        let decrypt = |count: usize| {
            let list = CiphertextList::new(set, key.id(), ciphertexts[..count].to_vec()).unwrap();
            let bytes = serial::to_bytes(&list, model.digest()).unwrap();
            client.decrypt(&EncryptedScores::from_bytes(&bytes).unwrap())
        };
        let parts = match client.engine() {
            Engine::Functional => {
                let plan = functional::Plan::new(Arc::clone(&model), set).unwrap();
                Some((plan.scores_bytes() - 136) / (8 + 4 * (set.wire_dimension() + 1)))
            }
            Engine::Gates => None,
        };
        for count in [0, 1, 9, 10, 11, 63, 630, 640].into_iter().chain(parts) {
            let fits = match parts {
                Some(parts) => count == parts,
                None => count > 0 && count % 10 == 0 && count / 10 <= 63,
            };
            match decrypt(count) {
                Ok(scores) => assert!(fits && scores.integers().len() == 10, "{count}"),
                Err(error) => assert!(!fits && matches!(error, Error::ScoreCount { .. }), "{count}: {error}"),
            }
        }
    }
}

#[test]
fn what_belongs_to_others_is_refused() {
    let (model, other) = (shipped::model("perceptron"), shipped::model("binarized-perceptron"));
    let client =
        |model: &Arc<Model>, key: SecretKey| Client::new(Arc::new(specification(model)), Arc::new(key));
    let key = SecretKey::generate(&GATES_DEFAULT, seed(1));
    let bits = key.encrypt(&[true; 40], seed(2)).expand();
    let list = CiphertextList::new(key.parameters(), key.id(), bits).unwrap();
    let of = |model: &Model| {
        EncryptedScores::from_bytes(&serial::to_bytes(&list, model.digest()).unwrap()).unwrap()
    };
    let holder = client(&model, key).unwrap();
    assert!(holder.decrypt(&of(&model)).is_ok());
    let error = holder.decrypt(&of(&other)).unwrap_err();
    assert!(matches!(error, Error::OtherModel { .. }), "{error}");
    assert_eq!(error.blame(), Blame::Peer);

    let stranger = client(&model, SecretKey::generate(&GATES_DEFAULT, seed(3))).unwrap();
    let error = stranger.decrypt(&of(&model)).unwrap_err();
    assert!(matches!(error, Error::Crypto(tfhe_core::Error::OtherKey { .. })), "{error}");
    let functional = client(&model, SecretKey::generate(&FUNCTIONAL_1024, seed(4))).unwrap();
    assert!(matches!(functional.decrypt(&of(&model)), Err(Error::OtherParameters { .. })));
    let neither = client(&model, SecretKey::generate(&GATES_BLOCK_BINARY, seed(5)));
    assert!(matches!(neither, Err(Error::OtherParameters { .. })));

    let toy = toy().open().unwrap();
    let encoded = toy.input().encode(&picture(2, 2, &[true, false, false, true])).unwrap();
    let error = holder.encrypt(&encoded, seed(6)).unwrap_err();
    assert!(matches!(error, Error::Encoding(_)), "{error}");
    assert_eq!(error.blame(), Blame::Caller);
}

#[test]
fn every_truncation_and_every_flipped_bit_is_refused_or_changes_nothing() {
    let honest = specification(&toy().open().unwrap());
    let bytes = honest.to_bytes();
    for length in 0..bytes.len() - 1 {
        fault(&bytes[..length]);
    }
    assert_eq!(ClientSpecification::from_bytes(&bytes[..bytes.len() - 1]).unwrap(), honest);
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match ClientSpecification::from_bytes(&flipped) {
            Ok(read) => assert_eq!(read, honest, "bit {bit}"),
            Err(error) => assert!(!error.to_string().contains(char::is_control), "bit {bit}: {error}"),
        }
    }
}

/// A specification whose JSON was changed, with the checksum made right again.
fn resealed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&specification(&toy().open().unwrap()).to_bytes()).unwrap();
    change(&mut json);
    seal(json)
}

/// The order of keys is that of the format, which `serde_json` does not keep.
fn seal(json: Value) -> Vec<u8> {
    let keys = ["format", "version", "model", "input", "labels", "fraction_bits", "engines", "checksum"];
    let text = |json: &Value| {
        let mut entries: Vec<String> = Vec::new();
        let object = json.as_object().unwrap();
        let known = keys.iter().filter_map(|&key| Some((key, object.get(key)?)));
        let others = object.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
        for (key, value) in known.chain(others.map(|(key, value)| (key.as_str(), value))) {
            entries.push(format!("{}:{}", Value::from(key), ordered(value)));
        }
        format!("{{{}}}", entries.join(","))
    };
    let mut json = json;
    json["checksum"] = "".into();
    let sum: String = Sha256::digest(text(&json)).iter().map(|byte| format!("{byte:02x}")).collect();
    json["checksum"] = sum.into();
    text(&json).into_bytes()
}

/// Compact JSON with the keys of entries in the order of the format.
fn ordered(value: &Value) -> String {
    const KEYS: [&str; 22] = [
        "name",
        "digest",
        "width",
        "height",
        "channels",
        "pixels",
        "encoding",
        "threshold",
        "max_active",
        "engine",
        "parameters",
        "unit",
        "row_len",
        "score_unit",
        "parts",
        "biases",
        "shift",
        "rectified",
        "scores",
        "class",
        "factor",
        "centre_halves",
    ];
    match value {
        Value::Array(values) => format!("[{}]", values.iter().map(ordered).collect::<Vec<_>>().join(",")),
        Value::Object(object) => {
            let place = |key: &str| KEYS.iter().position(|&known| known == key).unwrap_or(KEYS.len());
            let mut entries: Vec<(&String, &Value)> = object.iter().collect();
            entries.sort_by_key(|(key, _)| place(key));
            let entry =
                |(key, value): (&String, &Value)| format!("{}:{}", Value::from(key.as_str()), ordered(value));
            format!("{{{}}}", entries.into_iter().map(entry).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[test]
fn a_resealed_specification_is_read() {
    let honest = specification(&toy().open().unwrap());
    assert_eq!(ClientSpecification::from_bytes(&resealed(|_| ())).unwrap(), honest);
    // White space is free.
    let json: Value = serde_json::from_slice(&honest.to_bytes()).unwrap();
    let text = honest.to_bytes();
    let spaced = String::from_utf8(text).unwrap().replace("\"model\":{", "\"model\" :\n\t{ ");
    assert_eq!(ClientSpecification::from_bytes(spaced.as_bytes()).unwrap(), honest);
    assert_eq!(json["format"], "bnn-client-specification");
}

#[test]
fn other_formats_and_versions_are_refused_by_name() {
    let other = |key: &'static str, value: Value| fault(&resealed(move |json| json[key] = value));
    assert_eq!(
        other("version", 3.into()).to_string(),
        "a client specification of version 3, this program reads versions up to 2"
    );
    assert_eq!(
        other("format", "bnn-model\u{1b}".into()).to_string(),
        "`format` is \"bnn-model\\u{1b}\", expected \"bnn-client-specification\""
    );
    // A newer version is told before the keys that it may have added.
    let newer = resealed(|json| {
        json["version"] = 7.into();
        json["new"] = 1.into();
    });
    assert_eq!(fault(&newer), SpecificationFault::Version { found: 7, supported: 2 });
    let bytes = specification(&toy().open().unwrap()).to_bytes();
    let text = String::from_utf8(bytes).unwrap().replace("\"height\":2", "\"height\":3");
    assert_eq!(fault(text.as_bytes()), SpecificationFault::Checksum);
    let huge = vec![b' '; ClientSpecification::MOST_BYTES + 1];
    assert_eq!(fault(&huge), SpecificationFault::TooLarge { limit: ClientSpecification::MOST_BYTES });
}

/// With the checksum made right again, as a hostile server would.
#[test]
fn numbers_that_cannot_be_are_refused() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 51] = [
        ("unknown field `new`", |json| json["new"] = 1.into()),
        ("missing field `labels`", |json| drop(json.as_object_mut().unwrap().remove("labels"))),
        ("unknown field `weights`", |json| json["model"]["weights"] = 1.into()),
        ("unknown variant `cnn`", |json| json["engines"][0]["engine"] = "cnn".into()),
        ("unknown variant `sign`", |json| json["input"]["pixels"]["encoding"] = "sign".into()),
        ("unknown field `window`", |json| json["input"]["pixels"]["window"] = 3.into()),
        ("`name` must be one line", |json| json["model"]["name"] = "a\nb".into()),
        ("`name` must be one line", |json| json["model"]["name"] = "".into()),
        ("64 hexadecimal digits", |json| json["model"]["digest"] = "00".into()),
        ("64 hexadecimal digits", |json| json["model"]["digest"] = "AB".repeat(32).into()),
        ("`width` is 0, expected 1 to 65536", |json| json["input"]["width"] = 0.into()),
        ("`height` is 65537", |json| json["input"]["height"] = 65537.into()),
        ("`width * height` is 131072", |json| json["input"]["width"] = 65536.into()),
        ("`channels` must be 2 to 16 in version 2", |json| json["version"] = 2.into()),
        ("and is no key of version 1", |json| json["input"]["channels"] = 1.into()),
        ("and is no key of version 1", |json| json["input"]["channels"] = 3.into()),
        ("`channels` must be 2 to 16 in version 2", |json| {
            json["version"] = 2.into();
            json["input"]["channels"] = 17.into();
        }),
        ("\"threshold\" of 1 channel only", |json| {
            json["version"] = 2.into();
            json["input"]["channels"] = 3.into();
        }),
        ("`max_active` is 5, expected 1 to 4", |json| json["input"]["pixels"]["max_active"] = 5.into()),
        ("`threshold`: 256", |_| ()),
        ("`labels` is 0", |json| json["labels"] = Value::Array(vec![])),
        ("`labels` must be one line", |json| json["labels"][1] = "\u{1b}[2J".into()),
        ("at most 256 characters", |json| json["labels"][1] = "L".repeat(257).into()),
        ("at most 256 characters", |json| json["model"]["name"] = "\u{202e}".into()),
        ("`fraction_bits` is 31", |json| json["fraction_bits"] = 31.into()),
        ("`engines` is 0", |json| json["engines"] = Value::Array(vec![])),
        ("`engines` is 6", |json| {
            let entry = json["engines"][0].clone();
            json["engines"].as_array_mut().unwrap().push(entry);
        }),
        ("\"FUNCTIONAL_1024\" is no parameter set of the functional engine, or comes twice", |json| {
            json["engines"][1]["parameters"] = "FUNCTIONAL_1024".into();
        }),
        ("\"GATES_DEFAULT\" is no parameter set of the functional engine", |json| {
            json["engines"][0]["parameters"] = "GATES_DEFAULT".into();
        }),
        ("\"GATES_BLOCK_BINARY\" is no parameter set of the gates engine", |json| {
            json["engines"][2]["parameters"] = "GATES_BLOCK_BINARY".into();
        }),
        ("`unit` is 0, expected 1 to 140737488355328", |json| json["engines"][0]["unit"] = 0.into()),
        ("`unit` is 140737488355329", |json| json["engines"][0]["unit"] = 140_737_488_355_329_u64.into()),
        ("invalid value", |json| json["engines"][0]["unit"] = (-1).into()),
        ("invalid type", |json| json["engines"][0]["unit"] = 0.5.into()),
        ("`score_unit` is 0", |json| json["engines"][0]["score_unit"] = 0.into()),
        ("`row_len` is not that of the input", |json| json["engines"][0]["row_len"] = 3.into()),
        ("`row_len` is not that of the input", |json| json["engines"][0]["row_len"] = 0.into()),
        ("`shift` is 31", |json| json["engines"][0]["shift"] = 31.into()),
        ("a bias for each label", |json| drop(json["engines"][0]["biases"].as_array_mut().unwrap().pop())),
        ("invalid value", |json| json["engines"][0]["biases"][0] = 2_147_483_648_u64.into()),
        ("1 to 8 parts for each label", |json| json["engines"][0]["parts"] = Value::Array(vec![])),
        ("1 to 8 parts for each label", |json| {
            let part = json["engines"][0]["parts"][0].clone();
            json["engines"][0]["parts"].as_array_mut().unwrap().extend(vec![part; 8]);
        }),
        ("`class` is 3, expected 0 to 2", |json| json["engines"][0]["parts"][0]["class"] = 3.into()),
        ("`factor` is 0", |json| json["engines"][0]["parts"][0]["factor"] = 0.into()),
        ("`factor` is -1", |json| json["engines"][0]["parts"][0]["factor"] = (-1).into()),
        ("`factor` is 2147483649", |json| {
            json["engines"][0]["parts"][0]["factor"] = 2_147_483_649_u64.into();
        }),
        ("`centre_halves` is", |json| {
            json["engines"][0]["parts"][0]["centre_halves"] = i64::MIN.into();
        }),
        ("add up beyond", |json| {
            json["engines"][0]["parts"][0]["centre_halves"] = (1_u64 << 40).into();
            json["engines"][0]["parts"][0]["factor"] = (1_u64 << 31).into();
        }),
        ("a score for each label", |json| json["engines"][2]["scores"] = 4.into()),
        ("a score for each label", |json| json["engines"][2]["scores"] = 0.into()),
        ("a bias for each label", |json| json["labels"].as_array_mut().unwrap().push("more".into())),
    ];
    for (expected, change) in cases {
        if expected == "`threshold`: 256" {
            let refused = fault(&resealed(|json| json["input"]["pixels"]["threshold"] = 256.into()));
            assert!(matches!(refused, SpecificationFault::Json { .. }), "{refused}");
            continue;
        }
        let refused = fault(&resealed(change)).to_string();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
}

/// Whatever the numbers within the limits are, a client does its work without a panic.
#[test]
fn extreme_numbers_do_no_harm() {
    let bytes = resealed(|json| {
        json["fraction_bits"] = 30.into();
        let entry = &mut json["engines"][0];
        (entry["unit"], entry["score_unit"], entry["shift"]) = ((1_u64 << 47).into(), 1.into(), 30.into());
        entry["biases"] = vec![i32::MIN, i32::MAX, -1].into();
        for part in entry["parts"].as_array_mut().unwrap() {
            part["factor"] = (1_u64 << 31).into();
            part["centre_halves"] = (1_u64 << 26).into();
        }
    });
    let specification = Arc::new(ClientSpecification::from_bytes(&bytes).unwrap());
    let key = Arc::new(SecretKey::generate(&FUNCTIONAL_1024, seed(1)));
    let digest = specification.model_digest();
    let client = Client::new(specification, Arc::clone(&key)).unwrap();
    let encoded = client.encode(&picture(2, 2, &[true, false, true, false])).unwrap();
    client.encrypt(&encoded, seed(2)).unwrap();
    for count in 3..=24 {
        let list = key.encrypt(&vec![count % 2 == 0; count], seed(3)).expand();
        let list = CiphertextList::new(key.parameters(), key.id(), list).unwrap();
        let scores = EncryptedScores::from_bytes(&serial::to_bytes(&list, digest).unwrap()).unwrap();
        if let Ok(scores) = client.decrypt(&scores) {
            assert_eq!(scores.reals().len(), 3);
        }
    }
}

/// A model whose last layer has a row of zeros: its score is the bias.
#[test]
fn a_class_without_weights_has_its_bias_for_a_score() {
    let mut folder = toy();
    folder.tensors[2] = crate::toy::Tensor::matrix("scores.weights", 2, &[3, -5, 0, 0, 0, 1]);
    let model = folder.open().unwrap();
    let bytes = specification(&model).to_bytes();
    assert!(ClientSpecification::from_bytes(&bytes).is_ok());
    let encoded = model.input().encode(&picture(2, 2, &[true, false, false, true])).unwrap();
    let plan = functional::Plan::new(Arc::clone(&model), &FUNCTIONAL_1024).unwrap();
    let oracle = engine::evaluate(&model, &encoded).unwrap();
    assert_eq!(plan.simulate(&encoded, 1, 1, &Control::default()).unwrap(), [oracle]);
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index) {
        fault(&bytes);
        // Any bytes at any place: an error, or what was there.
        let honest = specification(&toy().open().unwrap());
        let mut damaged = honest.to_bytes();
        let start = at.index(damaged.len());
        damaged.splice(start..damaged.len().min(start + bytes.len()), bytes);
        match ClientSpecification::from_bytes(&damaged) {
            Ok(read) => prop_assert_eq!(read, honest),
            Err(error) => prop_assert!(!error.to_string().contains(char::is_control), "{}", error),
        }
    }
}
