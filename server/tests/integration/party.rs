//! Clients with keys.

use std::sync::{Arc, OnceLock};

use bnn::{
    client::{Client, ClientSpecification, EncryptedScores},
    data::Image,
};
use testkit::toys::{SIDE, pixels};
use tfhe_core::{
    keys::{CloudKey, SecretKey},
    parameters::{FUNCTIONAL_1024, GATES_DEFAULT, Parameters},
    random::SecretSeed,
    serial::{NO_CONTEXT, to_bytes},
};

use crate::running::Running;

/// A key pair, with the file of the cloud key.
pub(crate) struct Party {
    key: Arc<SecretKey>,
    pub(crate) cloud_key: Vec<u8>,
}

/// A client with a key of a set; the same number is the same key.
fn make(set: &Parameters, number: u64) -> Party {
    let seed = SecretSeed::deterministic_for_tests;
    let key = SecretKey::generate(set, seed(2 * number));
    let cloud_key = CloudKey::generate(&key, seed(2 * number + 1)).unwrap();
    Party { cloud_key: to_bytes(&cloud_key, NO_CONTEXT).unwrap().to_vec(), key: Arc::new(key) }
}

/// A client of the functional engine.
pub(crate) fn alice() -> &'static Party {
    static PARTY: OnceLock<Party> = OnceLock::new();
    PARTY.get_or_init(|| make(&FUNCTIONAL_1024, 1))
}

/// Another.
pub(crate) fn bob() -> &'static Party {
    static PARTY: OnceLock<Party> = OnceLock::new();
    PARTY.get_or_init(|| make(&FUNCTIONAL_1024, 2))
}

/// A client of the gate engine.
pub(crate) fn gina() -> &'static Party {
    static PARTY: OnceLock<Party> = OnceLock::new();
    PARTY.get_or_init(|| make(&GATES_DEFAULT, 3))
}

impl Party {
    pub(crate) fn id(&self) -> String {
        self.key.id().to_string()
    }

    pub(crate) fn key_path(&self) -> String {
        format!("/v2/keys/{}", self.id())
    }

    /// Uploads the cloud key.
    pub(crate) fn upload(&self, service: &Running) {
        let answer = service.put(&self.key_path(), &[], &self.cloud_key);
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    }

    fn client(&self, service: &Running, model: &str) -> Client {
        let specification = service.get(&format!("/v2/models/{model}/client")).is(200).body;
        let specification = ClientSpecification::from_bytes(&specification).unwrap();
        Client::new(Arc::new(specification), Arc::clone(&self.key)).unwrap()
    }

    /// A picture of a class of the model that counts, encrypted for a model.
    pub(crate) fn picture(&self, service: &Running, model: &str, class: usize) -> Vec<u8> {
        let client = self.client(service, model);
        let encoded = client.encode(&Image::grey(SIDE, SIDE, pixels(class)).unwrap()).unwrap();
        client.encrypt(&encoded, SecretSeed::from_os().unwrap()).unwrap().to_bytes().unwrap()
    }

    /// The sample digit 7, encrypted for the paper's network.
    pub(crate) fn picture_of_the_paper(&self, service: &Running) -> Vec<u8> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits/7.png");
        let client = self.client(service, "binarized-cnn");
        let encoded = client.encode(&Image::decode(&std::fs::read(file).unwrap(), None).unwrap()).unwrap();
        client.encrypt(&encoded, SecretSeed::from_os().unwrap()).unwrap().to_bytes().unwrap()
    }

    /// The class that encrypted scores say.
    pub(crate) fn label(&self, service: &Running, model: &str, scores: &[u8]) -> usize {
        let scores = EncryptedScores::from_bytes(scores).unwrap();
        self.client(service, model).decrypt(&scores).unwrap().label()
    }
}
