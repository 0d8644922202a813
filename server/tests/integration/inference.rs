//! Evaluations for which the client waits.

use tempfile::TempDir;

use crate::{
    party::{alice, bob, gina},
    running::{Running, config, counting, shipped},
};

#[test]
fn pictures_of_both_engines_get_their_labels() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    for (party, class) in [(alice(), 3), (gina(), 7)] {
        party.upload(&service);
        let picture = party.picture(&service, "counting", class);
        let answer = service.post("/v2/models/counting/infer", &picture).is(200);
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(party.label(&service, "counting", &answer.body), class);
    }
}

#[test]
fn what_fits_nothing_is_refused_by_name_before_any_work() {
    let folder = TempDir::new().unwrap();
    let models = vec![counting("counting"), counting("other"), shipped("binarized-cnn")];
    let service = Running::start(server::Config { models, ..config(&folder) });
    let picture = alice().picture(&service, "counting", 3);
    let infer = |model: &str, body: &[u8]| service.post(&format!("/v2/models/{model}/infer"), body);

    infer("counting", &picture).refuses(422, &format!("the cloud key {}, under which", alice().id()));
    alice().upload(&service);
    infer("other", &picture).refuses(422, "encrypted image for the model");
    infer("none", &picture).refuses(404, "no such model");
    infer("..%2Fcounting", &picture).refuses(404, "no such model");
    infer("counting", b"").refuses(400, "");
    infer("counting", b"no picture").refuses(400, "wrong magic bytes");
    infer("counting", &alice().cloud_key[..1_000_000]).refuses(400, "");
    infer("counting", &picture[..picture.len() - 1]).refuses(400, "");
    let mut damaged = picture.clone();
    damaged[150] ^= 1;
    infer("counting", &damaged).refuses(400, "checksum");
    infer("counting", &bob().picture(&service, "counting", 3)).refuses(422, &bob().id());
    infer("counting", &vec![0; 9 << 20]).refuses(413, "bytes at most");
    infer("%ff", &picture).refuses(400, "not UTF-8");
    gina().upload(&service);
    let long = gina().picture_of_the_paper(&service);
    infer("binarized-cnn", &long).refuses(422, "/v2/models/binarized-cnn/jobs");
    // Nothing of that was work.
    let metrics = service.get("/metrics").is(200).text();
    assert!(metrics.contains("bnn_bootstraps_total 0\n"), "{metrics}");
    assert!(metrics.contains("bnn_queued_bootstraps 0\n"), "{metrics}");
    infer("counting", &picture).is(200);
}

#[test]
fn models_are_described_for_clients() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    let list = service.get("/v2/models").is(200).json();
    let model = service.get("/v2/models/counting").is(200).json();
    assert_eq!(list["models"][0], model);
    assert_eq!(model["platform"], "bnn-tfhe");
    assert_eq!(model["engines"][0]["parameters"], "FUNCTIONAL_1024");
    assert!(model["engines"][0]["bootstraps"].as_u64().unwrap() > 0);
    service.get("/v2/models/counting/ready").is(200);
    service.get("/v2/models/none/ready").refuses(404, "no such model");
    let first = service.get("/v2/models/counting/client").is(200);
    let again = service.get_with("/v2/models/counting/client", "if-none-match", first.header("etag"));
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(service.get("/v2").is(200).json()["name"], "bnn");
    service.get("/v2/health/live").is(200);
    service.get("/v2/health/ready").is(200);
    service.get("/v2/nothing").refuses(404, "no such page");
    service.post("/v2/models", b"").refuses(405, "does not take this method");
}
