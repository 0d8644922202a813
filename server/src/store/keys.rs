//! Cloud keys, whole or on their way.

use std::io::{self, Read};

use redb::{ReadOnlyTable, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use tfhe_core::keys::KeyId;

use super::{
    Held, OverQuota, Place, Result, Store, StoreError, decode, encode,
    jobs::{self, JobName},
    now, of_owner,
};
use crate::access::{owner::Owner, tokens::Quota};

/// What is known of a key, by its owner and identity.
const KEYS: TableDefinition<'_, Place, &[u8]> = TableDefinition::new("keys");
/// The bytes of a key, each part under the place of its first byte.
const PARTS: TableDefinition<'_, (&str, &[u8; 16], u64), &[u8]> = TableDefinition::new("key parts");

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<()> {
    transaction.open_table(KEYS)?;
    transaction.open_table(PARTS)?;
    Ok(())
}

/// How many keys an owner has, but for one, and their bytes, as they will be when all has come.
pub(super) fn held(
    transaction: &WriteTransaction,
    owner: &Owner,
    beside: Option<&[u8; 16]>,
) -> Result<(u64, u64)> {
    let keys = transaction.open_table(KEYS)?;
    let (mut count, mut bytes) = (0, 0_u64);
    for entry in keys.range(of_owner(owner))? {
        let (name, record) = entry?;
        if Some(name.value().1) != beside {
            count += 1;
            bytes = bytes.saturating_add(decode::<KeyRecord>(record.value())?.bytes);
        }
    }
    Ok((count, bytes))
}

/// A cloud key by its owner and its own identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct KeyName {
    pub(crate) owner: Owner,
    pub(crate) id: [u8; 16],
}

impl KeyName {
    pub(crate) fn new(owner: &Owner, id: KeyId) -> Self {
        Self { owner: owner.clone(), id: id.0 }
    }

    fn place(&self) -> (&str, &[u8; 16]) {
        (self.owner.as_str(), &self.id)
    }
}

/// What is known of a cloud key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    /// The parameter set; none before the first part has come.
    pub(crate) parameters: Option<String>,
    /// Bytes of the whole file.
    pub(crate) bytes: u64,
    /// Bytes that have come.
    pub(crate) received: u64,
    /// SHA-256 of the file, once it was read and found to be what it should be.
    pub(crate) sha256: Option<[u8; 32]>,
    /// When the last part came, in seconds since 1970.
    pub(crate) touched: u64,
}

impl KeyRecord {
    pub(crate) fn is_complete(&self) -> bool {
        self.sha256.is_some()
    }
}

impl Store {
    /// What is known of a key.
    pub(crate) fn key(&self, name: &KeyName) -> Result<Option<KeyRecord>> {
        self.read(|transaction| {
            let record = transaction.open_table(KEYS)?.get(name.place())?;
            record.map(|record| decode(record.value())).transpose()
        })
    }

    /// The keys of an owner.
    pub(crate) fn keys(&self, owner: &Owner) -> Result<Vec<(KeyId, KeyRecord)>> {
        self.read(|transaction| {
            let keys = transaction.open_table(KEYS)?;
            keys.range(of_owner(owner))?
                .map(|entry| {
                    let (name, record) = entry?;
                    Ok((KeyId(*name.value().1), decode(record.value())?))
                })
                .collect()
        })
    }

    /// Begins a key, or begins it anew, if the quota has room for all of it. One that is whole stays as it is.
    pub(crate) fn begin_key(
        &self,
        name: &KeyName,
        bytes: u64,
        quota: Quota,
    ) -> Result<Result<(), OverQuota>> {
        self.write(|transaction| {
            // In one transaction with the change, so that two at once do not both take the last room.
            let held = Held::of(transaction, &name.owner, Some(&name.id))?;
            if held.keys >= quota.keys {
                return Ok(Err(OverQuota::Keys));
            }
            if held.bytes.saturating_add(bytes) > quota.bytes {
                return Ok(Err(OverQuota::Bytes));
            }
            let mut keys = transaction.open_table(KEYS)?;
            if let Some(record) = keys.get(name.place())?
                && decode::<KeyRecord>(record.value())?.is_complete()
            {
                return Ok(Ok(()));
            }
            remove_parts(transaction, name)?;
            let record = KeyRecord { parameters: None, bytes, received: 0, sha256: None, touched: now() };
            keys.insert(name.place(), &encode(&record)[..])?;
            Ok(Ok(()))
        })
    }

    /// Adds the next bytes of a key, which begin at `offset`. False where they do not follow what was received: the key was begun anew,
    /// deleted, or sent twice at once.
    pub(crate) fn append_key(
        &self,
        name: &KeyName,
        offset: u64,
        bytes: &[u8],
        parameters: &str,
    ) -> Result<bool> {
        self.write(|transaction| {
            let mut keys = transaction.open_table(KEYS)?;
            let record =
                keys.get(name.place())?.map(|record| decode::<KeyRecord>(record.value())).transpose()?;
            let Some(mut record) = record else { return Ok(false) };
            if record.received != offset || record.is_complete() {
                return Ok(false);
            }
            record.received += bytes.len() as u64;
            record.parameters = Some(parameters.into());
            record.touched = now();
            keys.insert(name.place(), &encode(&record)[..])?;
            let (owner, id) = name.place();
            transaction.open_table(PARTS)?.insert((owner, id, offset), bytes)?;
            Ok(true)
        })
    }

    /// Marks a key as whole. False where it is not what it was any more.
    pub(crate) fn finish_key(&self, name: &KeyName, sha256: [u8; 32]) -> Result<bool> {
        self.write(|transaction| {
            let mut keys = transaction.open_table(KEYS)?;
            let record =
                keys.get(name.place())?.map(|record| decode::<KeyRecord>(record.value())).transpose()?;
            let Some(mut record) = record.filter(|record| record.received == record.bytes) else {
                return Ok(false);
            };
            record.sha256 = Some(sha256);
            keys.insert(name.place(), &encode(&record)[..])?;
            Ok(true)
        })
    }

    /// Forgets a key, with the jobs that need it, which it returns. None where there is no such key.
    pub(crate) fn delete_key(&self, name: &KeyName) -> Result<Option<Vec<JobName>>> {
        self.write(|transaction| {
            let jobs = jobs::remove_of_key(transaction, name)?;
            Ok(remove(transaction, name)?.then_some(jobs))
        })
    }

    /// Forgets what came of a key that is not whole.
    pub(crate) fn drop_upload(&self, name: &KeyName) -> Result<()> {
        self.write(|transaction| {
            let record = transaction
                .open_table(KEYS)?
                .get(name.place())?
                .map(|record| decode::<KeyRecord>(record.value()))
                .transpose()?;
            if record.is_some_and(|record| !record.is_complete()) {
                remove(transaction, name)?;
            }
            Ok(())
        })
    }

    /// Forgets the keys that are not whole and of which nothing came after `before`.
    pub(crate) fn expire_keys(&self, before: u64) -> Result<usize> {
        self.write(|transaction| {
            let mut old = Vec::new();
            for entry in transaction.open_table(KEYS)?.iter()? {
                let (name, record) = entry?;
                let record: KeyRecord = decode(record.value())?;
                if !record.is_complete() && record.touched < before {
                    let (owner, id) = name.value();
                    old.push(KeyName { owner: Owner::stored(owner), id: *id });
                }
            }
            for name in &old {
                remove(transaction, name)?;
            }
            Ok(old.len())
        })
    }

    /// Bytes of a key from `offset` on, as far as they have come.
    pub(crate) fn read_key(&self, name: &KeyName, offset: u64) -> Result<KeyReader> {
        let parts = self.read(|transaction| Ok(transaction.open_table(PARTS)?))?;
        Ok(KeyReader { name: name.clone(), parts, offset, part: Vec::new(), taken: 0 })
    }
}

fn remove(transaction: &WriteTransaction, name: &KeyName) -> Result<bool> {
    remove_parts(transaction, name)?;
    let mut keys = transaction.open_table(KEYS)?;
    let was_there = keys.remove(name.place())?.is_some();
    Ok(was_there)
}

fn remove_parts(transaction: &WriteTransaction, name: &KeyName) -> Result<()> {
    let mut parts = transaction.open_table(PARTS)?;
    let (owner, id) = name.place();
    for part in parts.extract_from_if((owner, id, 0)..=(owner, id, u64::MAX), |_, _| true)? {
        part?;
    }
    Ok(())
}

/// The bytes of a key, a part in memory at a time.
pub(crate) struct KeyReader {
    name: KeyName,
    parts: ReadOnlyTable<(&'static str, &'static [u8; 16], u64), &'static [u8]>,
    /// Where the next part begins, or, at first, a place in it.
    offset: u64,
    part: Vec<u8>,
    /// Bytes of the part that were read.
    taken: usize,
}

impl KeyReader {
    /// Takes the next part in hand; false at the end.
    fn next_part(&mut self) -> Result<bool> {
        let (owner, id) = self.name.place();
        let Some(entry) = self.parts.range((owner, id, 0)..=(owner, id, self.offset))?.next_back() else {
            return Ok(false);
        };
        let (place, bytes) = entry?;
        let skipped = (self.offset - place.value().2) as usize;
        if skipped >= bytes.value().len() {
            return Ok(false);
        }
        self.part = bytes.value().to_vec();
        self.taken = skipped;
        self.offset = place.value().2 + self.part.len() as u64;
        Ok(true)
    }
}

impl Read for KeyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.part.len()
            && !self.next_part().map_err(|error: StoreError| io::Error::other(error.to_string()))?
        {
            return Ok(0);
        }
        let count = buffer.len().min(self.part.len() - self.taken);
        buffer[..count].copy_from_slice(&self.part[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
