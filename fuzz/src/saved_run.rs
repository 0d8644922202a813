//! Saved runs of the gate engine: a line of JSON, then ciphertexts.
//!
//! The second time round, the line names the right program, model, picture and style, and the ciphertexts are there and
//! checked: as many as the byte after the line says. Only what the line says of the run is the fuzzer's then.
//!
//! Bound of the memory: eight times the file and 8 MiB, for the circuit of a unit of this small network.

use std::sync::{Arc, OnceLock};

use bnn::{
    circuit::Style,
    client::{Client, EncryptedImage},
    data::Image,
    engine::{Inference, Server, client_specification},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tfhe_core::{
    backend::Backend,
    ciphertext::{Ciphertext, CiphertextList},
    control::Control,
    evaluator::Evaluator,
    keys::{CloudKey, KeyId, SecretKey},
    parameters::TFHE_LIB_V1_0_1,
    random::SecretSeed,
    serial::to_bytes,
};

use crate::{
    memory::{MIB, bounded},
    toy,
};

/// A server in the middle of a run.
struct Fixture {
    server: Server,
    key_id: KeyId,
    image: EncryptedImage,
    ciphertext: Ciphertext,
    /// The fields of the line that say which run it is.
    identity: Vec<(&'static str, Value)>,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let seed = SecretSeed::deterministic_for_tests;
        let model = toy::open(&toy::hybrid());
        let key = Arc::new(SecretKey::generate(&TFHE_LIB_V1_0_1, seed(1)));
        let cloud = CloudKey::generate(&key, seed(2)).expect("there is memory for a cloud key");
        let evaluator = Evaluator::new(&cloud, Backend::Portable).expect("portable runs everywhere");
        let pixels = Image::grey(3, 3, (0..9).map(|place| place * 28).collect());
        let encoded = model.input().encode(&pixels.expect("as many pixels")).expect("any picture");
        let specification = client_specification(&model).expect("a small model");
        let client =
            Client::new(Arc::new(specification), Arc::clone(&key)).expect("a set of the gate engine");
        let image = client.encrypt(&encoded, seed(3)).expect("an encoding of the model");
        let server =
            Server::new(model, Arc::new(evaluator), Style::Optimized).expect("a set of the gate engine");
        let ciphertext = key.encrypt(&[true], seed(4)).expand().swap_remove(0);
        let saved = server.start(&image).and_then(|run| run.save());
        let line = first_line(&saved.expect("a run is saved"));
        let names = ["format", "program", "model", "image", "published"];
        let identity = names.map(|name| (name, line[name].clone())).into();
        Fixture { server, key_id: key.id(), image, ciphertext, identity }
    })
}

fn first_line(file: &[u8]) -> Value {
    let line = file.split(|&byte| byte == b'\n').next().expect("a first piece");
    serde_json::from_slice(line).expect("a saved line is JSON")
}

/// States of a run of the toy network, one after each batch: what a corpus begins with.
pub fn states(count: usize) -> Vec<Vec<u8>> {
    let Fixture { server, image, identity, .. } = fixture();
    let mut run = server.start(image).expect("own image");
    let mut states = Vec::new();
    while states.len() < count {
        let file = run.save().expect("a run is saved");
        let mut line = first_line(&file);
        let count = ciphertexts(&line);
        // Which run it is, the target fills in.
        let fields = line.as_object_mut().expect("a line is an object");
        identity.iter().for_each(|(name, _)| drop(fields.remove(*name)));
        states.push([&serde_json::to_vec(&line).expect("JSON")[..], &[b'\n', count as u8]].concat());
        if run.advance(&Control::default()).expect("a planned run") == 0 {
            break;
        }
    }
    states
}

/// How many ciphertexts a line speaks of.
fn ciphertexts(line: &Value) -> usize {
    let bits = |word: &Value| word["bits"].as_str().map_or(0, |bits| bits.matches('x').count());
    let words: usize = line["words"].as_array().map_or(0, |words| words.iter().map(bits).sum());
    words + line["wires"].as_array().map_or(0, Vec::len)
}

pub(crate) fn saved_run(data: &[u8]) {
    resume(data);
    let (line, rest) = data.split_at(data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len()));
    let Ok(mut line) = serde_json::from_slice::<Value>(line) else { return };
    let Some(fields) = line.as_object_mut() else { return };
    let fixture = fixture();
    fields.extend(fixture.identity.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let mut file = serde_json::to_vec(&line).expect("it was JSON");
    let context = Sha256::digest(&file).into();
    file.push(b'\n');
    let ciphertexts = vec![fixture.ciphertext.clone(); rest.get(1).copied().unwrap_or_default().into()];
    let list = CiphertextList::new(&TFHE_LIB_V1_0_1, fixture.key_id, ciphertexts).expect("of this key");
    file.extend_from_slice(&to_bytes(&list, context).expect("of a named set"));
    resume(&file);
}

/// Takes a run up; what is taken up is saved as the same state, and as that of the same run, however often.
fn resume(file: &[u8]) {
    let Fixture { server, image, .. } = fixture();
    let take_up = |file: &[u8]| bounded(8 * file.len() + 8 * MIB, || server.resume(image, file));
    let save = |run: &Inference| run.save().expect("a run is saved");
    match take_up(file) {
        Ok(run) => {
            let saved = save(&run);
            let again = take_up(&saved).expect("what is saved is taken up");
            assert!(save(&again) == saved, "another run is saved than was taken up");
            let _ = run.scores();
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
}
