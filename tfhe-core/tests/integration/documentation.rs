//! Every public module has a worked example, which runs with the tests.

use std::fs;
use std::path::Path;

#[test]
fn every_public_module_has_an_example() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let library = fs::read_to_string(source.join("lib.rs")).unwrap();
    for module in library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
        let text = fs::read_to_string(source.join(module).with_extension("rs")).unwrap();
        let example = |line: &str| matches!(line.trim(), "//! ```" | "/// ```");
        assert!(text.lines().filter(|line| example(line)).count() >= 2, "no example in {module}");
    }
}
