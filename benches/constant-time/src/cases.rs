//! The client's code, function by function.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use bnn::client::{Client, ClientSpecification, EncodedImage, EncryptedScores, PixelEncoding};
use bnn::data::Image;
use bnn::engine::{Engine, client_specification, functional};
use bnn::model::Model;
use bnn::paper;
use tfhe_core::ciphertext::{Ciphertext, CiphertextList};
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::parameters::{
    FUNCTIONAL_1024, FUNCTIONAL_2048, GATES_BLOCK_BINARY, GATES_DEFAULT, Parameters, TFHE_LIB_V1_0_1,
    TFHE_LIB_V1_1,
};
use tfhe_core::random::SecretSeed;
use tfhe_core::serial::tfhe_lib::{self, KeySet, SecretKeySet};
use tfhe_core::serial::{FileContent, NO_CONTEXT, from_bytes, to_bytes};
use tfhe_core::torus::Torus32;
use zeroize::Zeroizing;

use crate::taint::{public, secret, secret_seed};
use crate::{Checker, Expected};

/// Bytes of a file before its body, and after (docs/formats.md).
const FRAME: (usize, usize) = (100, 32);
/// Bytes of a list of ciphertexts beside these: the frame and a count.
const LIST_FRAME: usize = FRAME.0 + 4 + FRAME.1;
/// Digits.
const CLASSES: usize = 10;

/// Key generation, encryption and decryption, for every shape of parameter set.
pub(crate) fn keys(checker: &mut Checker) {
    for set in [&GATES_DEFAULT, &GATES_BLOCK_BINARY, &FUNCTIONAL_1024, &FUNCTIONAL_2048, &TFHE_LIB_V1_1] {
        let name = |case: &str| format!("{}: {case}", set.name());
        let key = checker
            .case(&name("secret key drawn"), Expected::Nothing, || SecretKey::generate(set, secret_seed(1)));
        let mut key = key;
        public(&mut key);
        let file = checker.case(&name("secret key to a file"), Expected::Nothing, || file(&key));
        checker.follows(&name("secret key to a file"), &file[FRAME.0..]);

        let mut file = self::file(&SecretKey::generate(set, seed(1)));
        let body = FRAME.0..file.len() - FRAME.1;
        secret(&mut file[body]);
        // By its checksum; and by what fills up the last byte of a key, which is no bit of it.
        let decisions = 1 + usize::from(!set.lwe_dimension().is_multiple_of(8));
        let damaged = Expected::Decisions(decisions, "whether the file is damaged");
        let stored =
            checker.case(&name("secret key from a file"), damaged, || from_bytes::<SecretKey>(&file));
        let key = stored.expect("invariant: the file is whole").content;

        checker.case(&name("cloud key"), Expected::Nothing, || {
            CloudKey::generate(&key, secret_seed(2)).expect("there is memory for a cloud key")
        });
        encryption(checker, set, &key);
    }
}

fn encryption(checker: &mut Checker, set: &Parameters, key: &SecretKey) {
    let name = |case: &str| format!("{}: {case}", set.name());
    let mut bits: Vec<bool> = (0..64).map(|i| i % 3 == 0).collect();
    secret(&mut bits[..]);
    let mut encrypted =
        checker.case(&name("bits encrypted"), Expected::Nothing, || key.encrypt(&bits, secret_seed(3)));
    public(&mut encrypted);
    checker.follows(&name("bits encrypted"), bodies(&file(&encrypted)));
    let ciphertexts = encrypted.expand();
    let mut decrypted = Vec::with_capacity(ciphertexts.len());
    checker.case(&name("bits decrypted"), Expected::Nothing, || {
        for bit in &ciphertexts {
            decrypted.push(u8::from(key.decrypt(bit).expect("invariant: of this key")));
        }
    });
    checker.follows(&name("bits decrypted"), &decrypted);

    // The sets of the TFHE library have no packed ciphertexts.
    if set.wire_dimension() == set.large_dimension() {
        let mut messages: Vec<Torus32> =
            (0..set.polynomial_size() as u32 + 7).map(|i| Torus32(i << 20)).collect();
        secret(&mut messages[..]);
        let packed = checker.case(&name("messages packed"), Expected::Nothing, || {
            key.encrypt_packed(&messages, set.polynomial_size(), secret_seed(4))
        });
        let mut packed = packed.expect("invariant: the rows fit");
        public(&mut packed);
        checker.follows(&name("messages packed"), bodies(&file(&packed)));
        let ciphertexts = packed.unpack();
        let mut phases = Vec::new();
        checker.case(&name("phases"), Expected::Nothing, || {
            for message in ciphertexts.iter().take(64) {
                phases.extend(key.phase(message).expect("invariant: of this key").0.to_le_bytes());
            }
        });
        checker.follows(&name("phases"), &phases);
    }
}

/// A client that works with files of the TFHE library: its keys made, written and read.
pub(crate) fn library_keys(checker: &mut Checker) {
    let set = &TFHE_LIB_V1_0_1;
    let name = |case: &str| format!("TFHE library's files: {case}");
    let key = secret_key(set);
    let mut cloud = CloudKey::generate(&key, seed(9)).expect("there is memory for a cloud key");
    public(&mut cloud);
    checker
        .case(&name("secret key converted"), Expected::Nothing, || SecretKeySet::new(&key, &cloud).is_ok());
    let made = checker.case(&name("secret key set made"), Expected::Nothing, || {
        SecretKeySet::with_fresh_samples(&key, &cloud, secret_seed(10))
    });
    let mut made = made.expect("invariant: both of one key");
    public(&mut made);
    let mut file = checker.case(&name("secret key set to a file"), Expected::Nothing, || made.to_bytes());
    // Each bit is the first of the 4 bytes that it takes. At the end, the large key.
    let large = file.len() - 4 * set.large_dimension()..;
    let bits: Vec<u8> = file[large.clone()].iter().step_by(4).copied().collect();
    checker.follows(&name("secret key set to a file"), &bits);

    // All but the two keys is what the server gets too.
    public(&mut file[..]);
    secret(&mut file[large.clone()]);
    let small_end = large.start - 4; // between them, a number
    secret(&mut file[small_end - 4 * set.lwe_dimension()..small_end]);
    let damaged = Expected::Decisions(2, "whether each key is of bits");
    let read = checker.case(&name("secret key set from a file"), damaged, || KeySet::read(&file[..]));
    let Ok(KeySet::Secret(read)) = read else { unreachable!("invariant: the file is whole, with both keys") };
    let mut bits: Vec<bool> = (0..64).map(|i| i % 3 == 0).collect();
    secret(&mut bits[..]);
    let key = read.secret_key();
    let _ = checker.case(&name("bits encrypted to a file"), Expected::Nothing, || {
        tfhe_lib::ciphertexts_to_bytes(&list(key, key.encrypt(&bits, secret_seed(11)).expand()))
    });
}

/// The end of a file of ciphertexts, 64 bodies of 4 bytes.
fn bodies(file: &[u8]) -> &[u8] {
    let end = file.len() - FRAME.1;
    &file[end - 4 * 64..end]
}

/// What the client does for a network: it encodes a picture, encrypts it and decrypts scores. One network for each
/// encoding.
pub(crate) fn networks(checker: &mut Checker) {
    for name in ["binarized-perceptron", "sign-cnn", "binarized-cnn"] {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models")).join(name);
        let read =
            |file| std::fs::read(folder.join(file)).expect("invariant: the models are in the repository");
        let model = Model::from_bytes(&read("manifest.toml"), &read("weights.safetensors"));
        network(checker, &Arc::new(model.expect("invariant: the models in the repository are whole")));
    }
}

fn network(checker: &mut Checker, model: &Arc<Model>) {
    let name = |case: &str| format!("{}: {case}", model.name());
    let input = model.input();
    // Grey stripes: few enough ones for every model.
    let mut pixels: Vec<u8> = (0..input.width() * input.height()).map(|i| (i * 7 % 256 / 2) as u8).collect();
    pixels[100..200].fill(200);
    secret(&mut pixels[..]);
    let picture = Image::grey(input.width(), input.height(), pixels);
    let picture = picture.expect("invariant: as many pixels as the size says");
    let refusal = match input.pixels() {
        PixelEncoding::Grey { .. } => Expected::Nothing,
        _ => Expected::Decisions(1, "whether the picture is accepted"),
    };
    let encoded = checker.case(&name("picture encoded"), refusal, || input.encode(&picture));
    let encoded = encoded.expect("invariant: within the model's range");

    let specification = client_specification(model).expect("invariant: the models run on both engines");
    let specification = Arc::new(specification);
    for engine in [Engine::Functional, Engine::Gates] {
        for set in specification.parameter_sets(engine) {
            client(checker, model, &specification, &encoded, engine, set);
        }
    }
    if matches!(input.pixels(), PixelEncoding::SignAndScale { .. }) {
        papers_client(checker, &specification, &encoded);
    }
}

/// A client whose server runs one engine, with one parameter set.
fn client(
    checker: &mut Checker,
    model: &Arc<Model>,
    specification: &Arc<ClientSpecification>,
    encoded: &EncodedImage,
    engine: Engine,
    set: &'static Parameters,
) {
    let name = |case: &str| format!("{}: {case}, {engine}, {}", model.name(), set.name());
    let client = Client::new(Arc::clone(specification), Arc::new(secret_key(set)));
    let client = client.expect("invariant: a set of the specification");
    checker.case(&name("picture encrypted"), Expected::Nothing, || {
        client.encrypt(encoded, secret_seed(6)).is_ok()
    });
    let count = match engine {
        Engine::Gates => CLASSES * 20,
        Engine::Functional => {
            let plan = functional::Plan::new(Arc::clone(model), set).expect("invariant: a set of the model");
            (plan.scores_bytes() - LIST_FRAME) / (8 + 4 * (set.wire_dimension() + 1))
        }
    };
    let scores = encrypted_scores(model, &secret_key(set), count);
    checker.case(&name("scores decrypted"), Expected::Nothing, || client.decrypt(&scores).is_ok());
}

fn papers_client(checker: &mut Checker, specification: &Arc<ClientSpecification>, encoded: &EncodedImage) {
    let name = |case: &str| format!("{}: {case}, the paper's protocol", specification.model_name());
    let client = Client::new(Arc::clone(specification), Arc::new(secret_key(&TFHE_LIB_V1_0_1)));
    let client = client.expect("invariant: the gate engine runs with the library's sets");
    checker.case(&name("picture encrypted"), Expected::Nothing, || {
        paper::encrypt(&client, encoded, secret_seed(12)).is_ok()
    });
    let key = secret_key(&TFHE_LIB_V1_0_1);
    let answer = list(&key, ciphertexts(&key, CLASSES * 20));
    let mut file = tfhe_lib::ciphertexts_to_bytes(&answer).expect("invariant: a set of the library");
    public(&mut file[..]);
    let decides = Expected::Decisions(1, "whether the answer is of this key");
    let scores = checker.case(&name("scores read"), decides, || paper::read_answer(&client, &file[..]));
    let scores = scores.expect("invariant: it was written just now");
    checker.case(&name("scores decrypted"), Expected::Nothing, || client.decrypt(&scores).is_ok());
}

/// A key whose bits are secret.
fn secret_key(set: &Parameters) -> SecretKey {
    let mut key = SecretKey::generate(set, secret_seed(5));
    public(&mut key);
    key
}

/// Ciphertexts in place of what a server would answer: `count` fresh ones, through a file, which is how a client gets them.
fn encrypted_scores(model: &Model, key: &SecretKey, count: usize) -> EncryptedScores {
    let list = list(key, ciphertexts(key, count));
    let mut file = to_bytes(&list, model.digest()).expect("invariant: of a named set");
    public(&mut file[..]);
    EncryptedScores::from_bytes(&file).expect("invariant: it was written just now")
}

fn list(key: &SecretKey, ciphertexts: Vec<Ciphertext>) -> CiphertextList {
    CiphertextList::new(key.parameters(), key.id(), ciphertexts).expect("invariant: of this key")
}

/// The bytes of a file.
fn file<C: FileContent>(content: &C) -> Zeroizing<Vec<u8>> {
    to_bytes(content, NO_CONTEXT).expect("invariant: of a named set")
}

fn ciphertexts(key: &SecretKey, count: usize) -> Vec<Ciphertext> {
    let mut bits = key.encrypt(&vec![true; count], seed(8));
    public(&mut bits);
    bits.expand()
}

/// Code that leaks.
pub(crate) fn controls(checker: &mut Checker) {
    let mut byte = 5_u8;
    secret(&mut byte);
    checker.case("control: a branch on a secret bit", Expected::Something, || {
        if byte & 1 == 1 { odd(byte) } else { even(byte) }
    });
    let table: Vec<u64> = (0..256).map(|i| i * i).collect();
    checker.case("control: an index by a secret byte", Expected::Something, || table[usize::from(byte)]);
}

#[inline(never)]
fn odd(byte: u8) -> u8 {
    black_box(byte) / 2
}

#[inline(never)]
fn even(byte: u8) -> u8 {
    black_box(byte) * 3
}

fn seed(number: u64) -> SecretSeed {
    SecretSeed::deterministic_for_tests(number)
}
