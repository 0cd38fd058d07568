//! What a copy says of a store, so that no program takes its place meanwhile, and how the source refuses writes.

use protocol::Timestamp;

use crate::database::Database;
use crate::error::Error;
use crate::open_error::OpenError;
use crate::statement::{Dialect, Statement};
use crate::store_copy::session::Session;

const MARK: &str = "INSERT INTO store_marks (name, store, at) VALUES ($1, $2, $3)
                     ON CONFLICT (name) DO UPDATE SET store = excluded.store, at = excluded.at";
const WRITES: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];
/// Tables of SQLite that programs write.
const TABLES: &str = "SELECT name FROM sqlite_schema
                       WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN ('_sqlx_migrations', 'store_marks')";
const REFUSING: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'latchkey_moved_%'";
/// Waiting longer than this for one lock, while holding others, could stop writers for a second, after which PostgreSQL looks for deadlocks.
const LOCK_WAIT: &str = "SET LOCAL lock_timeout = 500";

/// A store that is not in use, and the other store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreMark {
    /// A copy of the other store that is not complete.
    #[error("is the unfinished copy of {0}")]
    Unfinished(String),
    /// The other store has its rows since then.
    #[error("was moved to {0} at {at}, and takes no writes", at = .1.to_rfc3339())]
    Moved(String, Timestamp),
}

const MARKS: &str = "SELECT name, store, at FROM store_marks";

type MarkRow = (String, String, Timestamp);

fn mark((name, store, at): MarkRow) -> StoreMark {
    if name == "moved" { StoreMark::Moved(store, at) } else { StoreMark::Unfinished(store) }
}

pub(super) async fn mark_of(session: &mut Session) -> Result<Option<StoreMark>, Error> {
    let rows: Vec<MarkRow> = session.all(Statement::of(MARKS)).await?;
    Ok(rows.into_iter().next().map(mark))
}

impl Database {
    /// Nothing reads or serves a store that is half a copy, or whose rows go on elsewhere.
    pub(crate) async fn refusing_marked(self) -> Result<Self, OpenError> {
        let database = self.place();
        match self.first::<MarkRow>(Statement::of(MARKS)).await {
            Ok(None) => Ok(self),
            Ok(Some(row)) => Err(OpenError::Marked { database, mark: mark(row) }),
            Err(Error::Engine(cause)) => Err(OpenError::Open { database, cause: cause.into() }),
            Err(cause) => Err(OpenError::Open { database, cause: sqlx::Error::decode(cause).into() }),
        }
    }
}

/// For the target. A store that was moved once, and taken back, may be the target of another copy.
pub(super) async fn mark_unfinished(session: &mut Session, from: &str, now: Timestamp) -> Result<(), Error> {
    session.execute(&Statement::of(MARK).bind("unfinished").bind(from).bind(now)).await
}

pub(super) async fn finish(session: &mut Session) -> Result<(), Error> {
    session.run("DELETE FROM store_marks WHERE name = 'unfinished'").await
}

/// From the end of this on every writer is refused, whatever program it is.
pub(super) async fn mark_moved(session: &mut Session, to: &str, now: Timestamp) -> Result<(), Error> {
    match session.dialect() {
        Dialect::Sqlite => {
            session.run("BEGIN IMMEDIATE").await?;
            let refusal = format!("the store was moved to {to}").replace('\'', "''");
            for (table,) in session.all::<(String,)>(Statement::of(TABLES)).await? {
                for write in WRITES {
                    let name = format!("latchkey_moved_{}_{table}", write.to_lowercase());
                    let trigger = format!(
                        "CREATE TRIGGER IF NOT EXISTS {name} BEFORE {write} ON {table}
                         BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
                    );
                    session.run(trigger).await?;
                }
            }
        }
        Dialect::Postgres => {
            session.run(format!("BEGIN; {LOCK_WAIT}")).await?;
            let refuse: Vec<(String,)> =
                session.all(Statement::of("SELECT latchkey_refuse_writes($1)::text").bind(to)).await?;
            drop(refuse);
        }
    }
    session.execute(&Statement::of(MARK).bind("moved").bind(to).bind(now)).await?;
    session.run("COMMIT").await
}

pub(super) async fn take_back(session: &mut Session) -> Result<(), Error> {
    match session.dialect() {
        Dialect::Sqlite => {
            session.run("BEGIN IMMEDIATE").await?;
            for (trigger,) in session.all::<(String,)>(Statement::of(REFUSING)).await? {
                session.run(format!("DROP TRIGGER {trigger}")).await?;
            }
        }
        Dialect::Postgres => session.run("BEGIN; SELECT latchkey_take_writes()").await?,
    }
    session.run("DELETE FROM store_marks WHERE name = 'moved'; COMMIT").await
}
