//! The authors' text files: what is not theirs is refused with the place.

use std::fs;

use bnn::model::{Model, import_paper};
use tempfile::TempDir;

fn files(convolution: &str, connection: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("convolution_new.txt"), convolution).unwrap();
    fs::write(folder.path().join("full_connection_new.txt"), connection).unwrap();
    folder
}

fn message(convolution: &str, connection: &str) -> String {
    let folder = files(convolution, connection);
    let message = import_paper(folder.path()).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn numbers_become_the_model() {
    let bits = "1 0 1\t1 0\n".repeat(15);
    let weights: String = (0..4320).map(|i| format!("{} ", i * 7 - 9000)).collect();
    let folder = files(&bits, &weights);
    let out = folder.path().join("model");
    import_paper(folder.path()).unwrap().write(&out).unwrap();
    let model = Model::open(&out).unwrap();
    assert_eq!(model.name(), "paper-cnn");
    assert_eq!((model.input().value_count(), model.input().bit_count()), (1360, 12_304));
    let bnn::layer::Layer::XnorConvolution(convolution) = model.layers().next().unwrap() else {
        panic!("first layer")
    };
    assert_eq!(convolution.weights().iter().next().unwrap()[..5], [1, -1, 1, 1, -1]);
    // 0.197217 x 2^15 = 6462.4, -0.7915 x 2^15 = -25935.9: cut towards zero.
    assert_eq!((convolution.scales()[0], convolution.biases()[0]), (6462, -25935));
    let bnn::layer::Layer::Dense(scores) = model.layers().nth(3).unwrap() else { panic!("fourth layer") };
    assert_eq!(scores.weights().iter().nth(1).unwrap()[0], 432 * 7 - 9000);
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
