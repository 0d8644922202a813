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
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock, RwLockReadGuard},
    time::{SystemTime, UNIX_EPOCH},
};

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use serde::{Deserialize, Serialize};

use crate::access::owner::Owner;

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
    /// Another use of the database failed, after which it is opened anew.
    #[error("the database is opened anew after a failure")]
    Closed,
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
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => Self::Closed,
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
    /// None while it could not be opened anew.
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

    /// Uses the database. After a failed write redb refuses everything until the file is opened anew, which the next use does: a disk
    /// that was full for a while leaves the service working.
    fn recover<T>(&self, run: impl FnOnce(&Database) -> Result<T>) -> Result<T> {
        let result = match &*self.opened()? {
            Some(database) => run(database),
            // Another use has just failed to open it.
            None => Err(StoreError::Closed),
        };
        if let Err(StoreError::Full | StoreError::Closed | StoreError::Database(_)) = &result {
            // The next use opens it.
            self.close();
        }
        result
    }

    /// The database, which is opened if it is not.
    fn opened(&self) -> Result<RwLockReadGuard<'_, Option<Database>>> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if database.is_some() {
            return Ok(database);
        }
        drop(database);
        let mut closed = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if closed.is_none() {
            *closed = Some(open(&self.path)?);
        }
        drop(closed);
        Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closes the database, which gives the file free.
    fn close(&self) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
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

/// A key or a job in a table: its owner and its identity.
type Place = (&'static str, &'static [u8; 16]);

/// The places of everything that an owner has in a table.
fn of_owner(owner: &Owner) -> RangeInclusive<(&str, &'static [u8; 16])> {
    (owner.as_str(), &[0; 16])..=(owner.as_str(), &[u8::MAX; 16])
}

/// What an owner has here: how many keys and jobs, and their bytes.
struct Held {
    keys: u64,
    jobs: u64,
    bytes: u64,
}

impl Held {
    /// What an owner has, but for one key.
    fn of(transaction: &WriteTransaction, owner: &Owner, beside: Option<&[u8; 16]>) -> Result<Self> {
        let (keys, of_keys) = keys::held(transaction, owner, beside)?;
        let (jobs, of_jobs) = jobs::held(transaction, owner)?;
        Ok(Self { keys, jobs, bytes: of_keys.saturating_add(of_jobs) })
    }
}

/// Why something is not stored: its owner has as much as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverQuota {
    Keys,
    Bytes,
    Jobs,
    Bootstraps,
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
