//! Every public module has a worked example, which runs with the tests.

use std::fs;
use std::path::Path;

#[test]
fn every_public_module_has_an_example() {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"), "src");
}

/// Looks at the modules that a file makes public, and at theirs; `folder` is where they lie.
fn check(file: &Path, folder: &str) {
    let text = fs::read_to_string(file).unwrap();
    for module in text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
        let path = format!("{folder}/{module}");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path).with_extension("rs");
        let text = fs::read_to_string(&file).unwrap();
        let example = |line: &str| matches!(line.trim(), "//! ```" | "/// ```");
        assert!(text.lines().filter(|line| example(line)).count() >= 2, "no example in {path}");
        check(&file, &path);
    }
}
