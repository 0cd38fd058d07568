//! Why a database cannot be opened. No message holds the URL, because it holds the password.

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;

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
    /// Row level security is on, and this login can act as neither role.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_holds_the_password() {
        let server: PgConnectOptions = "postgres://latchkey:canary@db.example.com:5433/rows".parse().unwrap();
        assert_eq!(place(&server), "db.example.com:5433/rows");
        assert!(!OpenError::Url.to_string().contains("canary"));
    }
}
