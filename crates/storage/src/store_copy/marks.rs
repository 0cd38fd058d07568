//! The marks of a copy on a store, so that no program replaces it meanwhile, and how the source refuses
//! writes.

use std::time::Duration;

use tokio::time::sleep;
use values::Timestamp;

use crate::database::Database;
use crate::error::{Error, has_code};
use crate::open_error::OpenError;
use crate::statement::{Dialect, Statement};
use crate::store_copy::session::CopySession;
use crate::store_mark::StoreMark;

const MARK: &str = "INSERT INTO store_marks (name, store, at) VALUES ($1, $2, $3)
                     ON CONFLICT (name) DO UPDATE SET store = excluded.store, at = excluded.at";
const WRITES: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];
/// Tables of SQLite that programs write.
const TABLES: &str = "SELECT name FROM sqlite_schema
                       WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN ('_sqlx_migrations', 'store_marks')";
const REFUSING: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'latchkey_moved_%'";
/// All later sessions wait behind one that waits for a lock of a table, so no attempt waits long. PostgreSQL
/// looks for deadlocks after a second.
const LOCK_WAIT: &str = "SET LOCAL lock_timeout = 500";
/// How often and at which intervals the locks of all tables are tried: programs take turns with the attempts.
const LOCK_ATTEMPTS: usize = 60;
const LOCK_PAUSE: Duration = Duration::from_millis(500);
/// The SQLSTATE of a lock that was not given in time.
const NO_LOCK: &str = "55P03";

const MARKS: &str = "SELECT name, store, at FROM store_marks";

type MarkRow = (String, String, Timestamp);

fn mark((name, store, at): MarkRow) -> StoreMark {
    if name == "moved" { StoreMark::Moved(store, at) } else { StoreMark::Unfinished(store) }
}

pub(super) async fn mark_of(session: &mut CopySession) -> Result<Option<StoreMark>, Error> {
    let rows: Vec<MarkRow> = session.all(Statement::from_text(MARKS)).await?;
    Ok(rows.into_iter().next().map(mark))
}

impl Database {
    /// No program may read or serve a store that is an incomplete copy, or whose rows were moved to another
    /// store.
    pub(crate) async fn refusing_marked(self) -> Result<Self, OpenError> {
        let database = self.place();
        match self.first::<MarkRow>(Statement::from_text(MARKS)).await {
            Ok(None) => Ok(self),
            Ok(Some(row)) => Err(OpenError::Marked { database, mark: mark(row) }),
            Err(Error::Engine(cause)) => Err(OpenError::Open { database, cause: cause.into() }),
            Err(cause) => Err(OpenError::Open { database, cause: sqlx::Error::decode(cause).into() }),
        }
    }
}

/// Marks the target.
pub(super) async fn mark_unfinished(
    session: &mut CopySession,
    from: &str,
    now: Timestamp,
) -> Result<(), Error> {
    session.execute(&Statement::from_text(MARK).bind("unfinished").bind(from).bind(now)).await
}

pub(super) async fn finish(session: &mut CopySession) -> Result<(), Error> {
    session.run("DELETE FROM store_marks WHERE name = 'unfinished'").await
}

/// When this returns, every writer is refused, whatever program it is.
pub(super) async fn mark_moved(session: &mut CopySession, to: &str, now: Timestamp) -> Result<(), Error> {
    with_all_locks(session, async |session| refuse_writes(session, to, now).await).await
}

/// When this returns, writers are served again.
pub(super) async fn take_back(session: &mut CopySession) -> Result<(), Error> {
    with_all_locks(session, async |session| take_writes(session).await).await
}

/// Tries until the programs leave the locks of all tables at once.
async fn with_all_locks(
    session: &mut CopySession,
    change: impl AsyncFn(&mut CopySession) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut attempts = 1..LOCK_ATTEMPTS;
    loop {
        match change(session).await {
            Err(Error::Engine(error)) if has_code(&error, NO_LOCK) && attempts.next().is_some() => {
                session.run("ROLLBACK").await?;
                sleep(LOCK_PAUSE).await;
            }
            changed => return changed,
        }
    }
}

async fn refuse_writes(session: &mut CopySession, to: &str, now: Timestamp) -> Result<(), Error> {
    match session.dialect() {
        Dialect::Sqlite => {
            session.run("BEGIN IMMEDIATE").await?;
            let refusal = format!("the store was moved to {to}").replace('\'', "''");
            for (table,) in session.all::<(String,)>(Statement::from_text(TABLES)).await? {
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
            session.execute(&Statement::from_text("SELECT latchkey_refuse_writes($1)").bind(to)).await?;
        }
    }
    session.execute(&Statement::from_text(MARK).bind("moved").bind(to).bind(now)).await?;
    session.run("COMMIT").await
}

async fn take_writes(session: &mut CopySession) -> Result<(), Error> {
    match session.dialect() {
        Dialect::Sqlite => {
            session.run("BEGIN IMMEDIATE").await?;
            for (trigger,) in session.all::<(String,)>(Statement::from_text(REFUSING)).await? {
                session.run(format!("DROP TRIGGER {trigger}")).await?;
            }
        }
        Dialect::Postgres => {
            session.run(format!("BEGIN; {LOCK_WAIT}; SELECT latchkey_take_writes()")).await?;
        }
    }
    session.run("DELETE FROM store_marks WHERE name = 'moved'; COMMIT").await
}
