//! `bnn soak`: counts on over several runs, and fails once a bit came out wrong.

use std::fs;

use serde_json::Value;

use crate::place::Place;

#[test]
fn a_soak_test_goes_on_where_it_was() {
    let place = Place::new();
    // A round that is begun is finished: one each time. Where that takes long, progress is written to stderr.
    let run = || -> Value {
        let outcome = place.run("soak --minutes 0.0001 --seed 5 --json");
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let first = run();
    assert_eq!((&first["total"]["rounds"], &first["total"]["errors"]), (&1.into(), &0.into()));
    let bootstraps = first["bootstraps"].as_u64().unwrap();
    assert!(bootstraps > 8_000, "{first}");
    let second = run();
    let more = second["bootstraps"].as_u64().unwrap();
    assert_eq!(second["total"]["rounds"], 2);
    assert_eq!(second["total"]["bootstraps"], bootstraps + more);
    assert_ne!(more, bootstraps, "the second round has circuits of its own");
}

#[test]
fn other_choices_than_those_on_record_are_refused() {
    let place = Place::new();
    place.run("soak --minutes 0 --seed 5").succeeded();
    place.refuses("soak --minutes 0 --seed 6", &["soak.json", "seed 5", "--record"]);
    place.refuses("soak --minutes 0 --parameters GATES_BLOCK_BINARY", &["GATES_DEFAULT", "--record"]);
    fs::write(place.path("other.json"), "{}").unwrap();
    place.refuses("soak --minutes 0 --record other.json", &["other.json", "no record"]);
}

#[test]
fn an_error_on_record_is_a_failure() {
    let place = Place::new();
    place.run("soak --minutes 0 --seed 5").succeeded();
    let path = place.path("soak.json");
    let record = fs::read_to_string(&path).unwrap().replace("\"errors\": 0", "\"errors\": 1");
    fs::write(&path, record).unwrap();
    let outcome = place.run("soak --minutes 0");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("1 bits came out wrong"), "{}", outcome.stderr);
}
