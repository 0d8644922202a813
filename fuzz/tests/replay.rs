//! Every file of every corpus, and every file that once did harm, through its target.

use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
    time::Instant,
};

use fuzz::TARGETS;

/// The files of a folder, in order; none, if it is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// One test, since the memory that a target takes is counted for the whole process.
#[test]
fn nothing_that_was_found_does_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut failed = Vec::new();
    for (name, target) in TARGETS {
        let start = Instant::now();
        let [corpus, regressions] =
            ["corpus", "regressions"].map(|kind| files(&folder.join(kind).join(name)));
        assert!(!corpus.is_empty(), "{name} has no corpus");
        for file in corpus.iter().chain(&regressions) {
            let data = fs::read(file).unwrap();
            if catch_unwind(|| target(&data)).is_err() {
                failed.push(file.clone());
            }
        }
        println!(
            "{name}: {} files of the corpus, {} regressions, {:.1} s",
            corpus.len(),
            regressions.len(),
            start.elapsed().as_secs_f64()
        );
    }
    assert!(failed.is_empty(), "{failed:?}");
}
