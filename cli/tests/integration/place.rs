//! A folder to run the command in.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output},
    sync::OnceLock,
    time::SystemTime,
};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use tempfile::TempDir;

use crate::toy;

/// Where tests work: one file system, so that the cloud key need not be copied.
const TARGET_FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// What all tests share, because a key takes a second to make: `keys/` and `toy/`, the model.
fn shared() -> &'static Path {
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    SHARED.get_or_init(|| {
        // New with every run, and in one place: a static is never dropped.
        let folder = Path::new(TARGET_FOLDER).join("shared");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        toy::write_model(&folder.join("toy"), "toy");
        let mut keygen = Command::new(cargo_bin!("bnn"));
        keygen.arg("keygen").current_dir(&folder);
        Outcome::of(keygen).succeeded();
        folder
    })
}

pub(crate) fn secret_key() -> PathBuf {
    shared().join("keys/secret.key")
}

pub(crate) fn cloud_key() -> PathBuf {
    shared().join("keys/cloud.key")
}

pub(crate) fn toy_model() -> PathBuf {
    shared().join("toy")
}

/// What a run of the command came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    /// Without the lines that say how far work is.
    pub(crate) stderr: String,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self.stdout
    }

    /// The one object on stdout.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.succeeded()).unwrap()
    }
}

/// The paths of a folder; a folder below it has no length or time, because a trace left in it is a path too.
pub(crate) type Listing = BTreeMap<PathBuf, Option<(u64, SystemTime)>>;

/// A folder of its own for a test.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self::new_in(TARGET_FOLDER.as_ref())
    }

    pub(crate) fn new_in(folder: &Path) -> Self {
        Self(TempDir::new_in(folder).unwrap())
    }

    /// A folder with the shared keys in `keys`, the model `toy`, and the picture `4.png`, which is of class 4.
    pub(crate) fn furnished() -> Self {
        let place = Self::new();
        fs::create_dir(place.path("keys")).unwrap();
        fs::copy(secret_key(), place.path("keys/secret.key")).unwrap();
        fs::hard_link(cloud_key(), place.path("keys/cloud.key")).unwrap();
        toy::write_model(&place.path("toy"), "toy");
        toy::write_picture(&place.path("4.png"), &toy::pixels(4));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(cargo_bin!("bnn"));
        command.args(line.split_whitespace()).current_dir(self.0.path());
        for variable in ["BNN_MODELS", "BNN_SERVER", "BNN_TOKEN", "TFHE_BACKEND", "XDG_DATA_HOME"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs `bnn` with these arguments, none of which has a space.
    pub(crate) fn run(&self, line: &str) -> Outcome {
        Outcome::of(self.command(line))
    }

    /// Makes keys of the paper's system in a folder: what it says, but for the warning that it must give.
    #[track_caller]
    pub(crate) fn paper_keygen(&self, folder: &str) -> String {
        let outcome = self.run(&format!("paper keygen --out {folder}"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stderr.contains("warning: TFHE_LIB_V1_0_1 is a legacy set"), "{outcome:?}");
        outcome.stdout
    }

    /// Everything below this folder: files with their length and when they were written.
    pub(crate) fn listing(&self) -> Listing {
        let mut listing = BTreeMap::new();
        list(self.0.path(), &mut listing);
        listing
    }

    /// Runs `bnn`, which must fail with one line that has these fragments and leave the folder as it was.
    #[track_caller]
    pub(crate) fn refuses(&self, line: &str, fragments: &[&str]) {
        self.refuses_as(self.command(line), line, fragments);
    }

    /// The same of a command line that is wrong whatever the files hold.
    #[track_caller]
    pub(crate) fn refuses_usage(&self, line: &str, fragments: &[&str]) {
        self.fails(self.command(line), line, 2, fragments);
    }

    /// As [`refuses`](Self::refuses), of a command that was prepared, with `line` for its name.
    #[track_caller]
    pub(crate) fn refuses_as(&self, command: Command, line: &str, fragments: &[&str]) {
        self.fails(command, line, 1, fragments);
    }

    #[track_caller]
    fn fails(&self, command: Command, line: &str, code: i32, fragments: &[&str]) {
        let before = self.listing();
        let outcome = Outcome::of(command);
        println!("$ bnn {line}\n{}", outcome.stderr);
        assert_eq!(outcome.code, Some(code), "bnn {line}: {outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "bnn {line}: {}", outcome.stderr);
        for fragment in fragments {
            assert!(outcome.stderr.contains(fragment), "bnn {line}: no {fragment:?} in {}", outcome.stderr);
        }
        assert!(before == self.listing(), "bnn {line}: the folder has changed");
    }
}

impl Outcome {
    pub(crate) fn of(mut command: Command) -> Self {
        Self::of_output(command.output().unwrap())
    }

    /// Of a process that was started with pipes.
    pub(crate) fn of_child(child: Child) -> Self {
        Self::of_output(child.wait_with_output().unwrap())
    }

    fn of_output(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: stderr.split_inclusive('\n').filter(|line| !is_progress(line)).collect(),
        }
    }
}

/// Whether a line of stderr says how far work is, such as `12 of 16 bootstraps, 3 s left`, or, of a soak test whose time is over,
/// `9000 bootstraps, 250 a second, in the last round`. Such lines come every half minute, so that only slow machines write them.
fn is_progress(line: &str) -> bool {
    let first = line.split(' ').next().unwrap_or_default();
    let is_counted = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    is_counted && (line.contains(" left") || line.contains("in the last round"))
}

#[test]
fn lines_that_say_how_far_work_is_are_no_errors() {
    for line in [
        "12 of 16 bootstraps, 3 s left",
        "12 of 16 bootstraps, time left not known yet",
        "9000 bootstraps, 250 a second, 20 s left",
        "9000 bootstraps, 250 a second, in the last round",
    ] {
        assert!(is_progress(line), "{line}");
    }
    for line in ["", "bnn: 4.enc: no such file", "3 files failed", "bnn: nothing is left"] {
        assert!(!is_progress(line), "{line}");
    }
}

fn list(folder: &Path, listing: &mut Listing) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::metadata(&path).unwrap();
        if metadata.is_dir() {
            list(&path, listing);
        }
        let written = metadata.is_file().then(|| (metadata.len(), metadata.modified().unwrap()));
        listing.insert(path, written);
    }
}
