//! Accuracy on a labelled set, in the clear and encrypted, with a stop in between.

use std::{fs, io::Write};

use crate::{place::Place, toy};

/// Five pictures: three with their own label, one with another, and one that the model does not accept.
pub(crate) fn labelled() -> Place {
    let place = Place::furnished();
    let pictures = [toy::pixels(0), toy::pixels(5), toy::pixels(9), toy::pixels(7), toy::white()];
    toy::write_idx_images(&place.path("images"), &pictures);
    toy::write_idx_labels(&place.path("labels"), &[0, 5, 9, 3, 8]);
    place
}

#[test]
fn accuracy_in_the_clear_counts_what_is_refused_as_wrong() {
    let place = labelled();
    let text = place.run("evaluate --images images --labels labels --model toy").succeeded();
    assert!(
        text.contains("3 of 5, 60.00 %")
            && text.contains("1 refused, which count as wrong; the first, image 4: the picture is blank"),
        "{text}"
    );
    let result =
        place.run("evaluate --images images --labels labels --model toy --start 2 --limit 2 --json").json();
    assert_eq!((&result["images"], &result["integer_correct"]), (&2.into(), &1.into()));
    assert!(result["encrypted"].is_null());
}

#[test]
fn an_encrypted_evaluation_goes_on_where_it_was_stopped() {
    let place = labelled();
    let line = "evaluate --images images --labels labels --model toy --encrypted --record record --json";
    let first = place.run(&format!("{line} --limit 3")).json();
    let counts = |encrypted: &serde_json::Value| {
        ["evaluated", "resumed", "correct", "agreeing"].map(|key| encrypted[key].as_u64().unwrap())
    };
    assert_eq!(counts(&first["encrypted"]), [3, 0, 3, 3]);
    // Certain as far as 200 trials can tell.
    let low = first["encrypted"]["predicted_interval"][0].as_f64().unwrap();
    assert!(low > 2.0 && low < 3.0, "{low}");
    assert_eq!(first["encrypted"]["predicted_interval"][1], 3.0);

    // As if stopped while the third line was written.
    let record = fs::read(place.path("record")).unwrap();
    assert_eq!(record.iter().filter(|&&byte| byte == b'\n').count(), 3);
    fs::write(place.path("record"), &record[..record.len() - 10]).unwrap();
    assert_eq!(counts(&place.run(line).json()["encrypted"]), [4, 2, 3, 4]);
    let resumed = fs::read_to_string(place.path("record")).unwrap();
    let indices: Vec<usize> = resumed
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["index"].as_u64().unwrap() as usize
        })
        .collect();
    assert_eq!(indices, [0, 1, 2, 3]);

    let text = place.run(line.trim_end_matches(" --json")).succeeded();
    for fragment in ["4 images are done already", "accuracy encrypted:      3 of 5", "4 of 4, 100.00 %"] {
        assert!(text.contains(fragment), "no {fragment:?} in {text}");
    }
    assert_eq!(fs::read_to_string(place.path("record")).unwrap(), resumed);
}

#[test]
fn a_record_that_is_another_is_refused_and_kept() {
    let place = labelled();
    let line = "evaluate --images images --labels labels --model toy --limit 1 --encrypted --record";
    place.run(&format!("{line} record")).succeeded();
    let record = fs::read_to_string(place.path("record")).unwrap();

    fs::write(place.path("notes"), "Do not lose this").unwrap();
    place.refuses(&format!("{line} notes"), &["notes", "line 1", "no record"]);
    fs::write(place.path("mixed"), format!("{record}what?\n")).unwrap();
    place.refuses(&format!("{line} mixed"), &["mixed", "line 2"]);
    place.refuses(&format!("{line} none/record"), &["none/record"]);
    // Lines without an end that only begin as ours do.
    for other in ["{\"index\": 1}", "{\"index\":\"mine\"}", "{\"index\":,\"label\":", "{\"index\":7,\"mine\""]
    {
        fs::write(place.path("list"), other).unwrap();
        place.refuses(&format!("{line} list"), &["list", "line 1", "no record"]);
        assert_eq!(fs::read_to_string(place.path("list")).unwrap(), other);
    }
    // Not read to its end, which a device has not.
    fs::File::create(place.path("huge")).unwrap().set_len((64 << 20) + 1).unwrap();
    place.refuses(&format!("{line} huge"), &["huge", "no record"]);
    fs::write(place.path("other"), record.replace("\"label\":0", "\"label\":1")).unwrap();
    place.refuses(&format!("{line} other"), &["other", "line 1", "another data set"]);
    // Another picture that has the same label for the data set and for the network.
    let mut moved = toy::pixels(0);
    moved.rotate_right(5 * toy::SIDE);
    toy::write_idx_images(&place.path("images"), &[moved]);
    toy::write_idx_labels(&place.path("labels"), &[0]);
    let clear = place.run("evaluate --images images --labels labels --model toy --json").json();
    assert_eq!(clear["integer_correct"], 1);
    place.refuses(&format!("{line} record"), &["record", "line 1", "another data set"]);
    place.refuses_usage(&format!("{line} -"), &["standard output", "name a file"]);
    // Also where its pictures are not among those that are asked for.
    place.refuses(&format!("{line} record --start 0"), &["record", "line 1", "another data set"]);
    toy::write_idx_images(&place.path("images"), &[toy::pixels(1), toy::pixels(2)]);
    toy::write_idx_labels(&place.path("labels"), &[1, 2]);
    place.refuses(&format!("{line} record --start 1"), &["record", "line 1", "another data set"]);
    toy::write_idx_images(&place.path("images"), &[toy::pixels(0)]);
    toy::write_idx_labels(&place.path("labels"), &[0]);
    for (found, other) in [("\"integer\":0", "\"integer\":99"), ("\"encrypted\":0", "\"encrypted\":10")] {
        assert!(record.contains(found), "{record}");
        fs::write(place.path("odd"), record.replace(found, other)).unwrap();
        place.refuses(&format!("{line} odd"), &["odd", "line 1", "labels of image 0"]);
    }
    toy::write_model(&place.path("second"), "second");
    place.refuses(&format!("{line} record").replace("toy", "second"), &["record", "line 1", "another model"]);
}

#[test]
fn sets_that_do_not_fit_are_refused() {
    let place = labelled();
    toy::write_idx_labels(&place.path("few"), &[0, 5]);
    place.refuses("evaluate --images images --labels few --model toy", &["few", "2 labels for 5 images"]);
    place
        .refuses("evaluate --images images --labels labels --model toy --start 5", &["images", "no image 5"]);
    place.refuses(
        "evaluate --images labels --labels labels --model toy",
        &["labels: an IDX file of labels, where one of images is needed"],
    );
    place.refuses(
        "evaluate --images images --labels images --model toy",
        &["images: an IDX file of images, where one of labels is needed"],
    );
    toy::write_idx_labels(&place.path("letters"), &[0, 5, 9, 26, 8]);
    place.refuses(
        "evaluate --images images --labels letters --model toy",
        &["letters: label 26 of image 3, where the model has 10 classes"],
    );
    place.refuses("evaluate --images none --labels labels --model toy", &["none"]);
}

/// Bytes in gzip.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn padding_after_gzip_is_a_warning_and_other_trailing_bytes_an_error() {
    let place = labelled();
    let packed = gzip(&fs::read(place.path("images")).unwrap());
    fs::write(place.path("padded"), [&packed[..], &[0; 512]].concat()).unwrap();
    fs::write(place.path("line"), [&gzip(&fs::read(place.path("labels")).unwrap())[..], b"\n"].concat())
        .unwrap();
    let outcome = place.run("evaluate --images padded --labels line --model toy");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("3 of 5, 60.00 %"), "{}", outcome.stdout);
    assert_eq!(
        outcome.stderr,
        "bnn: warning: padded: what follows the gzip data, padding of 512 B, was passed over\n\
         bnn: warning: line: what follows the gzip data, padding of 1 B, was passed over\n"
    );
    let outcome = place.run("evaluate --images padded --labels labels --model toy --json");
    let warning: serde_json::Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert!(warning["warning"].as_str().unwrap().starts_with("padded: "), "{outcome:?}");
    let outcome = place.run("encrypt padded --index 1 --model toy");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("padding of 512 B"), "{}", outcome.stderr);

    fs::write(place.path("trailing"), [&packed[..], b"more"].concat()).unwrap();
    place.refuses(
        "evaluate --images trailing --labels labels --model toy",
        &["trailing: 4 trailing bytes follow the gzip data"],
    );
}
