//! `bnn serve` as a process: kills, signals, full disks, hostile clients, and everything that it must refuse to begin with.

#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs,
    hash::{BuildHasher, RandomState},
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

use assert_cmd::cargo::cargo_bin;
use bnn::{
    client::{Client, ClientSpecification, EncryptedScores},
    data::Image,
};
use serde_json::Value;
use tfhe_core::{keys::SecretKey, random::SecretSeed};

use crate::{
    native,
    place::{Outcome, Place},
    service::{Service, command},
    stopped::signal,
    toy,
};

/// A key pair of a place, and what its owner does with it.
struct Party {
    secret: Arc<SecretKey>,
    cloud: Vec<u8>,
}

impl Party {
    fn of(place: &Place, keys: &str) -> Self {
        let secret = Arc::new(native::load(&place.path(&format!("{keys}/secret.key"))));
        Self { secret, cloud: fs::read(place.path(&format!("{keys}/cloud.key"))).unwrap() }
    }

    fn id(&self) -> String {
        self.secret.id().to_string()
    }

    fn path(&self) -> String {
        format!("/v2/keys/{}", self.id())
    }

    fn client(&self, service: &Service, model: &str) -> Client {
        let specification = service.get(&format!("/v2/models/{model}/client")).is(200).body;
        let specification = ClientSpecification::from_bytes(&specification).unwrap();
        Client::new(Arc::new(specification), Arc::clone(&self.secret)).unwrap()
    }

    /// A picture of a class of the toy, encrypted for a model of pictures of its size.
    fn picture(&self, service: &Service, model: &str, class: usize) -> Vec<u8> {
        let client = self.client(service, model);
        let encoded = client.encode(&Image::grey(toy::SIDE, toy::SIDE, toy::pixels(class)).unwrap()).unwrap();
        client.encrypt(&encoded, SecretSeed::from_os().unwrap()).unwrap().to_bytes().unwrap()
    }

    fn label(&self, service: &Service, scores: &[u8]) -> usize {
        let scores = EncryptedScores::from_bytes(scores).unwrap();
        self.client(service, "toy").decrypt(&scores).unwrap().label()
    }

    /// Has a picture of the toy evaluated, and asserts its label.
    #[track_caller]
    fn assert_served(&self, service: &Service, class: usize) {
        let picture = self.picture(service, "toy", class);
        let scores = service.post("/v2/models/toy/infer", &picture).is(200).body;
        assert_eq!(self.label(service, &scores), class);
    }
}

/// Numbers that differ from run to run; the seed is printed, and says which they were.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        // Its keys are drawn by the operating system.
        let seed = RandomState::new().hash_one(0) | 1;
        println!("seed {seed}");
        Self(seed)
    }

    /// A number below `bound`: xorshift (Marsaglia, 2003).
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// What a service has acknowledged to a party.
#[derive(Default)]
struct Acknowledged {
    received: usize,
    is_whole: bool,
    /// Paths of jobs, with their classes.
    jobs: BTreeMap<String, usize>,
    /// Results that were read.
    results: BTreeMap<String, Vec<u8>>,
}

impl Acknowledged {
    /// Asserts that a new process knows everything; more may have been stored than was acknowledged.
    fn assert_kept(&mut self, service: &Service, party: &Party) {
        if self.received > 0 {
            let key = service.get(&party.path()).is(200).json();
            let received = key["received"].as_u64().unwrap() as usize;
            assert!(received >= self.received, "{key}, where {} were acknowledged", self.received);
            assert!(key["complete"].as_bool().unwrap() || !self.is_whole, "{key}");
            self.received = received;
        }
        for path in self.jobs.keys() {
            service.get(path).is(200);
        }
        for (path, result) in &self.results {
            assert_eq!(&service.get(&format!("{path}/result")).is(200).body, result);
        }
    }

    /// Sends the key and then jobs, and reads results, until the service is gone.
    fn work(&mut self, service: &Service, party: &Party, chance: &mut Chance) -> Option<()> {
        while !self.is_whole {
            let end = party.cloud.len().min(self.received + 1 + chance.below(8 << 20));
            // Where the last byte was stored before a kill, the file is there and was not looked at: any part has that done.
            let first = self.received.min(party.cloud.len() - 1);
            let answer = service.try_put(&party.path(), &party.cloud, first, end)?;
            assert!(matches!(answer.status, 200..=202), "{answer:?}");
            self.received = answer.json()["received"].as_u64().unwrap() as usize;
            self.is_whole = answer.json()["complete"].as_bool().unwrap();
        }
        loop {
            let class = chance.below(10);
            let specification = service.try_get("/v2/models/toy/client")?;
            let client = Client::new(
                Arc::new(ClientSpecification::from_bytes(&specification.body).unwrap()),
                Arc::clone(&party.secret),
            );
            let client = client.unwrap();
            let encoded =
                client.encode(&Image::grey(toy::SIDE, toy::SIDE, toy::pixels(class)).unwrap()).unwrap();
            let picture =
                client.encrypt(&encoded, SecretSeed::from_os().unwrap()).unwrap().to_bytes().unwrap();
            let answer = service.try_post("/v2/models/toy/jobs", &picture)?.is(202);
            self.jobs.insert(answer.location.clone(), class);
            let path = answer.location;
            let job = service.try_get(&format!("{path}?wait=60"))?.is(200).json();
            if job["state"] == "done" {
                let result = service.try_get(&format!("{path}/result"))?.is(200).body;
                self.results.insert(path, result);
            }
        }
    }
}

#[test]
fn nothing_that_was_acknowledged_is_lost_by_kills() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    let parties = [Party::of(&place, "keys"), Party::of(&place, "gates")];
    let mut chance = Chance::new();
    let mut acknowledged = [Acknowledged::default(), Acknowledged::default()];
    for round in 0..8 {
        let service = Service::start(&place, "data", "--model toy");
        let (party, kept) = (&parties[round % 2], &mut acknowledged[round % 2]);
        kept.assert_kept(&service, party);
        let moment = Duration::from_micros(chance.below(2_000_000) as u64);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Any moment will do: nothing is asserted of how much was done by then.
                thread::sleep(moment);
                signal(&service.child, "KILL");
            });
            kept.work(&service, party, &mut chance);
        });
        let end = service.wait();
        assert_eq!(end.status.signal(), Some(9), "{end:?}");
    }
    let service = Service::start(&place, "data", "--model toy");
    for (party, kept) in parties.iter().zip(&mut acknowledged) {
        println!("{} bytes, {} jobs, {} results", kept.received, kept.jobs.len(), kept.results.len());
        kept.assert_kept(&service, party);
        for (path, class) in &kept.jobs {
            assert_eq!(service.ended(path)["state"], "done");
            let scores = service.get(&format!("{path}/result")).is(200).body;
            assert_eq!(party.label(&service, &scores), *class);
        }
        service.put(&party.path(), &party.cloud);
        party.assert_served(&service, 6);
    }
    let listed = service.get("/v2/jobs").is(200).json();
    let known: usize = acknowledged.iter().map(|kept| kept.jobs.len()).sum();
    assert!(listed["jobs"].as_array().unwrap().len() >= known, "{listed}");
}

/// A kill between the last byte of a key and the look at the whole: nothing is to be sent again but one byte.
#[test]
fn a_key_of_which_all_was_received_is_completed_after_a_kill() {
    let place = Place::furnished();
    let alice = Party::of(&place, "keys");
    loop {
        let service = Service::start(&place, "data", "--model toy");
        thread::scope(|scope| {
            let sent = scope.spawn(|| service.try_put(&alice.path(), &alice.cloud, 0, alice.cloud.len()));
            while !sent.is_finished() {
                let key = service.get(&alice.path());
                if key.status == 200 && key.json()["received"] == alice.cloud.len() {
                    break;
                }
            }
            signal(&service.child, "KILL");
        });
        service.wait();
        let service = Service::start(&place, "data", "--model toy");
        let key = service.get(&alice.path()).is(200).json();
        if key["complete"] == false {
            let all = alice.cloud.len();
            assert_eq!(key["received"], all);
            let key = service.try_put(&alice.path(), &alice.cloud, all - 1, all).unwrap().is(200).json();
            assert_eq!(key["complete"], true);
            alice.assert_served(&service, 3);
            break;
        }
        // It was looked at before the kill: again.
        service.delete(&alice.path()).is(204);
    }
}

/// The value of a metric without labels.
fn metric(service: &Service, name: &str) -> u64 {
    let text = String::from_utf8(service.get("/metrics").is(200).body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
}

/// A request that runs is answered, and a run of minutes is saved; a kill after that takes nothing of it away.
#[test]
fn a_service_that_is_told_to_end_answers_and_saves() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    let (alice, gina) = (Party::of(&place, "keys"), Party::of(&place, "gates"));
    let models = "--model perceptron";
    let service = Service::start(&place, "data", models);
    service.put(&gina.path(), &gina.cloud).is(201);
    let long = gina.picture(&service, "perceptron", 4);
    let job = service.post("/v2/models/perceptron/jobs", &long).is(202).location;
    while service.get(&job).is(200).json()["bootstraps"] == 0 {}
    service.put(&alice.path(), &alice.cloud).is(201);
    let picture = alice.picture(&service, "perceptron", 3);
    let (waited, answer) = thread::scope(|scope| {
        let infer = scope.spawn(|| service.post("/v2/models/perceptron/infer", &picture));
        let waiting = scope.spawn(|| service.try_get(&format!("{job}?wait=60")));
        // Once its key is brought into memory, beside the job's, the request is in hand.
        while metric(&service, "bnn_key_expansions_total") < 2 && !infer.is_finished() {}
        signal(&service.child, "TERM");
        (waiting.join().unwrap(), infer.join().unwrap())
    });
    answer.is(200);
    // It may have come too late.
    if let Some(waited) = waited {
        assert_eq!(waited.is(200).json()["state"], "running");
    }
    let end = service.wait();
    assert_eq!(end.status.code(), Some(0), "{end:?}");

    for _ in 0..2 {
        let service = Service::start(&place, "data", models);
        let kept = service.get(&job).is(200).json();
        assert!(kept["bootstraps"].as_u64().unwrap() > 0, "{kept}");
        service.kill();
    }
    let service = Service::start(&place, "data", models);
    service.delete(&job).is(204);
    assert_eq!(service.end().status.code(), Some(0));
}

/// A client that never ends its request holds a service that is told to end for a while, and not if it is told again.
#[test]
fn a_second_interruption_ends_it_at_once() {
    let place = Place::furnished();
    let service = Service::start(&place, "data", "--model toy");
    let mut stream = TcpStream::connect(service.address()).unwrap();
    let head = "POST /v2/models/toy/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // The service has the request in hand when it asks for its body.
    let mut asked = [0; 12];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    signal(&service.child, "INT");
    while TcpStream::connect(service.address()).is_ok() {}
    signal(&service.child, "INT");
    let end = service.wait();
    assert_eq!(end.status.code(), Some(130), "{end:?}");
    assert!(end.stderr.ends_with("{\"error\":\"interrupted\"}\n"), "{}", end.stderr);
}

/// A file that may not grow, as on a disk that is full: the service says so, and goes on with what has room.
#[test]
fn a_full_disk_is_told_and_survived() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    let (alice, gina) = (Party::of(&place, "keys"), Party::of(&place, "gates"));
    let inner = command(&place, "data", "--model toy");
    let mut limited = Command::new("sh");
    // 512 bytes each: more than one key has, and less than both have.
    limited.args(["-c", "ulimit -f 60000 && exec \"$@\"", "sh"]).arg(inner.get_program());
    limited.args(inner.get_args()).current_dir(place.path(""));
    let service = Service::of(limited);
    service.put(&gina.path(), &gina.cloud).is(201);
    gina.assert_served(&service, 3);
    let full = service.put(&alice.path(), &alice.cloud).is(507).json();
    assert_eq!(full["error"], "the service's disk is full");
    let document = service.get("/openapi.json").is(200).json();
    assert!(document["paths"]["/v2/keys/{id}"]["put"]["responses"]["507"].is_object());
    // What is there still works. A job may find room where its result finds none, which is stored once there is some.
    gina.assert_served(&service, 4);
    let picture = gina.picture(&service, "toy", 5);
    let job = service.post("/v2/models/toy/jobs", &picture);
    assert!(matches!(job.status, 202 | 507), "{job:?}");
    service.put(&alice.path(), &alice.cloud).is(507);
    service.delete(&alice.path()).is(204);
    if job.status == 202 {
        assert_eq!(service.ended(&job.location)["state"], "done");
        let scores = service.get(&format!("{}/result", job.location)).is(200).body;
        assert_eq!(gina.label(&service, &scores), 5);
    }
    service.delete(&gina.path()).is(204);
    service.put(&gina.path(), &gina.cloud).is(201);
    gina.assert_served(&service, 7);
    assert_eq!(service.end().status.code(), Some(0));
}

#[test]
fn what_cannot_begin_is_told_in_a_line() {
    let place = Place::furnished();
    fs::create_dir(place.path("other")).unwrap();
    toy::write_model(&place.path("other/toy"), "toy");
    fs::write(place.path("none.pem"), "no PEM").unwrap();
    let bad = [
        ("--model none", 1, "there is no model \"none\""),
        ("--model toy --model other/toy", 1, "two models have the name \"toy\""),
        ("--model toy --memory 1", 1, "1 bytes of memory"),
        ("--model toy --memory 0", 2, ""),
        ("--model toy --listen nowhere", 2, ""),
        ("--model toy --tls-certificate none.pem --tls-key none.pem", 1, "none.pem: TLS: "),
        ("--model toy --tls-certificate none --tls-key none.pem", 1, "none: "),
        ("--model toy --tls-certificate none.pem", 2, ""),
    ];
    for (arguments, code, what) in bad {
        let line = format!("serve --data data --listen 127.0.0.1:0 {arguments}")
            .replace("--listen 127.0.0.1:0 --model toy --listen", "--model toy --listen");
        let before = place.listing();
        let outcome = place.run(&line);
        assert_eq!(outcome.code, Some(code), "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(what), "{line}: {outcome:?}");
        assert!(code == 2 || outcome.stderr.lines().count() == 1, "{line}: {outcome:?}");
        assert!(place.listing() == before, "{line}: the folder has changed");
    }
    // Other machines, without a token.
    place.refuses("serve --data data --model toy --listen 0.0.0.0:0", &["bnn token add NAME"]);
    // A port that is taken.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    place.refuses(
        &format!("serve --data data --model toy --listen {address}"),
        &[&address.to_string(), "in use", "--listen"],
    );
    // A list of tokens that is none.
    for text in ["", "{}", "{\"tokens\": 1}", "{\"tokens\": [{\"name\": \"../x\"}]}", "\u{0}"] {
        fs::create_dir_all(place.path("data")).unwrap();
        fs::write(place.path("data/tokens.json"), text).unwrap();
        for line in ["serve --model toy --listen 127.0.0.1:0", "token list", "token add anna"] {
            place.refuses(&format!("{line} --data data"), &["data/tokens.json", "no list of tokens"]);
        }
    }
    // A database that is none.
    fs::remove_dir_all(place.path("data")).unwrap();
    fs::create_dir(place.path("data")).unwrap();
    fs::write(place.path("data/service.redb"), "no database").unwrap();
    place.refuses("serve --data data --model toy --listen 127.0.0.1:0", &["data: "]);
}

#[test]
fn a_folder_is_of_one_service() {
    let place = Place::furnished();
    let alice = Party::of(&place, "keys");
    let service = Service::start(&place, "data", "--model toy");
    service.put(&alice.path(), &alice.cloud).is(201);
    place.refuses("serve --data data --model toy --listen 127.0.0.1:0", &["data: another process"]);
    alice.assert_served(&service, 2);
    service.kill();
    let service = Service::start(&place, "data", "--model toy");
    alice.assert_served(&service, 8);
}

#[test]
fn two_services_answer_eight_clients_at_once() {
    let place = Place::furnished();
    place.run("keygen --engine gates --out gates").succeeded();
    let parties = [Party::of(&place, "keys"), Party::of(&place, "gates")];
    let services = ["one", "two"].map(|data| Service::start(&place, data, "--model toy"));
    thread::scope(|scope| {
        for client in 0..8 {
            let (service, party) = (&services[client % 2], &parties[client / 2 % 2]);
            scope.spawn(move || {
                // Four send the same key at once: it comes to one of them at least, and the others go on where it is.
                loop {
                    let answer = service.put(&party.path(), &party.cloud);
                    if matches!(answer.status, 200 | 201) {
                        break;
                    }
                    assert_eq!(answer.status, 409, "{answer:?}");
                }
                for class in [client, 9 - client] {
                    party.assert_served(service, class);
                }
            });
        }
    });
    for service in services {
        assert_eq!(service.end().status.code(), Some(0));
    }
}

/// Sends bytes as they are, and gives what comes back until the other side closes.
fn send_raw(service: &Service, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(service.address()).unwrap();
    // The service may stop to listen in the middle.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// The log tells numbers and routes. It has no line that a client wrote, and nothing that names a client.
#[test]
fn the_log_names_no_client_and_cannot_be_forged() {
    let place = Place::furnished();
    let token = place.run("token add anna --scope upload --scope infer --data data --json").json();
    let token = token["token"].as_str().unwrap();
    let alice = Party::of(&place, "keys");
    let mut service = Service::start(&place, "data", "--model toy");
    service.use_token(token);
    service.put(&alice.path(), &alice.cloud).is(201);
    alice.assert_served(&service, 3);
    let job =
        service.post("/v2/models/toy/jobs", &alice.picture(&service, "toy", 4)).is(202).location.to_owned();
    service.ended(&job);
    service.delete(&alice.path()).is(204);
    for request in [
        "GET /%0aforged HTTP/1.1\r\nhost: forged\r\nconnection: close\r\n\r\n",
        "GET /v2/models/%0d%0aforged HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "GET /v2/jobs/forged%00?wait=%0aforged HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "GET /v2?forged={\"level\":\"forged\"} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "FORGED /v2 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "GET /v2\nforged HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nhost: localhost\r\nuser-agent: forged\tforged\r\norigin: forged\r\nconnection: close\r\n\r\n",
        "GET /v2/keys HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer forged\r\nconnection: close\r\n\r\n",
    ] {
        let answer = send_raw(&service, request.as_bytes());
        assert!(answer.starts_with(b"HTTP/1.1 "), "{request}: {answer:?}");
    }
    send_raw(
        &service,
        b"GET /\xff\xfe HTTP/1.1\r\nhost: localhost\r\nforged: \xff\xfe\r\nconnection: close\r\n\r\n",
    );
    service.post("/v2/models/toy/infer", b"\nforged\n\xff").is(400);
    service.put("/v2/keys/00000000000000000000000000000000", b"\nforged\n\xff").is(400);
    let log = service.end().stderr;
    let id = job.rsplit('/').next().unwrap();
    for secret in ["forged", "FORGED", token, &alice.id(), id, "\u{fffd}", "anna"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    let names =
        ["timestamp", "level", "message", "id", "method", "path", "status", "seconds", "received", "sent"];
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        for (name, value) in event.as_object().unwrap() {
            assert!(names.contains(&&name[..]), "{line}");
            assert!(value.as_str().is_none_or(|text| text.len() < 40), "{line}");
        }
    }
    assert!(log.lines().count() > 10, "{log}");
}

#[test]
fn a_token_is_shown_once_kept_from_others_and_removed() {
    let place = Place::furnished();
    let text = place.run("token add anna --scope upload --data data");
    assert_eq!((text.code, text.stdout.lines().count()), (Some(0), 1), "{text:?}");
    assert!(text.stderr.contains("kept nowhere"), "{text:?}");
    let token = text.stdout.trim();
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/tokens.json")), (0o700, 0o600));
    for line in ["token list --data data", "token list --data data --json"] {
        let list = place.run(line).succeeded();
        assert!(list.contains("anna") && !list.contains(token), "{list}");
    }
    assert!(!fs::read_to_string(place.path("data/tokens.json")).unwrap().contains(token));
    place.refuses("token add anna --data data", &["there is a token \"anna\" already"]);
    place.refuses("token remove ben --data data", &["no token \"ben\"", "bnn token list"]);
    assert_eq!(place.run("token add ../anna --data data").code, Some(2));

    let status = |token: &str| {
        let mut service = Service::start(&place, "data", "--model toy");
        service.use_token(token);
        service.get("/v2/keys").status
    };
    assert_eq!((status(token), status("forged")), (200, 401));
    let other = place.run("token add ben --data data --json").json()["token"].as_str().unwrap().to_owned();
    place.run("token remove anna --data data").succeeded();
    assert_eq!((status(token), status(&other)), (401, 200));
    assert_eq!(mode("data/tokens.json"), 0o600);
}

/// Tokens that are made and removed count for a service that runs.
#[test]
fn tokens_come_and_go_while_it_runs() {
    let place = Place::furnished();
    let add = |name: &str| {
        let token = place.run(&format!("token add {name} --scope upload --data data --json")).json();
        token["token"].as_str().unwrap().to_owned()
    };
    let mut service = Service::start(&place, "data", "--model toy");
    let wait_for = |service: &Service, status: u16| while service.get("/v2/keys").status != status {};
    service.get("/v2/keys").is(200);
    let anna = add("anna");
    wait_for(&service, 401);
    service.use_token(&anna);
    service.get("/v2/keys").is(200);
    let ben = add("ben");
    service.use_token(&ben);
    wait_for(&service, 200);
    // A list that is none leaves them as they were: also when the next one has come.
    fs::write(place.path("data/tokens.json"), "none").unwrap();
    service.get("/v2/keys").is(200);
    fs::remove_file(place.path("data/tokens.json")).unwrap();
    wait_for(&service, 401);
    let log = service.end().stderr;
    assert!(log.contains("the list of tokens has changed"), "{log}");
}

/// What people read when they start it by hand.
#[test]
fn people_are_told_where_it_listens() {
    use std::io::{BufRead, BufReader};
    let place = Place::furnished();
    let mut command = Command::new(cargo_bin!("bnn"));
    command.args(["serve", "--model", "toy", "--data", "data", "--listen", "127.0.0.1:0"]);
    command.current_dir(place.path("")).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("service  http://127.0.0.1:"), "{first}");
    let rest: Vec<String> = lines.by_ref().take(4).map(Result::unwrap).collect();
    assert!(rest[0].contains("toy") && rest[3].contains("Ctrl-C"), "{rest:?}");
    signal(&child, "INT");
    assert_eq!(Outcome::of_child(child).code, Some(0));
}
