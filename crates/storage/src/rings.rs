//! Rows that end by themselves. In PostgreSQL they lie in a ring of partitions: those whose time is over are truncated, so that nothing
//! deletes many rows. What is left from a round before in a partition that is in use again, as after months without a replica, and all that
//! has expired in SQLite, is deleted in batches.

use protocol::{Lifetime, Timestamp};

use crate::database::Database;
use crate::error::Error;
use crate::statement::{Dialect, Statement};

/// A table whose rows share a partition for this many seconds of their end.
struct Ring {
    table: &'static str,
    unit: u64,
    slots: u64,
    /// What a row has beside tenant and slot.
    key: &'static str,
    /// How many units rows may end ahead.
    ahead: u64,
}

const RINGS: [Ring; 7] = [
    Ring { table: "sessions", unit: 7 * 86_400, slots: 16, key: "session_id", ahead: 7 },
    Ring { table: "authorization_codes", unit: 86_400, slots: 8, key: "code_digest", ahead: 2 },
    Ring { table: "device_codes", unit: 86_400, slots: 8, key: "code_digest", ahead: 2 },
    Ring { table: "pushed_requests", unit: 86_400, slots: 8, key: "request_digest", ahead: 1 },
    Ring { table: "refresh_families", unit: 30 * 86_400, slots: 20, key: "family_id", ahead: 14 },
    Ring { table: "session_clients", unit: 7 * 86_400, slots: 16, key: "session_id, client_id", ahead: 7 },
    Ring { table: "logout_outbox", unit: 7 * 86_400, slots: 16, key: "session_id, client_id", ahead: 7 },
];

/// Rows in one statement.
const BATCH: u64 = 500;
/// Clocks of replicas differ.
const SKEW: Lifetime = Lifetime::from_seconds(60);

impl Ring {
    /// The slots whose time is over, and which no row of now ends in: one unit is left on either side of those in use.
    fn ended(&self, now: Timestamp) -> impl Iterator<Item = u64> {
        let (unit, slots) = (now.seconds() / self.unit, self.slots);
        (unit + self.ahead + 2..unit + slots - 1).map(move |later| later % slots)
    }

    /// Rows that ended by then lie in a partition that is in use again.
    fn round_before(&self, now: Timestamp) -> Timestamp {
        let units = (now.seconds() / self.unit).saturating_sub(self.slots - self.ahead - 2);
        Timestamp::from_seconds((units * self.unit).saturating_sub(1))
    }
}

/// Empties each ring. Returns how many rows were deleted singly.
pub(crate) async fn empty(database: &Database, now: Timestamp) -> Result<u64, Error> {
    let mut deleted = 0;
    for ring in &RINGS {
        let until = match database.dialect() {
            Dialect::Sqlite => now.saturating_sub(SKEW),
            Dialect::Postgres => {
                truncate(database, ring, now).await?;
                ring.round_before(now)
            }
        };
        let Ring { table, key, .. } = ring;
        let delete = Statement::of(format!(
            "DELETE FROM {table} WHERE (tenant_id, slot, {key}) IN
                    (SELECT tenant_id, slot, {key} FROM {table} WHERE expires_at <= $1 LIMIT $2)"
        ));
        deleted += database.write(delete.bind(until).bind(BATCH)).await?;
    }
    Ok(deleted)
}

/// Truncates the partitions that are over and not empty. A partition that a transaction reads is left for the next time.
async fn truncate(database: &Database, ring: &Ring, now: Timestamp) -> Result<(), Error> {
    for slot in ring.ended(now) {
        let table = ring.table;
        let is_used =
            Statement::of(format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE slot = $1)")).bind(slot);
        if database.scalar(is_used).await?.unwrap_or(false) {
            database.write(Statement::of(format!("TRUNCATE {table}_{slot}"))).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_slot_is_emptied_that_a_row_of_now_can_be_in() {
        for ring in &RINGS {
            for day in 0..1_000 {
                let now = Timestamp::from_seconds(day * 86_400 + 5);
                let ended: Vec<_> = ring.ended(now).collect();
                assert!(!ended.is_empty(), "{}", ring.table);
                let unit = now.seconds() / ring.unit;
                for used in unit.saturating_sub(1)..=unit + ring.ahead {
                    assert!(!ended.contains(&(used % ring.slots)), "{} {day}", ring.table);
                }
                // What is left by then is in none of the slots that are truncated, and what ended later is in one, or has just ended.
                let left = ring.round_before(now).seconds() / ring.unit;
                for over in left + 1..unit.saturating_sub(1) {
                    assert!(ended.contains(&(over % ring.slots)), "{} {day}", ring.table);
                }
                assert!(
                    left + ring.slots <= unit + ring.ahead + 1 || unit < ring.slots,
                    "{} {day}",
                    ring.table
                );
            }
        }
    }
}
