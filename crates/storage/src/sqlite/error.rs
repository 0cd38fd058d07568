//! How SQLite fails: what may be tried again, and what may not.

use std::io;
use std::path::PathBuf;

use sqlx::migrate::MigrateError;
use tenancy::StoreError;

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Folder or file cannot be made.
    #[error("cannot create {}", path.display())]
    Create {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// SQLite refuses.
    #[error("cannot open {}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: sqlx::Error,
    },
    /// A newer program has been here, whose rows this one could misread.
    #[error(
        "{} has schema {found}, and this program knows schemas up to {known}; run a newer version of Latchkey",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The program's.
        known: i64,
    },
    /// It would have to be brought up to date, but may only be read.
    #[error(
        "{} has schema {found}, and this program needs schema {known}; start it once, which brings the file up to date",
        path.display()
    )]
    Older {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The program's.
        known: i64,
    },
    /// A migration failed; it was taken back.
    #[error("cannot bring {} up to date", path.display())]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: MigrateError,
    },
}

/// Busy, locked, unreadable or full files may be well again; everything else is a defect of ours or of the rows.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    let passing = match &error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => {
            error.code().and_then(|code| code.parse().ok()).is_some_and(is_passing)
        }
        _ => false,
    };
    if passing { StoreError::unavailable(error) } else { StoreError::fault(error) }
}

/// By the primary result code: busy, locked, read-only, disk error, full, cannot open.
fn is_passing(extended: i32) -> bool {
    matches!(extended & 0xFF, 5 | 6 | 8 | 10 | 13 | 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_errors_are_distinguished_from_lasting_ones() {
        for passing in [sqlx::Error::PoolTimedOut, sqlx::Error::Io(io::Error::other("disk"))] {
            assert!(matches!(store_error(passing), StoreError::Unavailable(_)));
        }
        for fault in [sqlx::Error::RowNotFound, sqlx::Error::ColumnNotFound("x".to_owned())] {
            assert!(matches!(store_error(fault), StoreError::Fault(_)));
        }
        // SQLITE_BUSY_SNAPSHOT, SQLITE_LOCKED_SHAREDCACHE, SQLITE_IOERR_FSYNC; SQLITE_ERROR, SQLITE_CONSTRAINT_UNIQUE.
        assert!([517, 262, 1034].into_iter().all(is_passing));
        assert!(![1, 2067].into_iter().any(is_passing));
    }
}
