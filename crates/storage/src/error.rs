//! Why a statement failed: whether it may be tried again, and whether other writers have changed rows since a
//! decision.

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;
use tenancy::StoreError;

/// Why a statement failed, or nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] sqlx::Error),
    /// A column holds what no version of the program could have written.
    #[error("column {column} cannot be read: {cause}")]
    Unreadable { column: String, cause: String },
    /// Something else was written since the decision.
    #[error("the rows have changed since the decision")]
    Stale,
    /// The store failed otherwise.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    pub(crate) fn unreadable(column: &str, cause: impl std::fmt::Display) -> Self {
        Self::Unreadable { column: column.to_owned(), cause: cause.to_string() }
    }

    /// What cannot be read of a row, if that is the reason.
    pub(crate) fn of_row(&self) -> Option<String> {
        let is_of_row = match self {
            Self::Unreadable { .. } => true,
            Self::Engine(error) => matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)),
            Self::Stale | Self::Store(_) => false,
        };
        is_of_row.then(|| self.to_string().escape_debug().to_string())
    }

    /// Whether the rows differ from those of the decision, for example because a row was inserted or deleted
    /// since.
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

/// A database that is away, busy, locked, full, starting or stopping may recover. All other errors are
/// defects of this program or of the rows.
fn store_error(error: sqlx::Error) -> StoreError {
    let passing = match &error {
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
    };
    if passing { StoreError::unavailable(error) } else { StoreError::fault(error) }
}

/// Whether the engine gave this code: an SQLSTATE, or a result code of SQLite.
pub(crate) fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().and_then(DatabaseError::code).is_some_and(|given| given == code)
}

/// Whether the connection was lost during the statement. A statement that only reads may then be tried once
/// more on another connection.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// Whether a commit that failed so may have been done: its answer was lost, PostgreSQL was ended while it
/// answered, or SQLite could not say whether the disk has the end of the log.
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

/// Decides by SQLSTATE (PostgreSQL's appendix A). It includes a statement that took too long, a standby that
/// cannot be written to (`25006`) or asked for its history (`55000`) while its primary is replaced, and a
/// login whose password is just being changed.
fn is_passing_state(code: &str) -> bool {
    const CLASSES: [&str; 6] = ["08", "28", "40", "53", "57", "58"];
    CLASSES.iter().any(|class| code.starts_with(class)) || matches!(code, "25006" | "55000" | "55P03")
}

/// Decides by the primary result code of SQLite: busy, locked, read-only, disk error, full, cannot open. Code
/// 1811 comes from a trigger: only the triggers of a moved store raise it.
fn is_passing_result(extended: &str) -> bool {
    extended.parse::<i32>().is_ok_and(|code| code == 1811 || matches!(code & 0xFF, 5 | 6 | 8 | 10 | 13 | 14))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn passing_errors_are_distinguished_from_lasting_ones() {
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
        // The codes mean: cannot connect now, query cancelled, too many connections, serialization failure,
        // read-only transaction, recovery is in progress.
        assert!(["57P03", "57014", "53300", "40001", "25006", "55000"].into_iter().all(is_passing_state));
        // Unique violation, insufficient privilege, undefined table.
        assert!(!["23505", "42501", "42P01"].into_iter().any(is_passing_state));
        // The codes are SQLITE_BUSY_SNAPSHOT, SQLITE_LOCKED_SHAREDCACHE, SQLITE_IOERR_FSYNC; SQLITE_ERROR,
        // SQLITE_CONSTRAINT_UNIQUE.
        assert!(["517", "262", "1034"].into_iter().all(is_passing_result));
        assert!(!["1", "2067"].into_iter().any(is_passing_result));
    }

    #[test]
    fn only_a_commit_without_an_answer_may_have_been_done() {
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
