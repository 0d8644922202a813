//! What must survive the process: cloud keys, jobs with their images, saved runs and results, and what was used of quotas.
//!
//! All of it is in one file of the embedded database redb. A transaction is on the disk when its function returns, so that what the service
//! acknowledges is never lost. Nothing that a client sends becomes a file name.
//!
//! * [`keys`]: cloud keys, in the parts in which they came;
//! * [`jobs`]: jobs, from the request to the result;
//! * [`usage`]: bootstraps of a day.

pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod usage;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use serde::{Deserialize, Serialize};

/// Memory that the database keeps pages in, in bytes. What it holds is read seldom, and in order.
const CACHE_BYTES: usize = 16 << 20;

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk has no room, or the file may not grow.
    #[error("the disk is full")]
    Full,
    /// The database is in use by another process.
    #[error("another process has the database open")]
    InUse,
    /// Anything else that the database says.
    #[error("the database: {0}")]
    Database(Box<redb::Error>),
    /// A record of another version, or a damaged one.
    #[error("a record cannot be read: {0}")]
    Record(serde_json::Error),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            redb::Error::Io(error) if is_full(&error) => Self::Full,
            error => Self::Database(Box::new(error)),
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The database.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    /// None only while it is opened anew.
    database: RwLock<Option<Database>>,
}

impl Store {
    /// Opens a database, and makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let store = Self { path: path.into(), database: RwLock::new(Some(open(path)?)) };
        store.write(|transaction| {
            keys::make_tables(transaction)?;
            jobs::make_tables(transaction)?;
            usage::make_tables(transaction)
        })?;
        Ok(store)
    }

    /// Reads a state of the database that no writer changes.
    fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T>) -> Result<T> {
        self.recover(|database| read(&database.begin_read()?))
    }

    /// Changes the database all at once, or not at all. Writers wait for each other.
    fn write<T>(&self, change: impl FnOnce(&WriteTransaction) -> Result<T>) -> Result<T> {
        self.recover(|database| {
            let transaction = database.begin_write()?;
            let value = change(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    /// Uses the database. After a failed write redb refuses everything until the file is opened anew, which this does: a disk that was full
    /// for a while leaves the service working.
    fn recover<T>(&self, run: impl FnOnce(&Database) -> Result<T>) -> Result<T> {
        let result = {
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            run(database.as_ref().ok_or(StoreError::InUse)?)
        };
        if let Err(StoreError::Full | StoreError::Database(_)) = &result {
            let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
            // The old one gives the file free first.
            *database = None;
            *database = open(&self.path).ok();
        }
        result
    }
}

fn open(path: &Path) -> Result<Database> {
    Ok(Database::builder().set_cache_size(CACHE_BYTES).create(path)?)
}

/// Bytes of a record.
fn encode(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("invariant: records have string keys, and numbers that JSON has")
}

/// A record from its bytes.
fn decode<'a, R: Deserialize<'a>>(bytes: &'a [u8]) -> Result<R> {
    serde_json::from_slice(bytes).map_err(StoreError::Record)
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
