//! The log of changed rows, which each process reads to drop its cache entries.

use std::sync::LazyLock;

use administration::{ChangeLog, Invalidation};
use async_trait::async_trait;
use tenancy::Stored;
use values::Timestamp;

use crate::column::seconds;
use crate::database::Database;
use crate::rows::{LogReading, name_column};
use crate::statement::Statement;

/// The changes after the position `$1`. If there is none, one row without a change. Across tenants on
/// purpose: each process reads every change.
pub(crate) static CHANGES: LazyLock<String> = LazyLock::new(|| {
    let names = names();
    format!(
        "SELECT reading.history, reading.log_end, position, kind, tenant_id, {names}
           FROM (SELECT {{history}} AS history, {{end_of_log}} AS log_end) AS reading
           LEFT JOIN change_log ON position > $1
          ORDER BY position"
    )
});

/// Logs a change at the time `$2`.
pub(crate) static LOG: LazyLock<String> = LazyLock::new(|| {
    let (names, given) =
        (names(), Invalidation::NAMED_KINDS.map(|kind| format!("{} text", name_column(kind))).join(", "));
    format!(
        "INSERT INTO change_log (kind, tenant_id, {names}, changed_at)
         SELECT kind, tenant_id, {names}, $2 FROM {{given(kind text, tenant_id text, {given})}} ORDER BY nth"
    )
});

const POSITION: &str = "SELECT {end_of_log}";

const FORGET: &str = "DELETE FROM change_log WHERE changed_at < $1";

/// Older rows are removed: no cache keeps an entry for this long.
const REMEMBERED_SECONDS: i64 = 86_400;

/// The columns that have the names of what has changed.
fn names() -> String {
    Invalidation::NAMED_KINDS.map(name_column).join(", ")
}

#[async_trait]
impl ChangeLog for Database {
    async fn position(&self) -> Stored<i64> {
        Ok(self.scalar(Statement::from_text(POSITION)).await?.unwrap_or(0))
    }

    async fn changes_since(&self, position: i64) -> Stored<Vec<(i64, Invalidation)>> {
        let rows = self.read(Statement::from_text(CHANGES.as_str()).bind(position)).await?;
        let changes = LogReading::new(rows)?.changes;
        changes.into_iter().map(|row| Ok((row.position, row.change?))).collect()
    }
}

/// Deletes old rows, of the tenants that the role of the transaction sees.
pub(crate) fn forget(now: Timestamp) -> Statement {
    Statement::from_text(FORGET).bind(seconds(now) - REMEMBERED_SECONDS)
}
