//! How PostgreSQL fails: what may be tried again, and what may not. No message holds the URL, because it holds the password.

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;
use tenancy::StoreError;

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is none.
    #[error("storage.url is no URL of PostgreSQL; write postgres://user:password@host:port/database")]
    Url,
    /// PostgreSQL does not answer or refuses.
    #[error("cannot open {database}")]
    Open {
        /// Host, port and name.
        database: String,
        /// Why.
        #[source]
        cause: sqlx::Error,
    },
    /// A newer program has been here, whose rows this one could misread.
    #[error(
        "{database} has schema {found}, and this program knows schemas up to {known}; run a newer version of Latchkey"
    )]
    Newer {
        /// Host, port and name.
        database: String,
        /// Its schema.
        found: i64,
        /// The program's.
        known: i64,
    },
    /// It would have to be brought up to date, but may only be read.
    #[error(
        "{database} has schema {found}, and this program needs schema {known}; start it once, which brings it up to date"
    )]
    Older {
        /// Host, port and name.
        database: String,
        /// Its schema.
        found: i64,
        /// The program's.
        known: i64,
    },
    /// A migration failed; all of them were taken back.
    #[error("cannot bring {database} up to date")]
    Migrate {
        /// Host, port and name.
        database: String,
        /// Why.
        #[source]
        cause: MigrateError,
    },
    /// Row level security stands, and this login can pass it under no role.
    #[error(
        "{database} lets only latchkey_app and latchkey_operator see its rows; let an administrator grant both roles to {login}"
    )]
    Roles {
        /// Host, port and name.
        database: String,
        /// Who has logged in.
        login: String,
    },
}

/// What people know a database by.
pub(crate) fn place(server: &PgConnectOptions) -> String {
    let name = server.get_database().unwrap_or_else(|| server.get_username());
    format!("{}:{}/{name}", server.get_host(), server.get_port())
}

/// A server that is away, busy, starting, stopping or has no room may be well again; everything else is a defect of ours or of the
/// rows.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    let passing = match &error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing(&code)),
        other => is_lost(other),
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

/// By SQLSTATE (PostgreSQL's appendix A). Among them a statement that took too long, a standby that cannot be written to while its
/// primary is replaced, and a login whose password is just being changed.
fn is_passing(code: &str) -> bool {
    const CLASSES: [&str; 6] = ["08", "28", "40", "53", "57", "58"];
    CLASSES.iter().any(|class| code.starts_with(class)) || matches!(code, "25006" | "55P03")
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
        assert!(["57P03", "57014", "53300", "40001", "25006"].into_iter().all(is_passing));
        // Unique violation, insufficient privilege, undefined table.
        assert!(!["23505", "42501", "42P01"].into_iter().any(is_passing));
    }

    #[test]
    fn no_message_holds_the_password() {
        let server: PgConnectOptions = "postgres://latchkey:canary@db.example.com:5433/rows".parse().unwrap();
        assert_eq!(place(&server), "db.example.com:5433/rows");
        assert!(!OpenError::Url.to_string().contains("canary"));
    }
}
