//! docs/unsafe.md lists all unsafe code of the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Blocks, functions, and traits or implementations.
type Counts = [usize; 3];

/// The files with unsafe code below `folder`, with their paths from `root`.
fn count(root: &Path, folder: &Path, found: &mut BTreeMap<String, Counts>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            count(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap()).collect();
            let keyword = concat!("unsa", "fe ");
            let uses = |follow: &[&str]| {
                let pieces = code.iter().flat_map(|line| line.split(keyword).skip(1));
                pieces.filter(|piece| follow.iter().any(|word| piece.starts_with(word))).count()
            };
            let counts = [uses(&["{"]), uses(&["fn", "extern"]), uses(&["impl", "trait"])];
            if counts != [0; 3] {
                found.insert(path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"), counts);
            }
        }
    }
}

#[test]
fn unsafe_code_is_where_the_inventory_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = fs::read_to_string(root.join("docs/unsafe.md")).unwrap();
    let row = |line: &str| -> Option<(String, Counts)> {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let file = cells.get(1)?.strip_prefix('`')?.strip_suffix(".rs`")?;
        let number = |cell: usize| cells.get(cell)?.parse().ok();
        Some((format!("{file}.rs"), [number(2)?, number(3)?, number(4)?]))
    };
    let listed: BTreeMap<String, Counts> = document.lines().filter_map(row).collect();
    let mut found = BTreeMap::new();
    count(root, root, &mut found);
    assert_eq!(found, listed, "what there is, and what docs/unsafe.md lists");
}
