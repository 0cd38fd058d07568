//! How the engines fail: what may be tried again, and what may not.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use tenancy::StoreError;

/// A database that is away, busy, locked, full, starting or stopping may be well again; everything else is a defect of ours or of the
/// rows.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
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

/// Whether the connection went away under the statement: what only reads may be tried once more on another.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

fn is_of_postgres(error: &(dyn DatabaseError + 'static)) -> bool {
    error.try_downcast_ref::<PgDatabaseError>().is_some()
}

/// By SQLSTATE (PostgreSQL's appendix A). Among them a statement that took too long, a standby that cannot be written to while its
/// primary is replaced, and a login whose password is just being changed.
fn is_passing_state(code: &str) -> bool {
    const CLASSES: [&str; 6] = ["08", "28", "40", "53", "57", "58"];
    CLASSES.iter().any(|class| code.starts_with(class)) || matches!(code, "25006" | "55P03")
}

/// By the primary result code of SQLite: busy, locked, read-only, disk error, full, cannot open.
fn is_passing_result(extended: &str) -> bool {
    extended.parse::<i32>().is_ok_and(|code| matches!(code & 0xFF, 5 | 6 | 8 | 10 | 13 | 14))
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
        // Cannot connect now, query cancelled, too many connections, serialization failure, read-only transaction.
        assert!(["57P03", "57014", "53300", "40001", "25006"].into_iter().all(is_passing_state));
        // Unique violation, insufficient privilege, undefined table.
        assert!(!["23505", "42501", "42P01"].into_iter().any(is_passing_state));
        // SQLITE_BUSY_SNAPSHOT, SQLITE_LOCKED_SHAREDCACHE, SQLITE_IOERR_FSYNC; SQLITE_ERROR, SQLITE_CONSTRAINT_UNIQUE.
        assert!(["517", "262", "1034"].into_iter().all(is_passing_result));
        assert!(!["1", "2067"].into_iter().any(is_passing_result));
    }
}
