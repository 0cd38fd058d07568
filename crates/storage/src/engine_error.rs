//! Error messages for a database that cannot be opened: without repetitions and source lines of the engine,
//! and with a hint.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::ErrorKind;

/// The error of PostgreSQL or SQLite when a database is opened.
#[derive(Debug)]
pub struct EngineError(sqlx::Error);

impl EngineError {
    pub(crate) fn cause(&self) -> &sqlx::Error {
        &self.0
    }

    /// Names the setting to check and the fix.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match &self.0 {
            sqlx::Error::Database(error) => of_code(error.code().as_deref().unwrap_or_default()),
            sqlx::Error::Io(error) => match error.kind() {
                ErrorKind::ConnectionRefused => "start PostgreSQL, or correct host and port in storage.url",
                ErrorKind::TimedOut => {
                    "correct host and port in storage.url, or allow this machine in the firewall"
                }
                // rustls reports a refused certificate as `InvalidData`.
                ErrorKind::InvalidData => OF_TLS,
                _ => "correct host and port in storage.url",
            },
            sqlx::Error::Tls(_) => OF_TLS,
            _ => "check storage.url",
        }
    }
}

const OF_TLS: &str = "correct sslmode and sslrootcert in storage.url, or the certificate of PostgreSQL";

/// A code with five characters is an SQLSTATE of PostgreSQL. A code with one or two digits is a primary
/// result code of SQLite.
fn of_code(code: &str) -> &'static str {
    match code {
        "28P01" | "28000" => {
            "correct user and password in storage.url, or allow this login in PostgreSQL's pg_hba.conf"
        }
        "3D000" => "create the database, or correct its name in storage.url",
        "42501" => "have a PostgreSQL administrator follow docs/operations.md, \"Roles of PostgreSQL\"",
        "53300" => "raise PostgreSQL's max_connections, or reduce the number of its clients",
        "57P03" => "wait until PostgreSQL has started",
        "13" => "free some space on the disk that holds storage.url",
        "26" => "name a SQLite database, or a new file, in storage.url",
        _ => "check storage.url",
    }
}

impl From<sqlx::Error> for EngineError {
    fn from(cause: sqlx::Error) -> Self {
        Self(cause)
    }
}

impl Display for EngineError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            sqlx::Error::Database(error) => f.write_str(error.message()),
            sqlx::Error::Io(error) => error.fmt(f),
            other => other.fmt(f),
        }
    }
}

/// No `source`: the message already contains the text of the cause.
impl Error for EngineError {}
