//! Jobs, from the request to the result.

use redb::{ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{Held, OverQuota, Place, Result, Store, decode, encode, keys::KeyName, now, of_owner, usage};
use crate::access::{owner::Owner, tokens::Quota};

/// What is known of a job, by its owner and identity.
const JOBS: TableDefinition<'_, Place, &[u8]> = TableDefinition::new("jobs");
/// The encrypted image of a job that has not ended.
const IMAGES: TableDefinition<'_, Place, &[u8]> = TableDefinition::new("images");
/// The run of such a job, as it was saved last.
const RUNS: TableDefinition<'_, Place, &[u8]> = TableDefinition::new("saved runs");
/// The encrypted scores of a job that is done.
const RESULTS: TableDefinition<'_, Place, &[u8]> = TableDefinition::new("results");

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<()> {
    for table in [JOBS, IMAGES, RUNS, RESULTS] {
        transaction.open_table(table)?;
    }
    Ok(())
}

/// Jobs of an owner at a time, those that have ended among them: each request goes through all of them.
pub(crate) const MOST_JOBS: u64 = 10_000;

/// Bytes that a job counts as before it ends, at least, so that the results of many do not exceed a quota: those of the networks that ship have
/// up to so many.
const RESULT_BYTES: u64 = 700_000;

/// What became of a job that was to be kept.
#[derive(Debug)]
pub(crate) enum Added {
    New,
    /// There is one of this name.
    There(JobRecord),
    OverQuota(OverQuota),
}

/// How many jobs an owner has, and their bytes.
pub(super) fn held(transaction: &WriteTransaction, owner: &Owner) -> Result<(u64, u64)> {
    let jobs = transaction.open_table(JOBS)?;
    let (mut count, mut bytes) = (0, 0_u64);
    for entry in jobs.range(of_owner(owner))? {
        count += 1;
        bytes = bytes.saturating_add(decode::<JobRecord>(entry?.1.value())?.counted_bytes());
    }
    Ok((count, bytes))
}

/// A job by its owner and its identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct JobName {
    pub(crate) owner: Owner,
    pub(crate) id: [u8; 16],
}

impl JobName {
    fn place(&self) -> (&str, &[u8; 16]) {
        (self.owner.as_str(), &self.id)
    }
}

/// What the worker needs of a job.
pub(crate) struct JobInput {
    pub(crate) image: Vec<u8>,
    /// The run as it was saved last.
    pub(crate) run: Option<Vec<u8>>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// There is a result.
    Done,
    /// There will be none; why, in a line.
    Failed(String),
}

/// What is known of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JobRecord {
    pub(crate) model: String,
    pub(crate) model_digest: [u8; 32],
    pub(crate) key: [u8; 16],
    pub(crate) parameters: String,
    /// Bootstraps of the whole job.
    pub(crate) total: u64,
    /// Bootstraps in the saved run.
    pub(crate) saved: u64,
    /// Bytes of its image, and later of its result.
    pub(crate) bytes: u64,
    /// None before it ends.
    pub(crate) end: Option<End>,
    /// When it came, and later when it ended, in seconds since 1970.
    pub(crate) touched: u64,
}

impl JobRecord {
    /// Bytes by which it counts.
    fn counted_bytes(&self) -> u64 {
        if self.end.is_none() { self.bytes.max(RESULT_BYTES) } else { self.bytes }
    }
}

impl Store {
    /// Keeps a job with its image, unless there is one of this name, or the quota has no room.
    pub(crate) fn add_job(
        &self,
        name: &JobName,
        record: &JobRecord,
        image: &[u8],
        quota: Quota,
    ) -> Result<Added> {
        self.write(|transaction| {
            if let Some(record) = transaction.open_table(JOBS)?.get(name.place())? {
                return decode(record.value()).map(Added::There);
            }
            // In one transaction with the change, so that two at once do not both take the last room.
            let held = Held::of(transaction, &name.owner, None)?;
            if held.jobs >= MOST_JOBS {
                return Ok(Added::OverQuota(OverQuota::Jobs));
            }
            if held.bytes.saturating_add(record.counted_bytes()) > quota.bytes {
                return Ok(Added::OverQuota(OverQuota::Bytes));
            }
            if !usage::take(transaction, &name.owner, record.total, quota.bootstraps_a_day)? {
                return Ok(Added::OverQuota(OverQuota::Bootstraps));
            }
            transaction.open_table(JOBS)?.insert(name.place(), &encode(record)[..])?;
            transaction.open_table(IMAGES)?.insert(name.place(), image)?;
            Ok(Added::New)
        })
    }

    /// What is known of a job.
    pub(crate) fn job(&self, name: &JobName) -> Result<Option<JobRecord>> {
        self.read(|transaction| {
            let record = transaction.open_table(JOBS)?.get(name.place())?;
            record.map(|record| decode(record.value())).transpose()
        })
    }

    /// The jobs of an owner.
    pub(crate) fn jobs(&self, owner: &Owner) -> Result<Vec<(JobName, JobRecord)>> {
        self.read(|transaction| {
            let jobs = transaction.open_table(JOBS)?;
            let all = jobs.range(of_owner(owner))?;
            all.map(|entry| named(entry?)).collect()
        })
    }

    /// All jobs that have not ended, in the order in which they came.
    pub(crate) fn unfinished_jobs(&self) -> Result<Vec<(JobName, JobRecord)>> {
        let mut unfinished: Vec<_> = self.read(|transaction| {
            let jobs = transaction.open_table(JOBS)?;
            jobs.iter()?.map(|entry| named(entry?)).collect::<Result<_>>()
        })?;
        unfinished.retain(|(_, record)| record.end.is_none());
        unfinished.sort_by_key(|(_, record)| record.touched);
        Ok(unfinished)
    }

    /// What a job that has not ended begins with, or goes on from.
    pub(crate) fn job_input(&self, name: &JobName) -> Result<Option<JobInput>> {
        self.read(|transaction| {
            let image = transaction.open_table(IMAGES)?.get(name.place())?;
            let run = transaction.open_table(RUNS)?.get(name.place())?;
            Ok(image.map(|image| JobInput {
                image: image.value().to_vec(),
                run: run.map(|run| run.value().to_vec()),
            }))
        })
    }

    /// Keeps the run of a job, after so many bootstraps; nothing is kept of one that was deleted.
    pub(crate) fn save_run(&self, name: &JobName, run: &[u8], bootstraps: u64) -> Result<()> {
        self.write(|transaction| {
            let mut jobs = transaction.open_table(JOBS)?;
            let record =
                jobs.get(name.place())?.map(|record| decode::<JobRecord>(record.value())).transpose()?;
            let Some(record) = record else { return Ok(()) };
            jobs.insert(name.place(), &encode(&JobRecord { saved: bootstraps, ..record })[..])?;
            transaction.open_table(RUNS)?.insert(name.place(), run)?;
            Ok(())
        })
    }

    /// Ends a job, with its result where it is done; one that was deleted, or has ended, stays so.
    pub(crate) fn end_job(&self, name: &JobName, result: std::result::Result<&[u8], String>) -> Result<()> {
        self.write(|transaction| {
            let mut jobs = transaction.open_table(JOBS)?;
            let record =
                jobs.get(name.place())?.map(|record| decode::<JobRecord>(record.value())).transpose()?;
            let Some(record) = record.filter(|record| record.end.is_none()) else { return Ok(()) };
            transaction.open_table(IMAGES)?.remove(name.place())?;
            transaction.open_table(RUNS)?.remove(name.place())?;
            let (end, bytes) = match result {
                Ok(scores) => {
                    transaction.open_table(RESULTS)?.insert(name.place(), scores)?;
                    (End::Done, scores.len() as u64)
                }
                Err(why) => (End::Failed(why), 0),
            };
            let record = JobRecord { end: Some(end), bytes, touched: now(), ..record };
            jobs.insert(name.place(), &encode(&record)[..])?;
            Ok(())
        })
    }

    /// The result of a job.
    pub(crate) fn job_result(&self, name: &JobName) -> Result<Option<Vec<u8>>> {
        self.read(|transaction| {
            let result = transaction.open_table(RESULTS)?.get(name.place())?;
            Ok(result.map(|result| result.value().to_vec()))
        })
    }

    /// Forgets a job. False where there is none.
    pub(crate) fn delete_job(&self, name: &JobName) -> Result<bool> {
        self.write(|transaction| remove(transaction, name))
    }

    /// Forgets the jobs that ended before a time.
    pub(crate) fn expire_jobs(&self, before: u64) -> Result<()> {
        self.write(|transaction| {
            remove_where(transaction, |_, record| record.end.is_some() && record.touched < before)?;
            Ok(())
        })
    }
}

/// Forgets the jobs that need a key.
pub(super) fn remove_of_key(transaction: &WriteTransaction, key: &KeyName) -> Result<Vec<JobName>> {
    remove_where(transaction, |name, record| name.owner == key.owner && record.key == key.id)
}

fn remove_where(
    transaction: &WriteTransaction,
    is_meant: impl Fn(&JobName, &JobRecord) -> bool,
) -> Result<Vec<JobName>> {
    let mut meant = Vec::new();
    for entry in transaction.open_table(JOBS)?.iter()? {
        let (name, record) = named(entry?)?;
        if is_meant(&name, &record) {
            meant.push(name);
        }
    }
    for name in &meant {
        remove(transaction, name)?;
    }
    Ok(meant)
}

fn remove(transaction: &WriteTransaction, name: &JobName) -> Result<bool> {
    for table in [IMAGES, RUNS, RESULTS] {
        transaction.open_table(table)?.remove(name.place())?;
    }
    Ok(transaction.open_table(JOBS)?.remove(name.place())?.is_some())
}

fn named(
    (name, record): (redb::AccessGuard<'_, Place>, redb::AccessGuard<'_, &'static [u8]>),
) -> Result<(JobName, JobRecord)> {
    let (owner, id) = name.value();
    Ok((JobName { owner: Owner::stored(owner), id: *id }, decode(record.value())?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tempfile::TempDir;

    use super::*;

    fn job() -> (JobName, JobRecord) {
        let record = JobRecord {
            model: "model".into(),
            model_digest: [1; 32],
            key: [2; 16],
            parameters: "set".into(),
            total: 10,
            saved: 0,
            bytes: 5,
            end: None,
            touched: now(),
        };
        (JobName { owner: Owner::anyone(), id: [3; 16] }, record)
    }

    /// A result that was told of is not taken back, whatever a run of the same image comes to later.
    #[test]
    fn a_job_ends_once() {
        let folder = TempDir::new().unwrap();
        let store = Store::open(&folder.path().join("database")).unwrap();
        let (name, record) = job();
        store.end_job(&name, Ok(b"of a job that is not there")).unwrap();
        assert!(store.job(&name).unwrap().is_none());
        store.add_job(&name, &record, b"image", Quota::default()).unwrap();
        store.end_job(&name, Ok(b"scores")).unwrap();
        store.end_job(&name, Err("the job was deleted".into())).unwrap();
        assert_eq!(store.job(&name).unwrap().unwrap().end, Some(End::Done));
        assert_eq!(store.job_result(&name).unwrap().unwrap(), b"scores");
    }

    /// Small images whose results are large do not get past a quota.
    #[test]
    fn a_job_has_room_for_its_result() {
        let folder = TempDir::new().unwrap();
        let store = Store::open(&folder.path().join("database")).unwrap();
        let (name, record) = job();
        let quota = Quota { bytes: 2 * RESULT_BYTES, ..Quota::default() };
        let add = |id: u8| {
            let name = JobName { id: [id; 16], ..name.clone() };
            store.add_job(&name, &record, b"image", quota).unwrap()
        };
        assert!(matches!((add(1), add(2)), (Added::New, Added::New)));
        assert!(matches!(add(3), Added::OverQuota(OverQuota::Bytes)));
        store.end_job(&JobName { id: [1; 16], ..name.clone() }, Ok(b"scores")).unwrap();
        assert!(matches!(add(3), Added::OverQuota(OverQuota::Bytes)), "the scores take some bytes");
        store.delete_job(&JobName { id: [1; 16], ..name.clone() }).unwrap();
        assert!(matches!(add(3), Added::New));
    }
}
