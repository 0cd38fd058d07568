//! The log of changed rows. Each process reads it to drop stale cache entries.

use std::sync::LazyLock;

use administration::kinds::Invalidation;
use administration::store::ChangeLog;
use async_trait::async_trait;
use tenancy::Stored;
use values::Timestamp;

use crate::column::seconds;
use crate::database::Database;
use crate::lost_changes;
use crate::rows::{LoggedChange, name_column};
use crate::statement::Statement;

/// Selects the changes that a reading with the end `$1` has not seen, or one row without a change if there
/// are none. Reads across tenants on purpose: each process reads every change.
pub(crate) static CHANGES: LazyLock<String> = LazyLock::new(|| {
    let names = format!("position, kind, tenant_id, {}", names());
    let seen = lost_changes::SEEN.as_str();
    format!(
        "SELECT reading.history, reading.log_end, reading.is_continued, {names}, {seen}
           FROM (SELECT {{history}} AS history, {{end_of_log}} AS log_end, {{has_come_to}} AS is_continued) AS reading
           LEFT JOIN {{log_since({names})}}
          ORDER BY position"
    )
});

/// The current end of the log.
pub(crate) const END: &str = "SELECT {end_of_log}";

pub(crate) static LOG: LazyLock<String> = LazyLock::new(|| {
    let (names, given) =
        (names(), Invalidation::NAMED_KINDS.map(|kind| format!("{} text", name_column(kind))).join(", "));
    format!(
        "INSERT INTO change_log (kind, tenant_id, {names}, changed_at)
         SELECT kind, tenant_id, {names}, $2 FROM {{given(kind text, tenant_id text, {given})}} ORDER BY nth"
    )
});

const POSITION: &str = "SELECT COALESCE(MAX(position), 0) FROM change_log";

const FORGET: &str = "DELETE FROM change_log WHERE changed_at < $1";

/// Seconds. Rows of the log are deleted after this time. No cache keeps an entry for as long.
const REMEMBERED_SECONDS: i64 = 86_400;

/// The columns with the names of the changed rows, one for each kind of name.
fn names() -> String {
    Invalidation::NAMED_KINDS.map(name_column).join(", ")
}

#[async_trait]
impl ChangeLog for Database {
    async fn position(&self) -> Stored<i64> {
        Ok(self.scalar(Statement::from_text(POSITION)).await?.unwrap_or(0))
    }

    async fn changes_since(&self, position: i64) -> Stored<Vec<(i64, Invalidation)>> {
        let text = format!(
            "SELECT position, kind, tenant_id, {} FROM change_log WHERE position > $1 ORDER BY position",
            names()
        );
        let rows: Vec<LoggedChange> = self.read(Statement::from_text(text).bind(position)).await?;
        rows.into_iter().map(|row| Ok((row.position, row.change?))).collect()
    }
}

/// Deletes rows older than [`REMEMBERED_SECONDS`].
pub(crate) fn forget(now: Timestamp) -> Statement {
    Statement::from_text(FORGET).bind(seconds(now) - REMEMBERED_SECONDS)
}
