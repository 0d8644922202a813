//! The authors' text files: what is not theirs is refused with the place.

use bnn::{Error, paper::import_paper};

/// The message with the name of the file that it is about.
fn message(convolution: &str, connection: &str) -> String {
    match import_paper(convolution.as_bytes(), connection.as_bytes()).unwrap_err() {
        Error::Paper { file, fault } => format!("{}: {fault}", file.name()),
        other => panic!("{other}"),
    }
}

#[test]
fn numbers_become_the_model() {
    let bits = "1 0 1\t1 0\n".repeat(15);
    let weights: String = (0..4320).map(|i| format!("{} ", i * 7 - 9000)).collect();
    let files = import_paper(bits.as_bytes(), weights.as_bytes()).unwrap();
    let model = files.model().unwrap();
    assert_eq!(model.name(), "paper-cnn");
    assert_eq!((model.input().value_count(), model.input().bit_count()), (1360, 12_304));
    let layers: Vec<_> = model.layers().collect();
    assert_eq!((layers[0].kind(), layers[3].kind()), ("xnor-convolution", "dense"));
}

#[test]
fn other_content_is_refused() {
    let (bits, weights) = ("1 ".repeat(75), "5 ".repeat(4320));
    assert_eq!(message(&bits[2..], &weights), "convolution_new.txt: 74 numbers, expected 75");
    assert_eq!(message(&format!("{bits} 1"), &weights), "convolution_new.txt: 76 numbers, expected 75");
    assert_eq!(message(&bits, "1 2 3"), "full_connection_new.txt: 3 numbers, expected 4320");
    assert_eq!(
        message("1 0\n1 2", &weights),
        "convolution_new.txt: line 2: \"2\", expected an integer from 0 to 1"
    );
    assert_eq!(
        message(&bits, "7\n8\n\u{1b}[2J"),
        "full_connection_new.txt: line 3: \"\\u{1b}[2J\", expected an integer from -16777216 to 16777216"
    );
}
