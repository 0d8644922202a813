//! Who may do what.

use std::{collections::BTreeSet, thread};

use serde_json::json;
use server::{Owner, Quota, Scope, Token, Tokens};
use tempfile::TempDir;

use crate::{
    party::{alice, bob},
    running::{Running, config},
};

fn add(tokens: &mut Tokens, name: &str, scopes: &[Scope], quota: Quota) -> String {
    let scopes = BTreeSet::from_iter(scopes.iter().copied());
    let (token, text) = Token::draw(&Owner::new(name).unwrap(), scopes, quota).unwrap();
    tokens.add(token).unwrap();
    text.to_string()
}

#[test]
fn a_token_sees_what_is_its_own_and_does_what_it_may() {
    let folder = TempDir::new().unwrap();
    let mut tokens = Tokens::default();
    let user = [Scope::Upload, Scope::Infer];
    let texts =
        [("anna", &user[..]), ("ben", &user), ("admin", &[Scope::Admin]), ("reader", &[Scope::Infer])]
            .map(|(name, scopes)| add(&mut tokens, name, scopes, Quota::default()));
    let service = Running::start(server::Config { tokens, ..config(&folder) });
    let [anna, ben, admin, reader] = texts.map(|text| service.with_token(&text));

    for path in [
        "/v2/models",
        "/v2/models/counting",
        "/v2/models/counting/client",
        "/v2/keys",
        "/v2/jobs",
        "/metrics",
    ] {
        let answer = service.get(path);
        answer.refuses(401, "Authorization: Bearer");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        service.with_token("0123").get(path).refuses(401, "a known token");
    }
    // What says nothing of anyone is open.
    for path in ["/v2", "/v2/health/live", "/v2/health/ready", "/openapi.json", "/"] {
        service.get(path).is(200);
    }

    alice().upload(&anna);
    let picture = alice().picture(&anna, "counting", 6);
    let job = anna.post("/v2/models/counting/jobs", &picture).is(202).header("location").to_owned();
    assert_eq!(anna.get(&format!("{job}?wait=60")).is(200).json()["state"], "done");
    // For another they are not there.
    ben.get(&alice().key_path()).refuses(404, "no such key");
    ben.delete(&alice().key_path()).refuses(404, "no such key");
    ben.get(&job).refuses(404, "no such job");
    ben.get(&format!("{job}/result")).refuses(404, "no such job");
    ben.delete(&job).refuses(404, "no such job");
    ben.post("/v2/models/counting/infer", &picture).refuses(422, "was not uploaded");
    assert_eq!(ben.get("/v2/keys").is(200).json()["keys"].as_array().unwrap().len(), 0);
    // The same key may be another's too, and goes for one of them only.
    alice().upload(&ben);
    ben.delete(&alice().key_path()).is(204);
    anna.get(&format!("{job}/result")).is(200);

    reader.get("/v2/keys").refuses(403, "scope upload");
    reader.put(&alice().key_path(), &[], &alice().cloud_key).refuses(403, "scope upload");
    admin.get("/v2/jobs").refuses(403, "scope infer");
    admin.post("/v2/models/counting/infer", &picture).refuses(403, "scope infer");
    anna.get("/metrics").refuses(403, "scope admin");
    admin.get("/metrics").is(200);
}

/// Tokens that are made and removed while the service runs count from the next request on.
#[test]
fn tokens_come_and_go_while_the_service_runs() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    service.tokens.replace(Tokens::default());
    service.get("/v2/keys").is(200);
    let mut tokens = Tokens::default();
    let anna = add(&mut tokens, "anna", &[Scope::Upload], Quota::default());
    let ben = add(&mut tokens, "ben", &[Scope::Upload], Quota::default());
    service.tokens.replace(tokens.clone());
    let [anna, ben] = [anna, ben].map(|text| service.with_token(&text));
    service.get("/v2/keys").refuses(401, "a known token");
    assert_eq!(service.get("/openapi.json").is(200).json()["security"][0]["token"], json!([]));
    // Behind a proxy it has another name.
    assert_eq!(service.get_with("/v2/health/ready", "host", "bnn.example").status, 200);
    anna.get("/v2/keys").is(200);
    ben.get("/v2/keys").is(200);
    assert!(tokens.remove("anna"));
    service.tokens.replace(tokens);
    anna.get("/v2/keys").refuses(401, "a known token");
    ben.get("/v2/keys").is(200);
    // Without the last one it is closed, and not open.
    service.tokens.replace(Tokens::default());
    ben.get("/v2/keys").refuses(401, "a known token");
    service.get("/v2/keys").refuses(401, "a known token");
}

#[test]
fn a_token_uses_no_more_than_its_quota() {
    let folder = TempDir::new().unwrap();
    let mut tokens = Tokens::default();
    let user = [Scope::Upload, Scope::Infer];
    let one_key = add(&mut tokens, "one", &user, Quota { keys: 1, ..Quota::default() });
    let few_bytes = add(&mut tokens, "few", &user, Quota { bytes: 1_000_000, ..Quota::default() });
    let short = add(&mut tokens, "short", &user, Quota { bootstraps_a_day: Some(30), ..Quota::default() });
    let service = Running::start(server::Config { tokens, ..config(&folder) });

    let one = service.with_token(&one_key);
    alice().upload(&one);
    alice().upload(&one);
    one.put(&bob().key_path(), &[], &bob().cloud_key).refuses(403, "all that it may have");
    one.delete(&alice().key_path()).is(204);
    bob().upload(&one);

    let few = service.with_token(&few_bytes);
    few.put(&alice().key_path(), &[], &alice().cloud_key).refuses(403, "1000000 bytes");

    // An image takes 10 bootstraps.
    let short = service.with_token(&short);
    alice().upload(&short);
    let picture = || alice().picture(&short, "counting", 6);
    let cost = short.get("/v2/models/counting").json()["engines"][0]["bootstraps"].as_u64().unwrap();
    for _ in 0..30 / cost {
        short.post("/v2/models/counting/infer", &picture()).is(200);
    }
    let answer = short.post("/v2/models/counting/infer", &picture());
    answer.refuses(429, "left of the token's day");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() <= 24 * 60 * 60);
}

#[test]
fn other_sites_are_kept_out_and_answers_say_what_pages_may() {
    let folder = TempDir::new().unwrap();
    let friend = "https://friend.example";
    let service = Running::start(server::Config { allowed_origins: vec![friend.into()], ..config(&folder) });
    service.get_with("/v2/models", "origin", "https://evil.example").refuses(403, "other sites");
    service.get_with("/v2/models", "host", "evil.example").refuses(403, "names of its own machine");
    let shared = service.get_with("/v2/models", "origin", friend).is(200);
    assert_eq!(shared.header("access-control-allow-origin"), friend);
    let own = service.get("/v2/models").is(200);
    assert_eq!(own.header("access-control-allow-origin"), "");
    assert_eq!(own.header("cross-origin-resource-policy"), "same-origin");
    assert_eq!(own.header("cache-control"), "no-store");
    assert_eq!(own.header("x-content-type-options"), "nosniff");
    let policy = own.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");
    let page = service.get("/").is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(service.get_with("/", "if-none-match", page.header("etag")).status, 304);
    assert_eq!(service.get("/client.wasm").is(200).header("content-type"), "application/wasm");
}

/// Two uploads at once do not both take the last room, whoever is first.
#[test]
fn a_quota_holds_for_requests_that_come_at_once() {
    let folder = TempDir::new().unwrap();
    let mut tokens = Tokens::default();
    let quota = Quota { keys: 1, ..Quota::default() };
    let text = add(&mut tokens, "one", &[Scope::Upload], quota);
    let service = Running::start(server::Config { tokens, ..config(&folder) });
    let one = service.with_token(&text);
    for _ in 0..4 {
        let statuses: Vec<u16> = thread::scope(|scope| {
            let one = &one;
            let sent = [alice(), bob()]
                .map(|party| scope.spawn(move || one.put(&party.key_path(), &[], &party.cloud_key).status));
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert!(statuses.contains(&201) && statuses.contains(&403), "{statuses:?}");
        let keys = one.get("/v2/keys").is(200).json();
        let [key] = &keys["keys"].as_array().unwrap()[..] else { panic!("{keys}") };
        one.delete(&format!("/v2/keys/{}", key["id"].as_str().unwrap())).is(204);
    }
}
