//! The client with the service itself, `bnn serve`.

use std::fs;

use rcgen::generate_simple_self_signed;
use serde_json::Value;
use tfhe_core::parameters::{FUNCTIONAL_1024, GATES_DEFAULT};

use super::{key_id, labels, run};
use crate::{
    native::write_secret_key,
    place::{Outcome, Place, cloud_key},
    served::Served,
    toy,
};

/// A folder with the model, and no key.
fn server_place() -> Place {
    let place = Place::new();
    toy::write_model(&place.path("toy"), "toy");
    place
}

#[test]
fn pictures_are_classified_and_nothing_stays_but_the_key() {
    let (server, client) = (server_place(), Place::furnished());
    fs::remove_dir_all(client.path("toy")).unwrap();
    let served = Served::new(&server, "--model toy");
    let length = fs::metadata(cloud_key()).unwrap().len();
    let first = run(&client, "classify 4.png --model toy --json", &served.url).json();
    assert_eq!((labels(&first), &first["uploaded_bytes"]), (vec![("4.png".into(), 4)], &length.into()));

    toy::write_picture(&client.path("2.png"), &toy::pixels(2));
    fs::write(client.path("text.png"), "no picture").unwrap();
    let outcome = run(&client, "classify 2.png text.png 4.png --model toy --json", &served.url);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let second: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(labels(&second), [("2.png".into(), 2), ("4.png".into(), 4)]);
    assert_eq!(second["uploaded_bytes"], 0);
    assert_eq!(run(&client, "remote jobs --json", &served.url).json()["jobs"], Value::Array(Vec::new()));

    let upload = run(&client, "remote upload --json", &served.url).json();
    assert_eq!((&upload["uploaded_bytes"], &upload["key"]["complete"]), (&0.into(), &true.into()));
    let keys = run(&client, "remote keys --json", &served.url).json();
    assert_eq!(
        (&keys["keys"][0]["id"], &keys["keys"][0]["bytes"]),
        (&key_id(&client).into(), &length.into())
    );
    run(&client, &format!("remote forget {}", key_id(&client)), &served.url).succeeded();
    assert_eq!(run(&client, "remote keys --json", &served.url).json()["keys"], Value::Array(Vec::new()));
    let models = run(&client, "remote models --json", &served.url).json();
    assert_eq!(models["models"][0]["name"], "toy");
    let again = run(&client, "classify 4.png --model toy --json", &served.url).json();
    assert_eq!(again["uploaded_bytes"], length);
}

#[test]
fn a_service_is_left_alone_with_what_does_not_fit() {
    let (server, client) = (server_place(), Place::furnished());
    let served = Served::new(&server, "--model toy");
    write_secret_key(&client.path("other.key"), &FUNCTIONAL_1024);
    for (line, fragments) in [
        ("classify 4.png --model toy --key other.key", ["keys/cloud.key: ", "another key"]),
        ("classify 4.png --model none", ["refuses (404)", "`bnn remote` lists"]),
        ("classify none.png --model toy", ["none.png: ", "No such file"]),
        ("remote forget 00112233445566778899aabbccddeeff", ["refuses (404)", ""]),
    ] {
        client.refuses(&format!("{line} --server {}", served.url), &fragments);
    }
    assert_eq!(run(&client, "remote keys --json", &served.url).json()["keys"], Value::Array(Vec::new()));
}

#[test]
fn a_token_is_needed_where_there_are_tokens() {
    let (server, client) = (server_place(), Place::furnished());
    let token = server.run("token add alice --data data");
    assert_eq!(token.code, Some(0), "{token:?}");
    fs::write(client.path("token"), token.stdout).unwrap();
    let served = Served::new(&server, "--model toy");
    let line = format!("classify 4.png --model toy --server {}", served.url);
    client.refuses(&line, &["refuses (401)", "--token-file"]);
    let told = client.run(&format!("{line} --token-file token")).succeeded();
    assert!(told.contains("The label is 4."), "{told}");
    let mut command = client.command(&line);
    command.env("BNN_TOKEN", "wrong");
    let outcome = Outcome::of(command);
    assert!(outcome.code == Some(1) && outcome.stderr.contains("refuses (401)"), "{outcome:?}");
}

/// Over TLS, with a certificate of a private authority: only who is given it trusts the service.
#[test]
fn a_service_with_tls_is_trusted_by_its_certificate() {
    let (server, client) = (server_place(), Place::furnished());
    let made = || generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let (pair, other) = (made(), made());
    fs::write(server.path("chain.pem"), pair.cert.pem()).unwrap();
    fs::write(server.path("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    fs::write(client.path("ca.pem"), pair.cert.pem()).unwrap();
    fs::write(client.path("other.pem"), other.cert.pem()).unwrap();
    let token = server.run("token add alice --data data");
    assert_eq!(token.code, Some(0), "{token:?}");
    fs::write(client.path("token"), token.stdout).unwrap();
    let served = Served::new(&server, "--model toy --tls-certificate chain.pem --tls-key key.pem");
    assert!(served.url.starts_with("https://127.0.0.1:"), "{}", served.url);
    let line = "classify 4.png --model toy --token-file token";
    for url in [served.url.clone(), served.url.replace("127.0.0.1", "localhost")] {
        let told = run(&client, &format!("{line} --ca ca.pem"), &url).succeeded();
        assert!(told.contains("The label is 4."), "{told}");
    }
    // Public authorities do not vouch for it, nor does another private one.
    for ca in ["", " --ca other.pem"] {
        client.refuses(&format!("{line}{ca} --server {}", served.url), &["certificate"]);
    }
}

/// The gate engine from end to end: keys of its set, a circuit of gates at the service, and scores bit by bit.
#[test]
fn a_picture_is_classified_by_gates() {
    let (server, client) = (server_place(), Place::furnished());
    client.run("keygen --engine gates --out gates").succeeded();
    let served = Served::new(&server, "--model toy");
    let line = "classify 4.png --model toy --key gates/secret.key --cloud-key gates/cloud.key --json";
    let result = run(&client, line, &served.url).json();
    assert_eq!(labels(&result), [("4.png".into(), 4)]);
    assert_eq!(result["uploaded_bytes"], fs::metadata(client.path("gates/cloud.key")).unwrap().len());
    let keys = run(&client, "remote keys --json", &served.url).json();
    assert_eq!(keys["keys"][0]["parameters"], GATES_DEFAULT.name());
}
