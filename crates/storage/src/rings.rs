//! Deletes expired rows. In PostgreSQL the tables are rings of partitions, and a partition is truncated when
//! all its rows have expired. If no replica ran for months, a partition in use can contain rows from the
//! previous round; these are deleted in batches. In SQLite the tables are scanned.

use sessions::Ring;
use values::{Lifetime, Timestamp};

use crate::database::Database;
use crate::error::{Error, has_code};
use crate::statement::{Dialect, Statement};
use crate::transaction::TransactionPurpose;

/// A table whose rows are stored in a ring of partitions.
pub(crate) struct RingTable {
    pub(crate) name: &'static str,
    pub(crate) ring: Ring,
    /// The longest time for which a row is kept.
    pub(crate) kept: Lifetime,
    /// The columns of the primary key.
    pub(crate) key: &'static str,
    /// The rows that can be deleted before they expire.
    pub(crate) early: Option<Early>,
}

/// Rows that can be deleted before they expire.
pub(crate) struct Early {
    /// The condition for these rows. `$1` is the current time.
    pub(crate) condition: &'static str,
    /// How long before its expiry such a row can be deleted.
    pub(crate) before: Lifetime,
}

/// Rows per statement.
const BATCH: u64 = 500;
/// Once a minute, PostgreSQL searches this time span for rows to delete early. Rows that it misses while no
/// replica runs are deleted with their partition.
const LOOKED_THROUGH: Lifetime = Lifetime::from_seconds(300);
/// The maximum difference between the clocks of replicas.
const SKEW: Lifetime = Lifetime::from_seconds(60);

/// How long TRUNCATE waits for transactions that read the partition. Requests queue behind the waiting
/// TRUNCATE, and they have only 250 ms.
const LOCK_WAIT: &str = "SET LOCAL lock_timeout = '100ms'";
/// The SQLSTATE `lock_not_available`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

impl RingTable {
    /// A table whose rows stay until they expire.
    pub(crate) const fn new(name: &'static str, ring: Ring, kept: Lifetime, key: &'static str) -> Self {
        Self { name, ring, kept, key, early: None }
    }

    /// How far ahead new rows expire, in units of the ring, rounded up.
    fn ahead(&self) -> u64 {
        self.kept.seconds().div_ceil(self.ring.unit().seconds())
    }

    /// The slots whose rows have all expired and that no new row uses. One unit on either side of the used
    /// slots is left out as a margin.
    fn ended(&self, now: Timestamp) -> impl Iterator<Item = u64> {
        let (unit, slots) = (now.seconds() / self.ring.unit().seconds(), u64::from(self.ring.slots()));
        (unit + self.ahead() + 2..unit + slots - 1).map(move |later| later % slots)
    }

    /// Rows that expired before this time belong to the previous round of a partition that is in use again.
    fn round_before(&self, now: Timestamp) -> Timestamp {
        let (unit, slots) = (self.ring.unit().seconds(), u64::from(self.ring.slots()));
        let units = (now.seconds() / unit).saturating_sub(slots - self.ahead() - 2);
        Timestamp::from_seconds((units * unit).saturating_sub(1))
    }
}

/// Deletes expired rows of these tables. Returns how many rows were deleted individually, without truncation.
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

/// Truncates a partition if it contains rows. If a long transaction is reading it, the next call truncates
/// it.
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

    /// In any other order than the primary key, each batch would read the whole table.
    #[tokio::test]
    async fn sqlite_tables_are_scanned_in_key_order() {
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
    fn slots_in_use_are_not_emptied() {
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
                // A row that ended by `round_before` is in none of the truncated slots. A row that ended
                // later is in a truncated slot, or has just ended.
                let left = table.round_before(now).seconds() / table.ring.unit().seconds();
                for over in left + 1..unit.saturating_sub(1) {
                    assert!(ended.contains(&(over % slots)), "{} {day}", table.name);
                }
                assert!(left + slots <= unit + table.ahead() + 1 || unit < slots, "{} {day}", table.name);
            }
        }
    }
}
