//! The record of an evaluation: one JSON object on a line for each finished image, so that hours of work survive a stop.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    files::log::Log,
};

/// How every line begins, before the index and after it.
const LINE_START: [&[u8]; 2] = [b"{\"index\":", b",\"label\":"];

/// More than the record of a data set of 100,000 images has, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// What is said of a line that is none of ours.
const NO_RECORD: &str = "this is no record of an evaluation";

/// One image, evaluated encrypted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) index: usize,
    /// The label of the data set.
    pub(super) label: usize,
    /// The label of the integer network.
    pub(super) integer: usize,
    /// The label of the encrypted network.
    pub(super) encrypted: usize,
    /// The probability of equal labels, by the noise formulas.
    pub(super) predicted: f64,
    /// The model's digest.
    pub(super) model: String,
    /// The digest of what the model reads of the image.
    pub(super) image: String,
    /// What encryption, inference and decryption took.
    pub(super) seconds: f64,
}

/// Whether a line without an end is the beginning of one of ours.
fn is_cut_off(line: &[u8]) -> bool {
    let begins = |line: &[u8], start: &[u8]| line.starts_with(start) || start.starts_with(line);
    let [start, label] = LINE_START;
    if !begins(line, start) {
        return false;
    }
    let after = line.get(start.len()..).unwrap_or_default();
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    begins(&after[digits..], label) && (digits > 0 || after.is_empty())
}

/// The finished images, and the log that they are appended to, if any.
#[derive(Debug)]
pub(super) struct Record {
    log: Option<Log>,
    pub(super) entries: BTreeMap<usize, Entry>,
}

impl Record {
    /// A record in memory only.
    pub(super) fn in_memory() -> Self {
        Self { log: None, entries: BTreeMap::new() }
    }

    /// Continues the record in a file, or begins one. A last line that was cut off is dropped; an entry that `check`
    /// refuses, with a cause, is an error, and leaves the file as it is.
    pub(super) fn open(
        path: &Path,
        check: impl Fn(&Entry) -> std::result::Result<(), String>,
    ) -> Result<Self> {
        let refused = |line: usize, cause: String| Error::Record { path: path.into(), line, cause };
        let (log, content) = Log::open(path, MOST_BYTES)?;
        if content.len() as u64 > MOST_BYTES {
            return Err(refused(1, NO_RECORD.into()));
        }

        let whole = content.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let (lines, rest) = content.split_at(whole);
        let mut entries = BTreeMap::new();
        let mut count = 0;
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            count += 1;
            let entry: Entry = serde_json::from_slice(line).map_err(|_| refused(count, NO_RECORD.into()))?;
            check(&entry).map_err(|cause| refused(count, cause))?;
            entries.insert(entry.index, entry);
        }
        // Only what began as a line of ours is dropped: the file may be something else, named by mistake.
        if !is_cut_off(rest) {
            return Err(refused(count + 1, NO_RECORD.into()));
        }
        log.cut(whole)?;
        Ok(Self { log: Some(log), entries })
    }

    /// Adds a finished image, on disk before it counts.
    pub(super) fn add(&mut self, entry: Entry) -> Result<()> {
        if let Some(log) = &mut self.log {
            let line = serde_json::to_string(&entry).expect("invariant: numbers and text have a JSON form");
            log.append(&(line + "\n"))?;
        }
        self.entries.insert(entry.index, entry);
        Ok(())
    }
}
