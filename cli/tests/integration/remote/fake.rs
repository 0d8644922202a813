//! A service that does what docs/service.md says, as far as a client sees it: it keeps keys and jobs, and has pictures evaluated
//! by `bnn infer`. Tests make it fail where they want.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::stub::{Head, Reply, Stub};
use crate::place::Place;

/// What a test wants of the service.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Faults {
    /// Drops the connection of the upload in which so many bytes have come, once.
    pub(crate) drop_upload_after: Option<usize>,
    /// Takes no more than so many jobs at a time.
    pub(crate) most_jobs: Option<usize>,
    /// Fails the job of the picture that comes so many others later.
    pub(crate) fail_job: Option<usize>,
    /// Never finishes a job.
    pub(crate) never_done: bool,
}

/// What the service holds.
struct State {
    place: Place,
    specification: Vec<u8>,
    keys: BTreeMap<String, Upload>,
    jobs: BTreeMap<String, FakeJob>,
    submitted: usize,
    faults: Faults,
    /// What is given in the place of scores.
    other_scores: Option<Vec<u8>>,
}

struct Upload {
    bytes: Vec<u8>,
    total: usize,
}

struct FakeJob {
    state: &'static str,
    key: String,
    scores: Vec<u8>,
}

/// The service.
pub(crate) struct Fake {
    pub(crate) stub: Stub,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// With the model `toy`.
    pub(crate) fn new(faults: Faults) -> Self {
        let place = Place::new();
        crate::toy::write_model(&place.path("toy"), "toy");
        let specification = place.run("models --client toy --out -").succeeded().into_bytes();
        let (keys, jobs) = (BTreeMap::new(), BTreeMap::new());
        let state = State { place, specification, keys, jobs, submitted: 0, faults, other_scores: None };
        let state = Arc::new(Mutex::new(state));
        let kept = Arc::clone(&state);
        let stub = Stub::new(move |head, body| kept.lock().unwrap().answer(head, body));
        Self { stub, state }
    }

    /// Leaves a job that is running.
    pub(crate) fn leave_job(&self, id: &str) {
        self.state()
            .jobs
            .insert(id.into(), FakeJob { state: "running", key: "00".into(), scores: Vec::new() });
    }

    /// Gives these bytes in the place of scores.
    pub(crate) fn give_scores(&self, bytes: Vec<u8>) {
        self.state().other_scores = Some(bytes);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How many jobs are there.
    pub(crate) fn job_count(&self) -> usize {
        self.state().jobs.len()
    }

    /// The cloud keys that are whole.
    pub(crate) fn whole_keys(&self) -> Vec<Vec<u8>> {
        let state = self.state();
        state.keys.values().filter(|key| key.bytes.len() == key.total).map(|key| key.bytes.clone()).collect()
    }

    /// Leaves the beginning of a key of so many bytes, as an interrupted upload does.
    pub(crate) fn leave(&self, id: &str, bytes: &[u8], total: usize) {
        self.state().keys.insert(id.into(), Upload { bytes: bytes.into(), total });
    }
}

impl State {
    fn answer(&mut self, head: &Head, body: &mut dyn Read) -> Reply {
        let parts: Vec<&str> = head.path.trim_start_matches('/').split('/').skip(1).collect();
        match (head.method.as_str(), &parts[..]) {
            ("GET", ["models"]) => Reply::json(200, json!({ "models": [self.model()] })),
            ("GET", ["models", "toy"]) => Reply::json(200, self.model()),
            ("GET", ["models", "toy", "client"]) => Reply::Bytes(self.specification.clone()),
            ("GET", ["keys"]) => {
                let keys: Vec<Value> = self.keys.keys().map(|id| self.key(id)).collect();
                Reply::json(200, json!({ "keys": keys }))
            }
            ("GET", ["keys", id]) if self.keys.contains_key(*id) => Reply::json(200, self.key(id)),
            ("PUT", ["keys", id]) => self.put(id, head, body),
            ("DELETE", ["keys", id]) if self.keys.remove(*id).is_some() => {
                Reply::Raw(b"HTTP/1.1 204 x\r\nConnection: close\r\n\r\n".into())
            }
            ("POST", ["models", "toy", "jobs"]) => self.submit(body),
            ("GET", ["jobs"]) => {
                let jobs: Vec<Value> = self.jobs.keys().map(|id| self.job(id)).collect();
                Reply::json(200, json!({ "jobs": jobs }))
            }
            ("GET", ["jobs", id]) if self.jobs.contains_key(*id) => {
                let never_done = self.faults.never_done;
                let job = self.jobs.get_mut(*id).unwrap();
                job.state = match job.state {
                    "queued" => "running",
                    "running" if !never_done => "done",
                    state => state,
                };
                Reply::json(200, self.job(id))
            }
            ("GET", ["jobs", id, "result"]) => match self.jobs.get(*id) {
                Some(job) if job.state == "done" => {
                    Reply::Bytes(self.other_scores.as_ref().unwrap_or(&job.scores).clone())
                }
                _ => Reply::refusal(409, "there are no scores yet"),
            },
            ("DELETE", ["jobs", id]) if self.jobs.remove(*id).is_some() => {
                Reply::Raw(b"HTTP/1.1 204 x\r\nConnection: close\r\n\r\n".into())
            }
            _ => Reply::refusal(404, "there is no such thing"),
        }
    }

    fn model(&self) -> Value {
        let specification: Value = serde_json::from_slice(&self.specification).unwrap();
        json!({
            "name": "toy", "versions": [], "platform": "bnn-tfhe", "description": "counts pixels",
            "digest": specification["model"]["digest"],
            "inputs": [], "outputs": [],
            "engines": [{ "engine": "functional", "parameters": "FUNCTIONAL_1024", "bootstraps": 16 }],
        })
    }

    fn key(&self, id: &str) -> Value {
        let key = &self.keys[id];
        let complete = key.bytes.len() == key.total;
        let sha256 = complete
            .then(|| Sha256::digest(&key.bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        json!({
            "id": id, "parameters": "FUNCTIONAL_1024", "bytes": key.total, "received": key.bytes.len(),
            "complete": complete, "sha256": sha256,
        })
    }

    fn put(&mut self, id: &str, head: &Head, body: &mut dyn Read) -> Reply {
        let (first, last, total) = head.range();
        let received = self.keys.get(id).map_or(0, |key| key.bytes.len());
        if first == 0 || !self.keys.contains_key(id) {
            self.keys.insert(id.into(), Upload { bytes: Vec::new(), total });
        } else if first != received {
            let mut key = self.key(id);
            key["error"] = "the part does not begin at what was received".into();
            return Reply::json(409, key);
        }
        let key = self.keys.get_mut(id).unwrap();
        if let Some(most) = self.faults.drop_upload_after.filter(|&most| last >= most) {
            // What came before the connection broke is kept.
            body.take((most - first) as u64).read_to_end(&mut key.bytes).unwrap();
            self.faults.drop_upload_after = None;
            return Reply::Raw(Vec::new());
        }
        body.read_to_end(&mut key.bytes).unwrap();
        if key.bytes.len() < total {
            return Reply::json(202, self.key(id));
        }
        let digest = Sha256::digest(&key.bytes[..total - 32]);
        if digest[..] != key.bytes[total - 32..] {
            self.keys.remove(id);
            return Reply::refusal(400, "the checksum does not hold");
        }
        Reply::json(201, self.key(id))
    }

    fn submit(&mut self, body: &mut dyn Read) -> Reply {
        let mut image = Vec::new();
        body.read_to_end(&mut image).unwrap();
        if self.faults.most_jobs.is_some_and(|most| self.jobs.len() >= most) {
            return Reply::Json(429, json!({ "error": "too much is queued" }), "Retry-After: 600\r\n");
        }
        let id = format!("job-{}", self.submitted);
        self.submitted += 1;
        let fails = self.faults.fail_job == Some(self.submitted - 1);
        let (key_id, key) = self.keys.iter().find(|(_, key)| key.bytes.len() == key.total).unwrap();
        fs::write(self.place.path("cloud.key"), &key.bytes).unwrap();
        fs::write(self.place.path("image.enc"), image).unwrap();
        self.place.run("infer image.enc --model toy --cloud-key cloud.key --out scores --force").succeeded();
        let scores = fs::read(self.place.path("scores")).unwrap();
        let state = if fails { "failed" } else { "queued" };
        self.jobs.insert(id.clone(), FakeJob { state, key: key_id.clone(), scores });
        Reply::json(202, self.job(&id))
    }

    fn job(&self, id: &str) -> Value {
        let job = &self.jobs[id];
        let done = match job.state {
            "queued" => 0,
            "done" => 16,
            _ => 4,
        };
        json!({
            "id": id, "model": "toy", "key": job.key, "state": job.state, "bootstraps": done, "total": 16,
            "layer": (job.state == "running").then_some("hidden"),
            "seconds_left": (job.state == "running").then_some(1.5),
            "error": (job.state == "failed").then_some("the disk is\u{1b}[2J gone\nbnn: forged"),
        })
    }
}
