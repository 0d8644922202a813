//! Evaluations that are asked about later.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use tempfile::TempDir;

use crate::{
    party::{alice, gina},
    running::{Running, config, shipped},
};

#[test]
fn a_job_is_taken_once_waited_for_and_forgotten() {
    let folder = TempDir::new().unwrap();
    let (path, scores);
    {
        let service = Running::start(config(&folder));
        alice().upload(&service);
        let picture = alice().picture(&service, "counting", 4);
        let taken = service.post("/v2/models/counting/jobs", &picture).is(202);
        path = taken.header("location").to_owned();
        let again = service.post("/v2/models/counting/jobs", &picture).is(200);
        assert_eq!(again.json()["id"], taken.json()["id"]);
        let done = service.get(&format!("{path}?wait=60")).is(200).json();
        assert_eq!((done["state"].as_str(), &done["bootstraps"]), (Some("done"), &done["total"]));
        assert!(done["seconds_left"].is_null() && done["error"].is_null() && done["layer"].is_null());
        scores = service.get(&format!("{path}/result")).is(200).body;
        assert_eq!(alice().label(&service, "counting", &scores), 4);
    }
    // The result outlives the process.
    let service = Running::start(config(&folder));
    assert_eq!(service.get(&format!("{path}/result")).is(200).body, scores);
    assert_eq!(service.get("/v2/jobs").is(200).json()["jobs"].as_array().unwrap().len(), 1);
    service.delete(&path).is(204);
    service.get(&path).refuses(404, "no such job");
    service.get(&format!("{path}/result")).refuses(404, "no such job");
    service.delete(&path).refuses(404, "no such job");
    service.get("/v2/jobs/none").refuses(404, "no such job");
    service.get(&format!("{path}?wait=soon")).refuses(400, "wait");
}

/// A run of minutes goes on in the next process where it was, can be looked at, and can be cancelled.
#[test]
fn a_long_job_goes_on_after_a_stop_and_can_be_cancelled() {
    let folder = TempDir::new().unwrap();
    let config = || server::Config { models: vec![shipped("perceptron")], ..config(&folder) };
    let path;
    let before;
    {
        let service = Running::start(config());
        gina().upload(&service);
        let picture = gina().picture(&service, "perceptron", 4);
        path = service.post("/v2/models/perceptron/jobs", &picture).is(202).header("location").to_owned();
        service.get(&format!("{path}/result")).refuses(409, "has not ended");
        before = loop {
            let job = service.get(&path).is(200).json();
            assert!(matches!(job["state"].as_str(), Some("queued" | "running")), "{job}");
            let done = job["bootstraps"].as_u64().unwrap();
            if done > 0 && job["layer"].is_string() {
                break done;
            }
        };
    }
    let service = Running::start(config());
    let job = service.get(&path).is(200).json();
    assert!(job["bootstraps"].as_u64().unwrap() >= before, "{job}, where {before} were done");
    service.delete(&path).is(204);
    service.get(&path).refuses(404, "no such job");
    // The worker is free for others.
    service.get("/v2/jobs").is(200);
}

#[test]
fn the_jobs_of_a_key_go_with_it() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(server::Config { models: vec![shipped("perceptron")], ..config(&folder) });
    gina().upload(&service);
    let picture = gina().picture(&service, "perceptron", 4);
    let path = service.post("/v2/models/perceptron/jobs", &picture).is(202).header("location").to_owned();
    service.delete(&gina().key_path()).is(204);
    service.get(&path).refuses(404, "no such job");
    service.post("/v2/models/perceptron/jobs", &picture).refuses(422, "was not uploaded");
}

/// A client may go away at any moment: what was stored of its jobs is evaluated all the same, without a restart.
#[test]
fn jobs_whose_clients_have_gone_are_evaluated() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    alice().upload(&service);
    let mut jobs = Vec::new();
    // Some are gone before anything is stored.
    while jobs.len() < 8 {
        let picture = alice().picture(&service, "counting", jobs.len());
        let head = format!(
            "POST /v2/models/counting/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
            picture.len()
        );
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.write_all(&[head.as_bytes(), &picture].concat()).unwrap();
        drop(stream);
        jobs = service.get("/v2/jobs").is(200).json()["jobs"].as_array().unwrap().clone();
    }
    for job in jobs {
        let path = format!("/v2/jobs/{}?wait=60", job["id"].as_str().unwrap());
        assert_eq!(service.get(&path).is(200).json()["state"], "done");
    }
}

/// Who waits for a job when the service ends is told how far it is, and does not keep the service.
#[test]
fn who_waits_does_not_keep_a_service_that_ends() {
    // Where the service ends before it has read the request, there is no answer, and nothing to see.
    let answer = (0..5).map(|_| answer_to_who_waits()).find(|answer| answer.contains("HTTP/1.1"));
    let answer = answer.expect("one of five should have been read");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"running\""), "{answer}");
}

fn answer_to_who_waits() -> String {
    let folder = TempDir::new().unwrap();
    let service = Running::start(server::Config { models: vec![shipped("perceptron")], ..config(&folder) });
    gina().upload(&service);
    let picture = gina().picture(&service, "perceptron", 4);
    let path = service.post("/v2/models/perceptron/jobs", &picture).is(202).header("location").to_owned();
    while service.get(&path).is(200).json()["state"] != "running" {}
    // Two requests in one piece: with the answer to the first, the second is there.
    let mut stream = TcpStream::connect(service.address).unwrap();
    let requests = ["/v2/health/live", &format!("{path}?wait=60")];
    let requests = requests.map(|path| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    stream.write_all(requests.concat().as_bytes()).unwrap();
    let mut first = Vec::new();
    while !first.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        first.extend(byte);
    }
    service.stop.stop();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}
