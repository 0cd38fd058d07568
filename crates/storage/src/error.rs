//! Why a statement failed: whether trying again can help, and whether another writer was faster.

use std::io;
use std::time::Duration;

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;
use tenancy::StoreError;
use tokio::time::timeout;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Engine(#[from] sqlx::Error),
    /// A column holds a value that no version of Latchkey writes.
    #[error("cannot read column {column}: {cause}")]
    Unreadable { column: String, cause: String },
    /// Another writer has changed the rows since the decision was made.
    #[error("the rows changed after the decision")]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    pub(crate) fn unreadable(column: &str, cause: impl std::fmt::Display) -> Self {
        Self::Unreadable { column: column.to_owned(), cause: cause.to_string() }
    }

    /// Which part of the row is unreadable, if the row is the reason.
    pub(crate) fn of_row(&self) -> Option<String> {
        let is_of_row = match self {
            Self::Unreadable { .. } => true,
            Self::Engine(error) => matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)),
            Self::Stale | Self::Store(_) => false,
        };
        is_of_row.then(|| self.to_string().escape_debug().to_string())
    }

    /// Whether the rows are not those of the decision any more, for example because a row was inserted or
    /// deleted in the meantime.
    pub(crate) fn is_stale(&self) -> bool {
        match self {
            Self::Stale => true,
            Self::Engine(error) => matches!(
                error.as_database_error().map(DatabaseError::kind),
                Some(ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation)
            ),
            Self::Unreadable { .. } | Self::Store(_) => false,
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Engine(error) => store_error(error),
            Error::Store(error) => error,
            Error::Unreadable { .. } | Error::Stale => Self::fault(error),
        }
    }
}

fn store_error(error: sqlx::Error) -> StoreError {
    if may_pass(&error) { StoreError::unavailable(error) } else { StoreError::fault(error) }
}

/// A database that is unavailable, busy, locked, full, starting or stopping may recover. All other errors are
/// defects of Latchkey or of the rows.
pub(crate) fn may_pass(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if is_of_postgres(&**error) { is_passing_state(&code) } else { is_passing_result(&code) }
        }
        _ => false,
    }
}

/// Fails with [`sqlx::Error::Io`] if the work takes longer than the limit.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
    timeout(limit, work).await.unwrap_or_else(late)
}

/// `code` is an SQLSTATE of PostgreSQL or a result code of SQLite.
pub(crate) fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().and_then(DatabaseError::code).is_some_and(|given| given == code)
}

/// How often work that conflicts with another transaction is done again.
pub(crate) const REPETITIONS: u32 = 5;

/// Awaits the work of a whole transaction, again while PostgreSQL has rolled it back because of a concurrent
/// transaction: a serialization failure, for example where the database's default isolation level is
/// serializable, or a deadlock. A macro, because the future of a closure is not `Send` for every lifetime.
macro_rules! repeated {
    ($work:expr) => {{
        let mut left = $crate::error::REPETITIONS;
        loop {
            match $work.await {
                Err(error) if left > 0 && $crate::error::Conflict::is_conflict(&error) => left -= 1,
                outcome => break outcome,
            }
        }
    }};
}
pub(crate) use repeated;

/// An error that says whether the transaction conflicted with another one and was rolled back.
pub(crate) trait Conflict {
    fn is_conflict(&self) -> bool;
}

impl Conflict for sqlx::Error {
    fn is_conflict(&self) -> bool {
        ["40001", "40P01"].iter().any(|code| has_code(self, code))
    }
}

impl Conflict for Error {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Engine(error) if error.is_conflict())
    }
}

/// Whether the connection was lost during the statement. If the statement only reads, the caller may try
/// again once on another connection.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// Whether the failed commit may have been written nevertheless: the answer was lost, PostgreSQL stopped
/// while it answered, or SQLite could not confirm that the end of the log is on the disk.
pub(crate) fn may_have_committed(error: &sqlx::Error) -> bool {
    let is_of_disk = |error: &(dyn DatabaseError + 'static)| {
        let code = error.code().and_then(|code| code.parse::<i32>().ok());
        !is_of_postgres(error) && code.is_some_and(|code| code & 0xFF == 10)
    };
    is_lost(error)
        || matches!(error, sqlx::Error::WorkerCrashed)
        || error.as_database_error().is_some_and(is_of_disk)
}

fn is_of_postgres(error: &(dyn DatabaseError + 'static)) -> bool {
    error.try_downcast_ref::<PgDatabaseError>().is_some()
}

/// Decides by the SQLSTATE (PostgreSQL manual, appendix A). Statement timeouts count as temporary. So do a
/// standby that refuses writes (`25006`) or has no history (`55000`) during a failover, and a login whose
/// password is being changed.
fn is_passing_state(code: &str) -> bool {
    const CLASSES: [&str; 6] = ["08", "28", "40", "53", "57", "58"];
    CLASSES.iter().any(|class| code.starts_with(class)) || matches!(code, "25006" | "55000" | "55P03")
}

/// Decides by SQLite's primary result code: busy, locked, read-only, disk error, full, cannot open. 1811 is
/// an error of a trigger; only the triggers in a moved store raise errors.
fn is_passing_result(extended: &str) -> bool {
    extended.parse::<i32>().is_ok_and(|code| code == 1811 || matches!(code & 0xFF, 5 | 6 | 8 | 10 | 13 | 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_errors_are_distinguished_from_faults() {
        for passing in [
            sqlx::Error::PoolTimedOut,
            sqlx::Error::Io(io::Error::other("reset")),
            sqlx::Error::Protocol("short read".to_owned()),
        ] {
            assert!(matches!(store_error(passing), StoreError::Unavailable(_)));
        }
        for fault in [sqlx::Error::RowNotFound, sqlx::Error::ColumnNotFound("x".to_owned())] {
            assert!(matches!(store_error(fault), StoreError::Fault(_)));
        }
        // In order: cannot connect now, query cancelled, too many connections, serialization failure,
        // read-only transaction, recovery in progress.
        assert!(["57P03", "57014", "53300", "40001", "25006", "55000"].into_iter().all(is_passing_state));
        // In order: unique violation, insufficient privilege, undefined table.
        assert!(!["23505", "42501", "42P01"].into_iter().any(is_passing_state));
        // In order: SQLITE_BUSY_SNAPSHOT, SQLITE_LOCKED_SHAREDCACHE, SQLITE_IOERR_FSYNC; SQLITE_ERROR,
        // SQLITE_CONSTRAINT_UNIQUE.
        assert!(["517", "262", "1034"].into_iter().all(is_passing_result));
        assert!(!["1", "2067"].into_iter().any(is_passing_result));
    }

    #[test]
    fn only_unanswered_commits_have_an_unknown_outcome() {
        for lost in [
            sqlx::Error::Io(io::Error::other("reset")),
            sqlx::Error::Protocol("short read".to_owned()),
            sqlx::Error::WorkerCrashed,
        ] {
            assert!(may_have_committed(&lost), "{lost}");
        }
        assert!(!may_have_committed(&sqlx::Error::PoolTimedOut));
        let unknown = StoreError::unknown_outcome("lost");
        assert!(unknown.may_be_done() && !StoreError::unavailable("down").may_be_done());
        assert!(!StoreError::fault("broken").may_be_done());
    }
}
