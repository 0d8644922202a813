//! The client of a service: what it sends, what it makes of answers that a real service gives, and of those that none would.

mod fake;
mod real;
mod stub;

use std::{
    fs,
    io::Read,
    net::TcpListener,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tfhe_core::parameters::{FUNCTIONAL_1024, GATES_DEFAULT};

pub(crate) use self::fake::{Fake, Faults};
use self::stub::{Head, Reply, Stub};
use crate::{
    native::write_secret_key,
    place::{Outcome, Place, cloud_key},
    toy,
};

/// Runs `bnn` with a service.
fn run(place: &Place, line: &str, url: &str) -> Outcome {
    place.run(&format!("{line} --server {url}"))
}

/// The labels in a result.
fn labels(result: &Value) -> Vec<(String, u64)> {
    let classified = result["classified"].as_array().unwrap().iter();
    classified
        .map(|entry| (entry["input"].as_str().unwrap().into(), entry["label"].as_u64().unwrap()))
        .collect()
}

/// The first bytes of the parts of uploads so far.
fn starts(fake: &Fake) -> Vec<usize> {
    fake.stub.heads().iter().filter(|head| head.method == "PUT").map(|head| head.range().0).collect()
}

/// The lines of an outcome's stderr, none of which steers a terminal.
#[track_caller]
fn said(outcome: &Outcome) -> Vec<&str> {
    assert!(!outcome.stderr.contains(|c: char| c.is_control() && c != '\n'), "{outcome:?}");
    outcome.stderr.lines().collect()
}

fn key_id(place: &Place) -> String {
    place.run("inspect keys/secret.key --json").json()["key_id"].as_str().unwrap().into()
}

#[test]
fn a_picture_is_classified_and_the_key_is_sent_once() {
    let (fake, place) = (Fake::new(Faults::default()), Place::furnished());
    let line = "classify 4.png --model toy --json";
    let result = run(&place, line, &fake.stub.url()).json();
    let key = fs::read(cloud_key()).unwrap();
    assert_eq!(labels(&result), [("4.png".into(), 4)]);
    assert_eq!(result["uploaded_bytes"], key.len());
    assert!(fake.whole_keys() == [key]);
    assert_eq!(fake.job_count(), 0);

    let parts = starts(&fake);
    assert!(parts.len() > 1 && parts[0] == 0, "{parts:?}");
    // The cloud key need not be here any more.
    fs::remove_file(place.path("keys/cloud.key")).unwrap();
    let result = run(&place, line, &fake.stub.url()).json();
    assert_eq!((labels(&result), &result["uploaded_bytes"]), (vec![("4.png".into(), 4)], &0.into()));
    assert_eq!(starts(&fake), parts);
    let told = run(&place, "classify 4.png --model toy", &fake.stub.url()).succeeded();
    assert!(told.contains("The label is 4."), "{told}");
}

#[test]
fn all_pictures_are_sent_before_one_is_waited_for() {
    let (fake, place) = (Fake::new(Faults::default()), Place::furnished());
    for class in [2, 7] {
        toy::write_picture(&place.path(&format!("{class}.png")), &toy::pixels(class));
    }
    fs::write(place.path("text.png"), "no picture").unwrap();
    let outcome = run(&place, "classify 7.png text.png 4.png 2.png --model toy --json", &fake.stub.url());
    assert_eq!(outcome.code, Some(1));
    let result: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(labels(&result), [("7.png".into(), 7), ("4.png".into(), 4), ("2.png".into(), 2)]);
    assert_eq!(result["failed"][0]["input"], "text.png");
    let lines = fake.stub.lines();
    let waits = lines.iter().position(|line| line.starts_with("GET /v2/jobs/")).unwrap();
    assert_eq!(lines[..waits].iter().filter(|line| line.starts_with("POST")).count(), 3, "{lines:?}");
    assert_eq!(fake.job_count(), 0);
}

/// A queue that is full is no failure while jobs of this command are in it.
#[test]
fn a_service_that_takes_few_jobs_gets_them_one_after_the_other() {
    let fake = Fake::new(Faults { most_jobs: Some(1), ..Faults::default() });
    let place = Place::furnished();
    toy::write_picture(&place.path("2.png"), &toy::pixels(2));
    let result = run(&place, "classify 4.png 2.png 4.png --model toy --json", &fake.stub.url()).json();
    assert_eq!(labels(&result), [("4.png".into(), 4), ("2.png".into(), 2), ("4.png".into(), 4)]);
}

#[test]
fn a_job_that_fails_does_not_lose_the_others() {
    let fake = Fake::new(Faults { fail_job: Some(0), ..Faults::default() });
    let place = Place::furnished();
    toy::write_picture(&place.path("2.png"), &toy::pixels(2));
    let outcome = run(&place, "classify 4.png 2.png --model toy --json", &fake.stub.url());
    let result: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(labels(&result), [("2.png".into(), 2)]);
    let lines = said(&outcome);
    assert!(lines.len() == 2 && lines[0].contains("the job failed: the disk is"), "{outcome:?}");
    assert_eq!(fake.job_count(), 0);
}

#[test]
fn an_upload_goes_on_where_it_was_interrupted() {
    let lost = 10_000_000;
    let fake = Fake::new(Faults { drop_upload_after: Some(lost), ..Faults::default() });
    let place = Place::furnished();
    let result = run(&place, "classify 4.png --model toy --json", &fake.stub.url()).json();
    assert_eq!(labels(&result), [("4.png".into(), 4)]);
    let parts = starts(&fake);
    assert!(parts.contains(&lost) && parts.iter().filter(|&&start| start == 0).count() == 1, "{parts:?}");
    assert!(fake.whole_keys() == [fs::read(cloud_key()).unwrap()]);
}

#[test]
fn an_upload_goes_on_after_another_command() {
    let (fake, place) = (Fake::new(Faults::default()), Place::furnished());
    let (key, id) = (fs::read(cloud_key()).unwrap(), key_id(&place));
    let begun = 5_000_000;
    fake.leave(&id, &key[..begun], key.len());
    let result = run(&place, "remote upload --json", &fake.stub.url()).json();
    assert_eq!((starts(&fake)[0], &result["uploaded_bytes"]), (begun, &(key.len() - begun).into()));
    assert_eq!((&result["key"]["id"], &result["key"]["complete"]), (&id.as_str().into(), &true.into()));

    // What was there is no beginning of this key: it is sent again, all of it.
    for (wrong, total) in [(vec![7; begun], key.len()), (key[..begun].to_vec(), key.len() + 1)] {
        fake.leave(&id, &wrong, total);
        run(&place, "remote upload --json", &fake.stub.url()).json();
        assert!(fake.whole_keys() == [key.clone()]);
    }
    // Another key that claims the same identity.
    fake.leave(&id, &[7; 100], 100);
    let outcome = run(&place, "remote upload", &fake.stub.url());
    assert!(outcome.stderr.contains(&format!("`bnn remote forget {id}`")), "{outcome:?}");
}

#[test]
fn keys_that_do_not_fit_are_not_sent() {
    let (fake, place) = (Fake::new(Faults::default()), Place::furnished());
    write_secret_key(&place.path("other.key"), &FUNCTIONAL_1024);
    write_secret_key(&place.path("gates.key"), &GATES_DEFAULT);
    for (key, fragment) in [
        ("other.key", "keys/cloud.key: "),
        ("gates.key", "does not run the model toy on the gates engine"),
        ("none.key", "`bnn keygen` makes one"),
    ] {
        let line = format!("classify 4.png --model toy --key {key} --server {}", fake.stub.url());
        place.refuses(&line, &[fragment]);
    }
    assert!(starts(&fake).is_empty());
}

#[test]
fn scores_that_do_not_belong_to_the_picture_are_refused() {
    let (fake, place, other) = (Fake::new(Faults::default()), Place::furnished(), Place::furnished());
    toy::write_model(&other.path("renamed"), "renamed");
    let scores = |keys: &str, model: &str| {
        other.run(&format!("encrypt 4.png --model {model} --key {keys}/secret.key --force")).succeeded();
        let infer = format!("infer 4.enc --model {model} --cloud-key {keys}/cloud.key --force");
        other.run(&infer).succeeded();
        fs::read(other.path("4.scores")).unwrap()
    };
    other.run("keygen --out others").succeeded();
    let good = scores("keys", "toy");
    for (bytes, fragment) in [
        (scores("others", "toy"), "another key"),
        (scores("keys", "renamed"), "encrypted scores for the model"),
        (good[..good.len() - 1].to_vec(), "/result: "),
        (fs::read(other.path("4.enc")).unwrap(), "holds an encrypted picture instead of encrypted scores"),
        (Vec::new(), "/result: "),
    ] {
        fake.give_scores(bytes);
        let line = format!("classify 4.png --model toy --server {}", fake.stub.url());
        place.refuses(&line, &[fragment]);
        assert_eq!(fake.job_count(), 0);
    }
}

#[cfg(unix)]
#[test]
fn an_interruption_deletes_the_job() {
    use std::process::Stdio;

    let fake = Fake::new(Faults { never_done: true, ..Faults::default() });
    let place = Place::furnished();
    let mut command = place.command(&format!("classify 4.png --model toy --server {}", fake.stub.url()));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Once it asks how far the job is, the command knows the job.
    while !fake.stub.lines().iter().any(|line| line.starts_with("GET /v2/jobs/")) {
        assert!(child.try_wait().unwrap().is_none(), "{:?}", Outcome::of_child(child));
        thread::sleep(Duration::from_millis(10));
    }
    crate::stopped::signal(&child, "INT");
    let outcome = Outcome::of_child(child);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(130), "bnn: interrupted\n"));
    assert_eq!(fake.job_count(), 0);
}

#[test]
fn a_specification_of_another_model_is_refused() {
    let place = Place::furnished();
    let specification = place.run("models --client toy --out -").succeeded().into_bytes();
    let model = json!({ "name": "toy", "digest": "00", "description": "", "engines": [] });
    let stub = Stub::new(move |head, _| match head.path.as_str() {
        "/v2/models/toy/client" => Reply::Bytes(specification.clone()),
        _ => Reply::json(200, model.clone()),
    });
    let line = format!("classify 4.png --model toy --server {}", stub.url());
    place.refuses(&line, &["/v2/models/toy/client: ", "of another model, toy"]);
}

/// A service that answers every request alike.
fn always(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Stub {
    Stub::new(move |_: &Head, _: &mut dyn Read| reply())
}

#[test]
fn answers_that_make_no_sense_are_refused_in_one_line() {
    let place = Place::new();
    let raw = |text: &'static str| move || Reply::Raw(text.into());
    for (stub, fragments) in [
        (always(raw("hello\r\n\r\n")), ["makes no sense", "/v2/models"]),
        (always(|| Reply::Bytes(b"<html>".into())), ["makes no sense", "--server"]),
        (
            always(|| Reply::json(200, json!({ "models": "\u{1b}[2J\nbnn: forged" }))),
            ["makes no sense", "models"],
        ),
        (always(|| Reply::json(200, json!({ "models": [{ "name": 7 }] }))), ["makes no sense", "7"]),
        (always(|| Reply::Bytes(vec![b' '; 5 << 20])), ["larger than", "bytes"]),
        (always(raw("HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")), ["makes no sense", ""]),
        (always(|| Reply::refusal(404, "\u{1b}[2J\r\nbnn: forged")), ["refuses (404)", "forged"]),
        (always(|| Reply::Json(500, json!([]), "")), ["refuses (500): Internal Server Error", ""]),
        (always(|| Reply::refusal(401, "no token")), ["refuses (401): no token", "--token-file"]),
        // Where it leads is not where the token goes.
        (
            always(raw("HTTP/1.1 302 x\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n")),
            ["refuses (302)", ""],
        ),
    ] {
        let outcome = run(&place, "remote models", &stub.url());
        assert_eq!((outcome.code, said(&outcome).len()), (Some(1), 1), "{outcome:?}");
        for fragment in fragments {
            assert!(outcome.stderr.contains(fragment), "no {fragment:?} in {outcome:?}");
        }
        assert!(outcome.stderr.len() < 700, "{outcome:?}");
    }
}

#[test]
fn long_words_of_a_service_are_cut() {
    let stub = always(|| Reply::refusal(404, &"x".repeat(100_000)));
    let outcome = run(&Place::new(), "remote models", &stub.url());
    assert!(outcome.stderr.len() < 700 && outcome.stderr.contains("xxx..."), "{}", outcome.stderr.len());
}

#[test]
fn where_nobody_listens_nothing_is_waited_for() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let place = Place::new();
    let line = format!("remote models --server http://{address}");
    place.refuses(&line, &["no answer: ", "`bnn serve` has to run there"]);
}

/// A service that fails some times, and then answers.
fn at_last(failures: usize, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Stub {
    let count = AtomicUsize::new(0);
    always(move || match count.fetch_add(1, Ordering::Relaxed) {
        count if count < failures => reply(),
        _ => Reply::json(200, json!({ "models": [] })),
    })
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again() {
    for half in
        ["", "HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n{\"models\"", "HTTP/1.1 200 x\r\nContent-Le"]
    {
        let stub = at_last(2, move || Reply::Raw(half.into()));
        run(&Place::new(), "remote models", &stub.url()).succeeded();
        assert_eq!(stub.lines().len(), 3, "{half}");
    }
}

#[test]
fn a_busy_service_is_asked_again_when_it_says() {
    for status in [429, 503] {
        let stub = at_last(1, move || Reply::Json(status, json!({ "error": "busy" }), "Retry-After: 2\r\n"));
        let start = Instant::now();
        run(&Place::new(), "remote models", &stub.url()).succeeded();
        assert!(start.elapsed() >= Duration::from_secs(2));
        assert_eq!(stub.lines().len(), 2);
    }
    // Not in an hour.
    let stub = always(|| Reply::Json(429, json!({ "error": "over the quota" }), "Retry-After: 3600\r\n"));
    Place::new()
        .refuses(&format!("remote models --server {}", stub.url()), &["refuses (429): over the quota"]);
    assert_eq!(stub.lines().len(), 1);
}

#[test]
fn a_token_goes_to_the_service_only() {
    let stub = always(|| Reply::json(200, json!({ "models": [] })));
    let place = Place::new();
    fs::write(place.path("token"), "of-the-file\n").unwrap();
    fs::write(place.path("bad"), "two secret\nlines").unwrap();
    let with_variable = |line: &str, server: &str| {
        let mut command = place.command(&format!("remote models {line}"));
        command.env("BNN_TOKEN", "of-the-variable").env("BNN_SERVER", server);
        // No proxy hears of what is said on this machine.
        command.env("http_proxy", "http://192.0.2.1:9").env("HTTP_PROXY", "http://192.0.2.1:9");
        command
    };
    for (line, sent) in [("", "Bearer of-the-variable"), ("--token-file token", "Bearer of-the-file")] {
        Outcome::of(with_variable(line, &stub.url())).succeeded();
        assert_eq!(stub.heads().last().unwrap().headers["authorization"], sent);
    }
    run(&place, "remote models", &stub.url()).succeeded();
    assert!(!stub.heads().last().unwrap().headers.contains_key("authorization"));

    for line in ["", "--token-file token"] {
        let outcome = Outcome::of(with_variable(line, "http://192.0.2.1:8000"));
        assert_eq!((outcome.code, said(&outcome).len()), (Some(2), 1), "{outcome:?}");
        assert!(
            outcome.stderr.contains("a token is not sent to 192.0.2.1 without encryption"),
            "{outcome:?}"
        );
        assert!(!outcome.stderr.contains("of-the"), "{outcome:?}");
    }
    let outcome = run(&place, "remote models --token-file bad", &stub.url());
    assert!(
        outcome.stderr.contains("bad: this is no token") && !outcome.stderr.contains("secret"),
        "{outcome:?}"
    );
}

#[test]
fn a_service_has_to_be_named_rightly() {
    let place = Place::furnished();
    for line in ["remote models", "classify 4.png", "remote upload"] {
        place.refuses_usage(line, &["--server", "$BNN_SERVER"]);
    }
    for server in ["127.0.0.1:8000", "ftp://example.org", "http://me:secret@example.org"] {
        let outcome = run(&place, "remote keys", server);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
    }
    let mut command = place.command("remote keys");
    command.env("BNN_SERVER", "example.org");
    let outcome = Outcome::of(command);
    assert!(outcome.code == Some(2) && outcome.stderr.contains("$BNN_SERVER is no address"), "{outcome:?}");
    fs::write(place.path("ca"), "none").unwrap();
    place.refuses("remote keys --server https://127.0.0.1:1 --ca ca", &["ca: no certificate in PEM"]);
    place.refuses_usage("remote keys --server http://127.0.0.1:1 --ca ca", &["--ca has no effect"]);
    place.refuses_usage("classify - --key - --server http://127.0.0.1:1", &["standard input"]);
    for id in ["7", "x0112233445566778899aabbccddeeff", "+0112233445566778899aabbccddeeff"] {
        assert_eq!(
            place.run(&format!("remote forget {id} --server http://127.0.0.1:1")).code,
            Some(2),
            "{id}"
        );
    }
}

#[test]
fn what_a_service_has_is_listed() {
    let (fake, place) = (Fake::new(Faults::default()), Place::furnished());
    let url = fake.stub.url();
    let id = key_id(&place);
    let models = run(&place, "remote models", &url).succeeded();
    assert!(models.contains("toy  functional FUNCTIONAL_1024, 16 bootstraps  counts pixels"), "{models}");
    assert!(run(&place, "remote keys", &url).succeeded().contains("there are no keys"));
    fake.leave(&id, &[7; 1000], 2000);
    let keys = run(&place, "remote keys", &url).succeeded();
    assert!(keys.contains(&format!("{id}  FUNCTIONAL_1024  1.0 KB of 2.0 KB received")), "{keys}");
    run(&place, &format!("remote forget {id}"), &url).succeeded();
    place.refuses(&format!("remote forget {id} --server {url}"), &["refuses (404)", "`bnn remote` lists"]);
    assert!(run(&place, "remote jobs", &url).succeeded().contains("there are no jobs"));
}
