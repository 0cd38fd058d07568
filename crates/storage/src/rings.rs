//! Rows that expire. In PostgreSQL they are in a ring of partitions: a partition whose time is over is
//! truncated, so that many rows need no deletion. After months without a replica, a partition in use may
//! contain rows of the round before; these are deleted in batches. In SQLite their tables are scanned.

use sessions::Ring;
use values::{Lifetime, Timestamp};

use crate::database::Database;
use crate::error::{Error, has_code};
use crate::statement::{Dialect, Statement};
use crate::transaction::TransactionPurpose;

/// A table whose rows lie in a ring.
pub(crate) struct RingTable {
    pub(crate) name: &'static str,
    pub(crate) ring: Ring,
    /// The longest time for which a row is kept.
    pub(crate) kept: Lifetime,
    /// The columns of its primary key.
    pub(crate) key: &'static str,
    /// The rows that end early, if any do.
    pub(crate) early: Option<Early>,
}

/// Rows that nothing needs any more before they have expired.
pub(crate) struct Early {
    /// The condition for these rows at the time `$1`.
    pub(crate) condition: &'static str,
    /// How long before its expiry such a row ends.
    pub(crate) before: Lifetime,
}

/// Rows in one statement.
const BATCH: u64 = 500;
/// Once a minute, PostgreSQL searches the rows of this span for those that end early. Rows that it misses
/// while no replica runs end with their partition.
const LOOKED_THROUGH: Lifetime = Lifetime::from_seconds(300);
/// Clocks of replicas differ.
const SKEW: Lifetime = Lifetime::from_seconds(60);

/// How long TRUNCATE waits for transactions that read the partition. Requests that come after it wait for it,
/// and have 250 ms.
const LOCK_WAIT: &str = "SET LOCAL lock_timeout = '100ms'";
/// The SQLSTATE of a lock that was not got in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

impl RingTable {
    /// The number of units from now until the end of a new row.
    fn ahead(&self) -> u64 {
        self.kept.seconds().div_ceil(self.ring.unit().seconds())
    }

    /// The slots whose time is over, and in which no new row ends. One unit is left on either side of those
    /// in use.
    fn ended(&self, now: Timestamp) -> impl Iterator<Item = u64> {
        let (unit, slots) = (now.seconds() / self.ring.unit().seconds(), u64::from(self.ring.slots()));
        (unit + self.ahead() + 2..unit + slots - 1).map(move |later| later % slots)
    }

    /// Rows that ended by then are in a partition that is in use again.
    fn round_before(&self, now: Timestamp) -> Timestamp {
        let (unit, slots) = (self.ring.unit().seconds(), u64::from(self.ring.slots()));
        let units = (now.seconds() / unit).saturating_sub(slots - self.ahead() - 2);
        Timestamp::from_seconds((units * unit).saturating_sub(1))
    }
}

/// Empties the rings of these tables. Returns how many rows were deleted singly.
pub(crate) async fn empty(
    database: &Database,
    tables: impl Iterator<Item = &'static RingTable>,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut deleted = 0;
    for table in tables {
        let ended = now.saturating_sub(SKEW);
        let until = match database.dialect() {
            Dialect::Sqlite => ended,
            Dialect::Postgres => {
                if let Some(early) = &table.early {
                    deleted += delete_early(database, table, early, ended).await?;
                }
                for slot in table.ended(now) {
                    truncate(database, table, slot).await?;
                }
                table.round_before(now)
            }
        };
        let early = table.early.as_ref().map_or("FALSE", |early| early.condition);
        deleted += database.delete_expired(table.name, table.key, until, early, BATCH).await?;
    }
    Ok(deleted)
}

/// Deletes a batch of rows of a table that end early.
async fn delete_early(
    database: &Database,
    RingTable { name, key, .. }: &RingTable,
    Early { condition, before }: &Early,
    ended: Timestamp,
) -> Result<u64, Error> {
    let delete = Statement::from_text(format!(
        "DELETE FROM {name} WHERE ({key}) IN
                (SELECT {key} FROM {name} WHERE expires_at > $2 AND expires_at <= $3 AND {condition} LIMIT $4)"
    ));
    let last = ended + *before;
    let delete = delete.bind(ended).bind(last.saturating_sub(LOOKED_THROUGH)).bind(last).bind(BATCH);
    database.write(delete).await
}

/// Truncates a partition, if it is not empty. If a long transaction reads it, the next call truncates it.
async fn truncate(database: &Database, RingTable { name, .. }: &RingTable, slot: u64) -> Result<(), Error> {
    let is_used =
        Statement::from_text(format!("SELECT EXISTS (SELECT 1 FROM {name} WHERE slot = $1)")).bind(slot);
    if !database.scalar(is_used).await?.unwrap_or(false) {
        return Ok(());
    }
    let mut transaction = database.begin(TransactionPurpose::Writes).await?;
    transaction.execute(&Statement::from_text(LOCK_WAIT)).await?;
    match transaction.execute(&Statement::from_text(format!("TRUNCATE {name}_{slot}"))).await {
        Ok(_) => transaction.commit().await,
        Err(Error::Engine(error)) if has_code(&error, LOCK_NOT_AVAILABLE) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expiring::tables;
    use crate::used_identifiers;

    /// A walk in another order than that of the key would read the whole table for each batch.
    #[tokio::test]
    async fn sqlite_tables_are_walked_in_the_order_of_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let database = crate::sqlite::open(&folder.path().join("latchkey.db")).await.unwrap();
        let identifiers = [("used_identifiers", used_identifiers::KEY)];
        for (name, key) in tables().map(|table| (table.name, table.key)).chain(identifiers) {
            let columns = Statement::from_text(format!(
                "SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info('{name}') WHERE pk > 0 ORDER BY pk)"
            ));
            let columns: Option<String> = database.scalar(columns).await.unwrap();
            assert_eq!(columns.as_deref(), Some(key), "{name}");
        }
    }

    #[test]
    fn no_slot_is_emptied_that_a_row_of_now_can_be_in() {
        for table in tables() {
            let slots = u64::from(table.ring.slots());
            for day in 0..1_000 {
                let now = Timestamp::from_seconds(day * 86_400 + 5);
                let ended: Vec<_> = table.ended(now).collect();
                assert!(!ended.is_empty(), "{}", table.name);
                let unit = now.seconds() / table.ring.unit().seconds();
                for used in unit.saturating_sub(1)..=unit + table.ahead() {
                    assert!(!ended.contains(&(used % slots)), "{} {day}", table.name);
                }
                // A row that ended by then is in none of the truncated slots. A row that ended later is in
                // one, or has just ended.
                let left = table.round_before(now).seconds() / table.ring.unit().seconds();
                for over in left + 1..unit.saturating_sub(1) {
                    assert!(ended.contains(&(over % slots)), "{} {day}", table.name);
                }
                assert!(left + slots <= unit + table.ahead() + 1 || unit < slots, "{} {day}", table.name);
            }
        }
    }
}
