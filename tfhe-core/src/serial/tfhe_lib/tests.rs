//! The library's own files, ours in its form, and what is no such file.
//!
//! `vectors/tfhe-lib` has files that the library made, whole key sets among them.

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::cloud_key::CloudKeySet;
use super::parameter_set::{OTHER, ParameterSet};
use super::secret_key::SecretKeySet;
use super::source::Source;
use super::{CiphertextOrigin, Form, KeySet, START_BYTES, ciphertexts_to_bytes, read_ciphertexts, recognise};
use crate::backend::choice::Backend;
use crate::ciphertext::list::CiphertextList;
use crate::ciphertext::wire::Ciphertext;
use crate::error::{Error, Result};
use crate::evaluator::Evaluator;
use crate::gate::{BinaryGate, Gate};
use crate::key_id::KeyId;
use crate::keys::cloud::CloudKey;
use crate::keys::masks::Masks;
use crate::keys::secret::SecretKey;
use crate::parameters::set::Parameters;
use crate::parameters::{GATES_DEFAULT, TFHE_LIB_V1_0_1, TFHE_LIB_V1_1};
use crate::random::SecretSeed;
use crate::sample::lwe::{Large, LweCiphertext, LweSecretKey};
use crate::sample::tlwe::TlweCiphertext;
use crate::serial::{self, FileFault, NO_CONTEXT};
use crate::torus::{Torus, Torus32};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/tfhe-lib");

fn seed(number: u64) -> SecretSeed {
    SecretSeed::deterministic_for_tests(number)
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(format!("{VECTORS}/{name}")).unwrap()
}

/// The library's cloud key set: with it the file of the secret key set begins, and ends with two numbers of types and
/// 16 + 1024 bits.
fn cloud_key_set() -> Vec<u8> {
    let mut bytes = vector("secret.key");
    bytes.truncate(bytes.len() - 2 * 4 - 4 * (16 + 1024));
    bytes
}

fn source(bytes: &[u8]) -> Source<&[u8]> {
    Source::new(bytes)
}

fn read(bytes: &[u8]) -> Result<KeySet> {
    KeySet::read(bytes)
}

/// What is wrong with a file.
#[track_caller]
fn fault<T: std::fmt::Debug>(read: Result<T>) -> FileFault {
    match read.unwrap_err() {
        Error::BadFile { fault } => fault,
        error => panic!("{error}"),
    }
}

/// The keys that made the vectors, from their stand-alone files: text, type, bits. Their noise is that of the
/// library's set: 2^-30.
fn library_key() -> SecretKey {
    let set = ParameterSet::read(&vector("params.txt")[..]).unwrap();
    let parameters = set.parameters(2f64.powi(-60), 2f64.powi(-60)).unwrap();
    let bits = |name, sections: &[&str], uid, count| {
        let bytes = vector(name);
        let text: usize = sections.iter().map(|title| section_len(&vector("params.txt"), title)).sum();
        let mut source = source(&bytes[text..]);
        source.uid(uid, name).unwrap();
        let bits = source.secret_bits(count).unwrap();
        source.finish().unwrap();
        bits.to_vec()
    };
    let small = bits("lwe.key", &["LWEPARAMS"], 43, 16);
    let large = bits("tgsw.key", &["TLWEPARAMS", "TGSWPARAMS"], 169, 1024);
    SecretKey::from_bits(&parameters, KeyId([7; 16]), small, large)
}

/// Bytes of a section in the text of a parameter set.
fn section_len(text: &[u8], title: &str) -> usize {
    let text = std::str::from_utf8(text).unwrap();
    let end = format!("-----END {title}-----\n");
    text.find(&end).unwrap() + end.len() - text.find(&format!("-----BEGIN {title}-----")).unwrap()
}

fn library_ciphertexts(key: &SecretKey, name: &str) -> Vec<Ciphertext> {
    let bytes = vector(name);
    let list = read_ciphertexts(&bytes[..], key.parameters(), key.id(), CiphertextOrigin::Gate);
    list.unwrap().ciphertexts().to_vec()
}

/// The file of ciphertexts of a key.
fn written(key: &SecretKey, ciphertexts: Vec<Ciphertext>) -> Vec<u8> {
    let list = CiphertextList::new(key.parameters(), key.id(), ciphertexts).unwrap();
    ciphertexts_to_bytes(&list).unwrap()
}

/// A line of `gates.txt`.
struct Record {
    gate: String,
    number: usize,
    inputs: Vec<usize>,
    expected: bool,
    phase: i32,
}

fn records() -> Vec<Record> {
    let text = String::from_utf8(vector("gates.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let record = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        Record {
            gate: fields[0].into(),
            number: fields[1].parse().unwrap(),
            inputs: fields[2..5].iter().filter_map(|field| field.parse().ok()).collect(),
            expected: fields[8] == "1",
            phase: fields[9].parse().unwrap(),
        }
    };
    lines.map(record).collect()
}

fn bits() -> Vec<bool> {
    let text = String::from_utf8(vector("bits.txt")).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.ends_with('1')).collect()
}

fn gate(record: &Record) -> Gate {
    match (record.gate.as_str(), &record.inputs[..]) {
        ("NAND", &[a, b]) => Gate::Binary(BinaryGate::Nand, a, b),
        ("AND", &[a, b]) => Gate::Binary(BinaryGate::And, a, b),
        ("OR", &[a, b]) => Gate::Binary(BinaryGate::Or, a, b),
        ("NOR", &[a, b]) => Gate::Binary(BinaryGate::Nor, a, b),
        ("XOR", &[a, b]) => Gate::Binary(BinaryGate::Xor, a, b),
        ("XNOR", &[a, b]) => Gate::Binary(BinaryGate::Xnor, a, b),
        ("ANDNY", &[a, b]) => Gate::Binary(BinaryGate::AndNY, a, b),
        ("ANDYN", &[a, b]) => Gate::Binary(BinaryGate::AndYN, a, b),
        ("ORNY", &[a, b]) => Gate::Binary(BinaryGate::OrNY, a, b),
        ("ORYN", &[a, b]) => Gate::Binary(BinaryGate::OrYN, a, b),
        ("NOT", &[a]) => Gate::Not(a),
        ("MUX", &[select, then, otherwise]) => Gate::Mux { select, then, otherwise },
        ("CONSTANT", []) => Gate::Constant(record.expected),
        (gate, inputs) => panic!("{gate} of {inputs:?}"),
    }
}

#[test]
fn the_librarys_parameter_set_is_read_and_written_again() {
    let text = vector("params.txt");
    let set = ParameterSet::read(&text[..]).unwrap();
    assert_eq!(set.to_text().as_bytes(), text);
    // The order of the lines is free.
    let text = String::from_utf8(text).unwrap();
    let turned = text.replace("Bgbit:          7\nl:          3\n", "l:          3\nBgbit:          7\n");
    assert!(turned != text);
    assert_eq!(ParameterSet::read(turned.as_bytes()).unwrap(), set);
}

/// The beginning of a key set, and the variances of its two keys.
fn header(name: &str) -> (Vec<u8>, ParameterSet, [f64; 2]) {
    let bytes = std::fs::read(format!("{VECTORS}-headers/{name}")).unwrap();
    let mut source = source(&bytes);
    let set = ParameterSet::read_part(&mut source).unwrap();
    set.check_key_switch_text(&mut source).unwrap();
    let variances = [(200, "a key-switching key"), (201, "a bootstrapping key")].map(|(uid, what)| {
        source.uid(uid, what).unwrap();
        source.variance().unwrap()
    });
    source.finish().unwrap();
    (bytes, set, variances)
}

/// The library's sets as its versions state them: the same numbers in other words.
#[test]
fn the_sets_of_every_version_of_the_library_are_known() {
    for (name, named, deviations) in [
        ("1.0.1.bin", &TFHE_LIB_V1_0_1, [2.43495e-5, 7.18096e-9]),
        ("1.1-80-bit.bin", &TFHE_LIB_V1_0_1, [2.44e-5, 7.18e-9]),
        ("1.1-128-bit.bin", &TFHE_LIB_V1_1, [2f64.powi(-15), 2f64.powi(-25)]),
    ] {
        let (bytes, set, variances) = header(name);
        for (variance, deviation) in variances.into_iter().zip(deviations) {
            assert!((variance.sqrt() / deviation - 1.0).abs() < 1e-6, "{name}: {variance}");
        }
        assert_eq!(&set.parameters(variances[0], variances[1]).unwrap(), named, "{name}");
        // Written again as that version writes.
        let texts = set.to_text() + &set.key_switch_text();
        assert_eq!(texts.as_bytes(), &bytes[..bytes.len() - 24], "{name}");
    }
    // Another noise or another structure is another set.
    let (_, set, [lwe, tlwe]) = header("1.0.1.bin");
    for (lwe, tlwe) in [(1.05 * lwe, tlwe), (lwe, 0.95 * tlwe), (tlwe, lwe)] {
        assert_eq!(set.parameters(lwe, tlwe).unwrap().name, OTHER);
    }
    let text = set.to_text().replace("n: 500", "n: 501");
    let other = ParameterSet::read(text.as_bytes()).unwrap();
    assert_eq!(other.parameters(lwe, tlwe).unwrap().name, OTHER);
}

/// A key set of version 1.0.1: its form of the text, its variances, and encryptions of 0 for the digit 0.
#[test]
fn a_key_set_of_version_1_0_1_is_read_for_use_and_written_again_byte_for_byte() {
    let secret = SecretKey::generate(&TFHE_LIB_V1_0_1, seed(1));
    let cloud = CloudKey::generate(&secret, seed(2)).unwrap();
    let mut bytes = SecretKeySet::new(&secret, &cloud).unwrap().to_bytes().to_vec();
    let (header, set, [lwe, tlwe]) = header("1.0.1.bin");
    let (key_switch_words, _) = set.key_words().unwrap();
    let text = bytes.windows(4).position(|window| window == 200i32.to_le_bytes()).unwrap();
    let samples = text + 12;
    let bootstrap = samples + 4 * key_switch_words;
    bytes[bootstrap + 4..][..8].copy_from_slice(&tlwe.to_le_bytes());
    bytes[samples] = 1;
    bytes[text + 4..][..8].copy_from_slice(&lwe.to_le_bytes());
    bytes.splice(..text, header[..header.len() - 24].iter().copied());

    let KeySet::Secret(read) = read(&bytes).unwrap() else { panic!("no secret key set") };
    assert_eq!(read.secret_key().parameters(), &TFHE_LIB_V1_0_1);
    assert!(read.to_bytes()[..] == bytes);
    let read_cloud = read.cloud().clone().into_cloud_key();
    assert!(read_cloud.bootstrap == cloud.bootstrap && read_cloud.key_switch == cloud.key_switch);
    // So it has a native form.
    let native = serial::to_bytes(read.secret_key(), NO_CONTEXT).unwrap();
    assert!(serial::from_bytes::<SecretKey>(&native).is_ok());
}

#[test]
fn the_librarys_ciphertexts_decrypt_to_what_it_encrypted() {
    let key = library_key();
    let ciphertexts = library_ciphertexts(&key, "cts.bin");
    let decrypted: Vec<bool> = ciphertexts.iter().map(|c| key.decrypt(c).unwrap()).collect();
    assert_eq!(decrypted, bits());
    assert_eq!(decrypted.len(), 16);
    // Words and types are written as they were; the variance is ours.
    let (ours, theirs) = (written(&key, ciphertexts), vector("cts.bin"));
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.chunks(80).zip(theirs.chunks(80)) {
        assert_eq!(ours[..72], theirs[..72]);
    }
}

#[test]
fn the_librarys_gates_have_the_stated_phases() {
    let key = library_key();
    let records = records();
    assert_eq!(records.len(), 94);
    for record in records {
        let result = &library_ciphertexts(&key, &format!("gate_{}.bin", record.gate))[record.number];
        assert_eq!(key.phase(result).unwrap().0 as i32, record.phase, "{} {}", record.gate, record.number);
        assert_eq!(key.decrypt(result).unwrap(), record.expected, "{} {}", record.gate, record.number);
    }
}

#[test]
fn the_librarys_key_sets_are_written_again_byte_for_byte() {
    let (secret_bytes, cloud_bytes) = (vector("secret.key"), cloud_key_set());
    let KeySet::Secret(secret) = read(&secret_bytes).unwrap() else { panic!("no secret key set") };
    let KeySet::Cloud(cloud) = read(&cloud_bytes).unwrap() else { panic!("no cloud key set") };
    // Of the file that the library wrote.
    assert_eq!(cloud.id().to_string(), "8ef6072d4f62e1b8ca022299b792c5bc");
    assert!(secret.to_bytes()[..] == secret_bytes && cloud.to_bytes() == cloud_bytes);
    assert_eq!(cloud.file_len(), cloud_bytes.len());
    assert_eq!(cloud.id().0, Sha256::digest(&cloud_bytes)[..16]);
    assert_eq!((secret.secret_key().id(), secret.cloud().id()), (cloud.id(), cloud.id()));
    let alone = library_key();
    assert_eq!(secret.secret_key().parameters(), alone.parameters());
    assert_eq!(secret.secret_key().small().bits(), alone.small().bits());
    assert_eq!(secret.secret_key().large().bits(), alone.large().bits());
    // The noise comes from the variances: the text says 0.
    assert_eq!((cloud.parameters().name, cloud.parameters().tlwe_noise_log2), (OTHER, -30.0));
    // A key of a set that has no name is not stored in our form.
    let error = serial::to_bytes(secret.secret_key(), NO_CONTEXT);
    assert!(matches!(error, Err(Error::NotStorable { parameters: OTHER, .. })), "{error:?}");
    assert!(matches!(read(&secret_bytes).unwrap().into_cloud_key(), Err(Error::WrongKind { .. })));
    assert!(matches!(read(&cloud_bytes).unwrap().into_secret_key(), Err(Error::WrongKind { .. })));
}

#[test]
fn our_gates_on_the_librarys_keys_decrypt_right() {
    let KeySet::Secret(set) = read(&vector("secret.key")).unwrap() else { panic!("no secret key set") };
    let KeySet::Cloud(cloud) = read(&cloud_key_set()).unwrap() else { panic!("no cloud key set") };
    let (secret, cloud) = (set.into_secret_key(), cloud.into_cloud_key());
    let inputs = library_ciphertexts(&secret, "cts.bin");
    let records = records();
    let mut gates: Vec<Gate> = records.iter().map(gate).collect();
    gates.extend([Gate::Maj(0, 1, 3), Gate::Xor3(0, 1, 3), Gate::Maj(0, 1, 2), Gate::Xor3(1, 3, 6)]);
    let expected = records.iter().map(|record| record.expected).chain([true, false, false, true]);
    let expected: Vec<bool> = expected.collect();
    for backend in Backend::testable() {
        let evaluator = Evaluator::new(&cloud, backend).unwrap();
        let results = evaluator.evaluate(&gates, &inputs).unwrap();
        let found: Vec<bool> = results.iter().map(|c| secret.decrypt(c).unwrap()).collect();
        assert_eq!(found, expected, "{backend}");
        // As exact as the formula says: 6 deviations, of one in 5e8.
        let bound = 6.0 * crate::noise::bootstrapped(secret.parameters()).sqrt();
        for (result, gate) in results.iter().zip(&gates) {
            let message = if secret.decrypt(result).unwrap() { 0.125 } else { -0.125 };
            let error = secret.phase(result).unwrap().to_real() - message;
            assert!(error.abs() < bound, "{backend}, {gate:?}: {error} of {bound}");
        }
    }
}

#[test]
fn the_librarys_tgsw_sample_agrees_with_its_key() {
    let KeySet::Secret(set) = read(&vector("secret.key")).unwrap() else { panic!("no secret key set") };
    let (secret, p) = (set.secret_key(), *set.cloud().parameters());
    let bytes = vector("bk0.tgswsample");
    let mut source = source(&bytes);
    source.uid(168, "a TGSW sample").unwrap();
    let mut all = Vec::new();
    for row in 0..p.tgsw_rows() {
        source.uid(84, "a TLWE sample").unwrap();
        let words = source.words(2 * p.polynomial_size).unwrap();
        source.informative_variance().unwrap();
        let phase = secret.large().phase(&TlweCiphertext::from_words(words.clone(), p.polynomial_size));
        all.extend(words);
        let weight = Torus32::from_bits64(p.gadget.weight(row % 3)) * i64::from(secret.small().bits()[0]);
        for (j, &phase) in phase.0.iter().enumerate() {
            // Rows of the mask: minus the key; those of the body: 1.
            let factor = if row < 3 { -i64::from(secret.large().bits()[j]) } else { i64::from(j == 0) };
            let error = (phase - weight * factor).0 as i32;
            assert!(error.abs() < 30, "row {row}, coefficient {j}: {error}"); // 7 deviations of 4
        }
    }
    source.finish().unwrap();
    let start = 4 * all.len();
    let stored: Vec<u8> = all.iter().flat_map(|word| word.0.to_le_bytes()).collect();
    let cloud = set.cloud().to_bytes();
    let bootstrap = cloud.len() - 4 * p.lwe_dimension * p.tgsw_rows() * 2 * p.polynomial_size;
    assert!(cloud[bootstrap..bootstrap + start] == stored);
}

#[test]
fn the_librarys_other_files_are_of_the_same_key() {
    let key = library_key();
    let bytes = vector("tlwe.key");
    let mut tlwe = source(&bytes[section_len(&vector("params.txt"), "TLWEPARAMS")..]);
    tlwe.uid(85, "a TLWE key").unwrap();
    assert_eq!(*tlwe.secret_bits(1024).unwrap(), key.large().bits());
    tlwe.finish().unwrap();
    let bytes = vector("woks_cts0to3.bin");
    let mut samples = source(&bytes);
    let large: LweSecretKey<Large> = key.large().extracted();
    for expected in &bits()[..4] {
        samples.uid(42, "an LWE sample").unwrap();
        let sample = LweCiphertext::from_words(samples.words(1025).unwrap());
        samples.informative_variance().unwrap();
        assert_eq!(large.phase(&sample).to_real() > 0.0, *expected);
    }
    samples.finish().unwrap();
}

/// Native keys in the library's form and back: the same samples, and gates give the same words.
#[test]
fn keys_go_to_the_librarys_form_and_back() {
    for p in [&TFHE_LIB_V1_0_1, &TFHE_LIB_V1_1] {
        let secret = SecretKey::generate(p, seed(1));
        let cloud = CloudKey::generate(&secret, seed(2)).unwrap();
        let set = SecretKeySet::new(&secret, &cloud).unwrap();
        let bytes = set.to_bytes();
        assert!(bytes[..set.cloud().file_len()] == set.cloud().to_bytes()[..]);
        let KeySet::Secret(read) = read(&bytes).unwrap() else { panic!("no secret key set") };
        assert_eq!(read.secret_key().parameters(), p, "the named set");
        assert_eq!((read.cloud().id(), read.cloud() == set.cloud()), (set.cloud().id(), true));
        assert_eq!(read.secret_key().small().bits(), secret.small().bits());
        assert_eq!(read.secret_key().large().bits(), secret.large().bits());

        let again = read.cloud.into_cloud_key();
        let native = serial::to_bytes(&again, NO_CONTEXT).unwrap();
        let stored = serial::from_bytes::<CloudKey>(&native).unwrap();
        assert!(stored.header.kind == serial::Kind::CloudKeyWithMasks && stored.content == again);
        assert!(matches!(stored.content.masks, Masks::Stored { .. }));
        // A native key of stored masks goes to the same file.
        assert!(CloudKeySet::new(&stored.content).unwrap().id() == set.cloud().id());

        let backend = Backend::fastest();
        let gates = [Gate::Binary(BinaryGate::Xor, 0, 1), Gate::Mux { select: 0, then: 1, otherwise: 2 }];
        let inputs = secret.encrypt(&[true, false, true], seed(3)).expand();
        let results = Evaluator::new(&cloud, backend).unwrap().evaluate(&gates, &inputs).unwrap();
        let file = written(&secret, inputs);
        let list = read_ciphertexts(&file[..], p, again.id(), CiphertextOrigin::Encryption).unwrap();
        let evaluator = Evaluator::new(&stored.content, backend).unwrap();
        let others = evaluator.evaluate(&gates, list.ciphertexts()).unwrap();
        for (result, other) in results.iter().zip(&others) {
            assert!(result.sample() == other.sample() && other.key_id() == set.cloud().id());
        }
    }
}

/// A small key, for what would take long with a large one: n = 8, N = 32.
fn small_set() -> Parameters {
    Parameters { name: OTHER, lwe_dimension: 8, polynomial_size: 32, ..TFHE_LIB_V1_1 }
}

fn small_keys() -> (SecretKey, CloudKey) {
    let secret = SecretKey::generate(&small_set(), seed(4));
    let cloud = CloudKey::generate(&secret, seed(5)).unwrap();
    (secret, cloud)
}

fn small_file() -> Vec<u8> {
    let (secret, cloud) = small_keys();
    SecretKeySet::new(&secret, &cloud).unwrap().to_bytes().to_vec()
}

/// Sample (i, j, h) of a key-switching key is of h S_i B^-(j+1): either exactly h times the first, or with noise
/// of its own of the stated variance.
#[test]
fn samples_for_higher_digits_are_right_in_both_ways() {
    let (secret, cloud) = small_keys();
    let p = small_set();
    let fresh = CloudKeySet::with_secret(&cloud, &secret, seed(6)).unwrap();
    let multiples = CloudKeySet::new(&cloud).unwrap();
    let (mut square, mut count) = (0.0, 0.0);
    for (set, is_fresh) in [(&fresh, true), (&multiples, false)] {
        let bytes = set.to_bytes();
        let start = set.set.to_text().len() + set.set.key_switch_text().len() + 12;
        let samples: Vec<LweCiphertext<Torus32, _>> = bytes[start..start + 4 * 32 * 8 * 4 * 9]
            .chunks(36)
            .map(|bytes| {
                let words = bytes.as_chunks::<4>().0.iter().map(|&word| Torus32(u32::from_le_bytes(word)));
                LweCiphertext::from_words(words.collect())
            })
            .collect();
        for (index, sample) in samples.iter().enumerate() {
            let (row, digit) = (index / 4, index % 4);
            let weight = Torus32::from_bits64(p.key_switch_gadget.weight(row % 8));
            let message = weight * (digit as i64 * i64::from(secret.large().bits()[row / 8]));
            let error = (secret.small().phase(sample) - message).to_real();
            let first = secret.small().phase(&samples[4 * row + 1])
                - weight * i64::from(secret.large().bits()[row / 8]);
            match digit {
                0 => assert!(sample.words().iter().all(|word| word.0 == 0)),
                2.. if is_fresh => {
                    assert!(error != (first * digit as i64).to_real());
                    square += error * error;
                    count += 1.0;
                }
                _ => assert_eq!(error, (first * digit as i64).to_real()),
            }
        }
    }
    // 512 samples: the variance of the mean square is 2/512 of its square; 6 standard errors.
    let ratio: f64 = square / count / crate::noise::fresh(&p);
    assert!((ratio - 1.0).abs() < 6.0 * (2.0f64 / count).sqrt(), "{ratio}");
    assert!(fresh.id() != multiples.id());
    let stranger = SecretKey::generate(&small_set(), seed(7));
    assert!(matches!(CloudKeySet::with_secret(&cloud, &stranger, seed(6)), Err(Error::OtherKey { .. })));
    assert!(matches!(SecretKeySet::new(&stranger, &cloud), Err(Error::OtherKey { .. })));
}

#[test]
fn other_sets_have_no_form_in_the_library() {
    let secret = SecretKey::generate(&GATES_DEFAULT, seed(1));
    let list = CiphertextList::new(&GATES_DEFAULT, secret.id(), Vec::new()).unwrap();
    for error in [
        ParameterSet::new(&GATES_DEFAULT).map(drop),
        ciphertexts_to_bytes(&list).map(drop),
        read_ciphertexts(&[][..], &GATES_DEFAULT, secret.id(), CiphertextOrigin::Gate).map(drop),
    ] {
        assert!(matches!(error, Err(Error::NotTfheLib { parameters: "GATES_DEFAULT" })), "{error:?}");
    }
}

/// What a file declares is refused at the byte where it stands, before anything follows from it.
#[test]
fn hostile_parameters_are_refused_where_they_stand() {
    let text = String::from_utf8(vector("params.txt")).unwrap();
    for (field, value) in [
        ("n: ", "0"),
        ("n: ", "4097"),
        ("n: ", "-1"),
        ("n: ", "99999999999999999999"),
        ("N: ", "1000"),
        ("N: ", "16"),
        ("N: ", "8192"),
        ("k: ", "0"),
        ("k: ", "5"),
        ("ks_basebit: ", "9"),
        ("ks_basebit: ", "0"),
        ("ks_t: ", "16"),
        ("Bgbit: ", "17"),
        ("Bgbit: ", "11"),
        ("l: ", "5"),
        ("l: ", "0"),
        ("alpha_min: ", "1.5"),
        ("alpha_min: ", "nan"),
        ("alpha_max: ", "-0.1"),
    ] {
        let start = text.find(&format!("\n{field}")).unwrap() + 1;
        let end = start + text[start..].find('\n').unwrap();
        let changed = format!("{}{field}{value}{}", &text[..start], &text[end..]);
        match fault(ParameterSet::read(changed.as_bytes())) {
            FileFault::Field { at, .. } => {
                // A product of two numbers is refused with the later one, the shape of N with its section.
                assert!(at as usize <= end + 30, "{field}{value}: at {at}, not {start}");
            }
            fault => panic!("{field}{value}: {fault}"),
        }
    }
    // Larger keys than any that are used, each number being in range.
    let large = text.replace("         16", "       4096").replace("N:       1024", "N:       4096");
    let large =
        large.replace("k:          1", "k:          4").replace("ks_basebit:          2", "ks_basebit: 8");
    let large = large.replace("ks_t:          8", "ks_t: 3");
    let error = fault(ParameterSet::read(large.as_bytes()));
    assert!(error.to_string().contains("4 GiB"), "{error}");
    for (from, to) in [
        ("BEGIN LWEPARAMS", "BEGIN LWEPARAM"),
        ("\nl: ", "\nm: "),
        ("\nl: ", "\nBgbit: "),
        ("alpha_max: 0.01246700\nalpha_min: 0.00000000\nn: ", "n: "),
        ("Bgbit: ", "Bgbit "),
        ("-----END TGSW", "\u{1}----END TGSW"),
        ("-----\n-----BEGIN TGSW", &format!("-----\n{}-----BEGIN TGSW", " ".repeat(1000))),
    ] {
        assert!(text.contains(from));
        let error = ParameterSet::read(text.replace(from, to).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("at byte") && !error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn every_truncation_is_an_error_but_at_the_end_of_the_cloud_key() {
    let bytes = small_file();
    let KeySet::Secret(set) = read(&bytes).unwrap() else { panic!("no secret key set") };
    let cloud = set.cloud().file_len();
    // Every place in the text and about the ends of the parts, and many in between.
    let places = (0..700).chain((700..bytes.len()).step_by(97)).chain(cloud - 50..bytes.len());
    for len in places {
        match read(&bytes[..len]) {
            Ok(KeySet::Cloud(_)) => assert_eq!(len, cloud),
            found => match fault(found) {
                FileFault::Truncated { found, expected } => assert!(found == len as u64 && expected > found),
                fault => panic!("{len} bytes: {fault}"),
            },
        }
    }
    let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
    assert_eq!(fault(read(&longer)), FileFault::Trailing { expected: bytes.len() as u64 });

    let (p, secret) = (small_set(), small_keys().0);
    let file = written(&secret, secret.encrypt(&[true; 3], seed(8)).expand());
    for len in 0..=file.len() {
        let list = read_ciphertexts(&file[..len], &p, KeyId([0; 16]), CiphertextOrigin::Gate);
        assert_eq!(list.is_ok(), len % 48 == 0, "{len} bytes");
    }
}

#[test]
fn damage_in_the_binary_parts_is_refused_where_it_can_be_seen() {
    let bytes = small_file();
    let text = 418 + "-----BEGIN LWEKSPARAMS-----\nbasebit:          2\nn:         32\nt:          8\n-----END LWEKSPARAMS-----\n".len();
    let key_switch = text + 12;
    let bootstrap = key_switch + 4 * 32 * 8 * 4 * 9;
    let small = bootstrap + 12 + 4 * 8 * 6 * 2 * 32;
    let large = small + 4 + 4 * 8;
    assert_eq!(bytes.len(), large + 4 + 4 * 32);
    for (at, value, expected) in [
        (text, 201, "type number"),
        (bootstrap, 0, "type number"),
        (small, 169, "type number"),
        (large, 43, "type number"),
        (text + 8, -1, "variance"),
        (bootstrap + 8, 0x7ff0_0000, "variance"),
        (key_switch + 8, 1, "digit 0"),
        (small + 4, 2, "0 or 1"),
        (large + 8, -1, "0 or 1"),
    ] {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&i32::to_le_bytes(value));
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("at byte"), "{at}: {error}");
    }
    let other = String::from_utf8_lossy(&bytes[..text]).replace("n:         32", "n:         64");
    assert!(read(other.as_bytes()).unwrap_err().to_string().contains("'64'"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A flipped bit anywhere: an error, or other keys of the same length. Never a panic.
    #[test]
    fn no_flipped_bit_panics(at: prop::sample::Index, early in 0usize..560, bit in 0u32..8) {
        let bytes = small_file();
        for at in [at.index(bytes.len()), early] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1u8 << bit;
            if let Ok(KeySet::Secret(set)) = read(&flipped) {
                prop_assert_eq!(set.to_bytes().len(), bytes.len());
                prop_assert!(set.to_bytes()[..] != bytes[..] || at < 520);
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = read(&bytes);
        let _ = read_ciphertexts(&bytes[..], &small_set(), KeyId([0; 16]), CiphertextOrigin::Gate);
        let mut file = vector("params.txt");
        file.extend(bytes);
        let _ = read(&file);
    }
}

#[test]
fn files_are_recognised_by_their_beginning() {
    let at = |name: &str| {
        let file = vector(name);
        recognise(&file[..file.len().min(START_BYTES)])
    };
    assert_eq!(at("secret.key"), Some(Form::KeySet));
    for (name, part) in [
        ("params.txt", "a text of parameters without keys"),
        ("lwe.key", "a single LWE key"),
        ("tlwe.key", "a single TLWE key"),
        ("tgsw.key", "a single TGSW key"),
        ("bk0.tgswsample", "TGSW samples"),
    ] {
        assert_eq!(at(name), Some(Form::Part(part)), "{name}");
    }
    // Cut short within its text or its keys, a key set is still one.
    assert_eq!(recognise(&vector("params.txt")[..300]), Some(Form::KeySet));
    assert_eq!(recognise(&vector("secret.key")[..420]), Some(Form::KeySet));
    assert_eq!(at("cts.bin"), Some(Form::Ciphertexts));
    assert_eq!(at("bits.txt"), None);
}
