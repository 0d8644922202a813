//! Cloud keys: whole, in parts, again, and none.

use std::{fs, thread};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tfhe_core::{
    keys::{CloudKey, SecretKey},
    parameters::TFHE_LIB_V1_1,
    random::SecretSeed,
    serial::{NO_CONTEXT, to_bytes},
};

use crate::{
    party::{alice, bob, gina},
    running::{Answer, Running, config, database},
};

fn part(service: &Running, first: usize, end: usize) -> Answer {
    let key = &alice().cloud_key;
    let range = format!("bytes {first}-{}/{}", end - 1, key.len());
    service.put(&alice().key_path(), &[("content-range", &range)], &key[first..end])
}

/// `sha-256=:BASE64:` of bytes.
fn digest(bytes: &[u8]) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(bytes)))
}

#[test]
fn a_key_comes_in_parts_across_restarts_and_again() {
    let folder = TempDir::new().unwrap();
    let (key, path) = (&alice().cloud_key, alice().key_path());
    {
        let service = Running::start(config(&folder));
        service.get(&path).refuses(404, "no such key");
        part(&service, 1_000_000, 2_000_000).refuses(409, "begin at its first byte");
        let begun = part(&service, 0, 3_000_000).is(202).json();
        assert_eq!((begun["received"].as_u64(), begun["complete"].as_bool()), (Some(3_000_000), Some(false)));
        let misplaced = part(&service, 5_000_000, 6_000_000);
        misplaced.refuses(409, "begins at byte 5000000, where 3000000");
        assert_eq!(misplaced.json()["key"]["received"], 3_000_000);
    }
    let service = Running::start(config(&folder));
    assert_eq!(service.get(&path).is(200).json()["received"], 3_000_000);
    // A part that begins at the first byte begins anew.
    assert_eq!(part(&service, 0, 200).is(202).json()["received"], 200);
    assert_eq!(part(&service, 200, 4_000_001).is(202).json()["received"], 4_000_001);
    let whole = part(&service, 4_000_001, key.len()).is(201).json();
    assert_eq!(whole["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(whole["parameters"], "FUNCTIONAL_1024");
    // The same again, whole, in a part and by its digest, changes nothing.
    service.put(&path, &[], key).is(200);
    part(&service, 1_000, 2_000_000).is(200);
    service.put(&path, &[("repr-digest", &digest(key))], key).is(200);
    assert_eq!(service.get("/v2/keys").is(200).json()["keys"].as_array().unwrap().len(), 1);
    // Another key of the same identity does not take its place.
    let mut other = key.clone();
    other[5_000_000] ^= 1;
    service.put(&path, &[], &other).refuses(409, "another cloud key of this identity");
    service.put(&path, &[("repr-digest", &digest(&other))], &other).refuses(409, "another cloud key");
    service.delete(&path).is(204);
    service.delete(&path).refuses(404, "no such key");
}

#[test]
fn what_is_no_key_is_refused_and_not_kept() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    let (key, path) = (&alice().cloud_key, alice().key_path());
    let nothing_kept = || service.get(&path).refuses(404, "no such key");

    service.put("/v2/keys/..%2f..%2fetc", &[], key).refuses(400, "32 hexadecimal digits");
    service.put("/v2/keys/0", &[], key).refuses(400, "32 hexadecimal digits");
    service.put(&path, &[], b"no key").refuses(400, "wrong magic bytes");
    service.put(&bob().key_path(), &[], key).refuses(400, &format!("which was sent as {}", bob().id()));
    service.put(&path, &[], &key[..key.len() - 1]).refuses(400, "a file of");
    let mut damaged = key.clone();
    damaged[9_000_000] ^= 1;
    service.put(&path, &[], &damaged).refuses(400, "checksum");
    nothing_kept();
    let of_another = digest(b"another");
    service.put(&path, &[("repr-digest", &of_another)], key).refuses(400, "do not have the digest");
    nothing_kept();
    service.put(&path, &[("repr-digest", "md5=:00:")], key).refuses(400, "Repr-Digest");
    service.put(&path, &[("content-range", "bytes 5-4/10")], key).refuses(400, "Content-Range");
    let most = vec![0; 100];
    service
        .put(&path, &[("content-range", "bytes 0-99/99999999999")], &most)
        .refuses(413, "where the longest cloud key has");
    nothing_kept();
}

#[test]
fn a_key_below_128_bits_is_refused() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    let seed = SecretSeed::deterministic_for_tests;
    let secret = SecretKey::generate(&TFHE_LIB_V1_1, seed(1));
    let key = to_bytes(&CloudKey::generate(&secret, seed(2)).unwrap(), NO_CONTEXT).unwrap();
    let answer = service.put(&format!("/v2/keys/{}", secret.id()), &[], &key);
    answer.refuses(422, "below 128 bits of security");
}

/// Clients that send one key at once do not begin it anew under each other.
#[test]
fn a_key_that_is_sent_by_several_at_once_is_there_once() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    let (key, path) = (&alice().cloud_key, alice().key_path());
    let statuses: Vec<u16> = thread::scope(|scope| {
        let send = || service.put(&path, &[], key).status;
        let sent: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|&&status| status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 3, "{statuses:?}");
}

/// What is no key does not take the place of one that comes, nor the whole one with it.
#[test]
fn a_part_that_is_none_leaves_a_whole_key() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    alice().upload(&service);
    service.put(&alice().key_path(), &[], b"no key").refuses(409, "another cloud key");
    assert_eq!(service.get(&alice().key_path()).is(200).json()["complete"], true);
}

/// A part takes the pages that it needs, and not twice as many.
#[test]
fn a_key_takes_little_more_room_than_its_file() {
    let folder = TempDir::new().unwrap();
    let service = Running::start(config(&folder));
    let before = fs::metadata(database(&folder)).unwrap().len();
    gina().upload(&service);
    drop(service);
    // The database gives what it does not use back when it is closed.
    let room = fs::metadata(database(&folder)).unwrap().len() - before;
    let file = gina().cloud_key.len() as u64;
    assert!(room < file * 3 / 2, "{room} bytes for a file of {file}");
}
