//! The queue: bounds, fairness, and keys that do not fit into memory together.

use std::{io::Write, net::TcpStream, thread};

use tempfile::TempDir;

use crate::{
    party::{Party, alice, bob, gina},
    running::{Running, config, counting, shipped},
};

/// The value of a metric without labels.
fn metric(service: &Running, name: &str) -> u64 {
    let text = service.get("/metrics").is(200).text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
}

fn check(service: &Running, party: &Party, class: usize) {
    let picture = party.picture(service, "counting", class);
    let scores = service.post("/v2/models/counting/infer", &picture).is(200).body;
    assert_eq!(party.label(service, "counting", &scores), class);
}

/// A job of minutes of one key does not keep another key's seconds waiting.
#[test]
fn a_short_request_overtakes_a_long_job() {
    let folder = TempDir::new().unwrap();
    let models = vec![counting("counting"), shipped("perceptron")];
    let service = Running::start(server::Config { models, ..config(&folder) });
    gina().upload(&service);
    alice().upload(&service);
    let long = gina().picture(&service, "perceptron", 4);
    let job = service.post("/v2/models/perceptron/jobs", &long).is(202).header("location").to_owned();
    for class in 0..3 {
        check(&service, alice(), class);
    }
    let state = service.get(&job).is(200).json()["state"].clone();
    assert_ne!(state, "done", "it should take much longer than three pictures");
    service.delete(&job).is(204);
}

#[test]
fn many_clients_at_once_are_answered_and_a_key_is_expanded_once() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    for party in [alice(), bob()] {
        party.upload(&service);
    }
    thread::scope(|scope| {
        for client in 0..8 {
            let (service, party) = (&service, if client % 2 == 0 { alice() } else { bob() });
            scope.spawn(move || check(service, party, client));
        }
    });
    assert_eq!(metric(&service, "bnn_key_expansions_total"), 2);
}

/// With memory for one key, two take turns in it, and a run of minutes is put aside and taken up.
#[test]
fn keys_that_do_not_fit_together_take_turns_in_memory() {
    let folder = TempDir::new().unwrap();
    let models = vec![counting("counting"), shipped("perceptron")];
    // More than one of them is reckoned with, and less than two of them have.
    let memory_bytes = 180_000_000;
    let service = Running::start(server::Config { models, memory_bytes, ..config(&folder) });
    for party in [alice(), bob(), gina()] {
        party.upload(&service);
    }
    let long = gina().picture(&service, "perceptron", 4);
    let job = service.post("/v2/models/perceptron/jobs", &long).is(202).header("location").to_owned();
    for (party, class) in [(alice(), 1), (bob(), 2), (alice(), 3)] {
        check(&service, party, class);
        assert!(metric(&service, "bnn_key_bytes") <= memory_bytes);
    }
    assert!(metric(&service, "bnn_key_expansions_total") >= 4);
    let state = service.get(&job).is(200).json();
    assert!(state["state"] == "running" && state["bootstraps"].as_u64().unwrap() > 0, "{state}");
    service.delete(&job).is(204);
    // What cannot fit at all is told before it is queued.
    drop(service);
    let service = Running::start(server::Config { memory_bytes: 120_000_000, ..config(&folder) });
    let picture = alice().picture(&service, "counting", 1);
    service.post("/v2/models/counting/infer", &picture).refuses(422, "of memory");
}

/// A key that was deleted leaves the memory: what is sent in its place, under the same identity, is what counts from then on.
#[test]
fn a_deleted_key_leaves_the_memory() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    alice().upload(&service);
    check(&service, alice(), 1);
    assert!(metric(&service, "bnn_key_bytes") > 0);
    service.delete(&alice().key_path()).is(204);
    while metric(&service, "bnn_key_bytes") > 0 {
        thread::yield_now();
    }
    alice().upload(&service);
    check(&service, alice(), 2);
    assert_eq!(metric(&service, "bnn_key_expansions_total"), 2);
}

#[test]
fn more_than_the_queue_takes_is_told_to_come_later() {
    let folder = TempDir::new().unwrap();
    let models = vec![counting("counting"), shipped("perceptron")];
    let service = Running::start(server::Config { models, queued_bootstraps: 1_000, ..config(&folder) });
    gina().upload(&service);
    alice().upload(&service);
    // Alone it may be longer than the queue.
    let long = gina().picture(&service, "perceptron", 4);
    let job = service.post("/v2/models/perceptron/jobs", &long).is(202).header("location").to_owned();
    let picture = alice().picture(&service, "counting", 2);
    let answer = service.post("/v2/models/counting/infer", &picture);
    answer.refuses(429, "too much is queued");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    service.delete(&job).is(204);
    // The worker lets go of it within a turn.
    while service.post("/v2/models/counting/infer", &picture).status == 429 {
        thread::yield_now();
    }
    check(&service, alice(), 2);
}

/// A client that goes away takes its work with it.
#[test]
fn the_work_of_a_client_that_has_gone_is_dropped() {
    let folder = TempDir::new().unwrap();
    let models = vec![counting("counting"), shipped("sign-cnn")];
    let service = Running::start(server::Config { models, ..config(&folder) });
    alice().upload(&service);
    let picture = alice().picture(&service, "sign-cnn", 4);
    {
        let mut stream = TcpStream::connect(service.address).unwrap();
        let head = format!(
            "POST /v2/models/sign-cnn/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
            picture.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&picture).unwrap();
        while metric(&service, "bnn_queued_bootstraps") == 0 {
            thread::yield_now();
        }
    }
    while metric(&service, "bnn_queued_bootstraps") > 0 {
        thread::yield_now();
    }
    let text = service.get("/metrics").is(200).text();
    assert!(!text.contains("model=\"sign-cnn\",ended=\"done\""), "{text}");
    check(&service, alice(), 5);
}
