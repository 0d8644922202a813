//! How many bootstraps each token used on a day.

use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::{Result, Store, now};
use crate::access::owner::Owner;

/// Bootstraps of an owner on a day, counted from 1970 in UTC.
const USAGE: TableDefinition<'_, (&str, u64), u64> = TableDefinition::new("usage");
const DAY_SECONDS: u64 = 24 * 60 * 60;

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<()> {
    transaction.open_table(USAGE)?;
    Ok(())
}

/// Seconds until the next day begins, in UTC.
pub(crate) fn seconds_left_today() -> u64 {
    DAY_SECONDS - now() % DAY_SECONDS
}

/// Takes bootstraps from what an owner may use today, and says whether they were there. None is a quota without a bound.
pub(super) fn take(
    transaction: &WriteTransaction,
    owner: &Owner,
    count: u64,
    quota: Option<u64>,
) -> Result<bool> {
    let today = now() / DAY_SECONDS;
    let mut usage = transaction.open_table(USAGE)?;
    let used = usage.get((owner.as_str(), today))?.map_or(0, |used| used.value());
    let sum = used.saturating_add(count);
    if quota.is_some_and(|quota| sum > quota) {
        return Ok(false);
    }
    usage.insert((owner.as_str(), today), sum)?;
    // Of other days nobody asks.
    usage.retain(|(_, day), _| day == today)?;
    Ok(true)
}

impl Store {
    /// Takes bootstraps from what an owner may use today, and says whether they were there.
    pub(crate) fn use_bootstraps(&self, owner: &Owner, count: u64, quota: Option<u64>) -> Result<bool> {
        self.write(|transaction| take(transaction, owner, count, quota))
    }
}
