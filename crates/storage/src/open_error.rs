//! Why a database cannot be opened. Messages never contain a URL, because a URL may contain the password.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;

use crate::engine_error::EngineError;
use crate::error::has_code;
use crate::postgres::{Missing, UrlFault, place};
use crate::store_mark::StoreMark;

const NOT_PERMITTED: &str = "42501";

/// The database cannot be opened. A `database` is the path of a file, or host, port and name.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// `storage.url` is not a valid URL of PostgreSQL.
    #[error("storage.url is not valid: {_0}")]
    Url(Box<UrlFault>),
    /// `storage.direct_url` is not a valid URL of PostgreSQL.
    #[error("storage.direct_url is not valid: {_0}")]
    DirectUrl(Box<UrlFault>),
    #[error("storage.direct_url")]
    Direct(#[source] Box<OpenError>),
    /// `storage.direct_url` leads to a different database than `storage.url`.
    #[error("storage.direct_url leads to a different {what} ({direct}) than storage.url ({database})")]
    Elsewhere {
        direct: String,
        database: String,
        /// What differs, for the message.
        what: &'static str,
    },
    #[error("{database} does not accept writes: it is a standby or read-only")]
    ReadOnly {
        /// The first host that answered.
        database: String,
    },
    /// The folder or the file cannot be created.
    #[error("cannot create {}", path.display())]
    Create {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("cannot open {database}")]
    Open {
        database: String,
        #[source]
        cause: EngineError,
    },
    /// The user of this process has no permission for the file.
    #[error("cannot open {}: {why}", path.display())]
    Denied {
        path: PathBuf,
        /// Owner, mode and fix.
        why: String,
    },
    /// A newer version has migrated the database. This version could misread its rows.
    #[error(
        "{database} has schema {found}, but this program supports schemas only up to {known}; run a newer \
            version of Latchkey"
    )]
    Newer { database: String, found: i64, known: i64 },
    /// The database lacks migrations and is opened read-only.
    #[error(
        "{database} has schema {found}, but this program needs schema {known}; start this version once to \
            upgrade {pronoun}"
    )]
    Older {
        database: String,
        found: i64,
        known: i64,
        /// The pronoun for `database` in the message: "it" or "them".
        pronoun: &'static str,
    },
    /// A migration failed. All migrations of this run were rolled back.
    #[error("cannot upgrade {database}")]
    Migrate {
        database: String,
        #[source]
        cause: MigrateError,
    },
    /// A copy of the store has marked the database, so that no program uses it.
    #[error("{database} {mark}")]
    Marked { database: String, mark: StoreMark },
    /// A pooler in front of PostgreSQL does not keep a session for each connection.
    #[error(
        "{database} is behind a pooler of {unit}: each connection needs its own session, for its role and \
            its notifications"
    )]
    Pooled { database: String, unit: &'static str },
    /// The engine, or a proxy in front of it, does not do what Latchkey relies on.
    #[error("{database} cannot be used: {missing}")]
    Unproven {
        database: String,
        missing: Missing,
        /// The engine's error, if it refused the proof.
        #[source]
        cause: Option<EngineError>,
    },
    /// Row level security is on, and the login is not a member of either role.
    #[error(
        "only latchkey_app and latchkey_operator can see the rows of {database}; have an administrator \
            grant both roles to {login}"
    )]
    Roles { database: String, login: String },
}

impl OpenError {
    /// The fix, if the message does not contain it.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        if let Self::Direct(cause) = self {
            return Some(cause.hint()?.replace("storage.url", "storage.direct_url").into());
        }
        self.hint_of_url().map(Cow::Borrowed)
    }

    /// For `map_err`: the error that this server cannot be opened.
    pub(crate) fn at(server: &PgConnectOptions) -> impl Fn(sqlx::Error) -> Self + Copy {
        |cause| Self::Open { database: place(server), cause: cause.into() }
    }

    /// The same error for `storage.direct_url`.
    pub(crate) fn of_direct(self) -> Self {
        match self {
            Self::Url(fault) => Self::DirectUrl(fault),
            error => Self::Direct(Box::new(error)),
        }
    }

    fn hint_of_url(&self) -> Option<&'static str> {
        match self {
            Self::Open { cause, .. } => Some(cause.hint()),
            Self::Pooled { .. } => Some(
                "set the pooler to session pooling (PgBouncer: `pool_mode = session`), or, for a pooler of \
                    transactions, set storage.pooler to transaction and name PostgreSQL itself in \
                    storage.direct_url",
            ),
            Self::Elsewhere { .. } => {
                Some("use the same database and login in both URLs, or remove storage.direct_url")
            }
            Self::Unproven { .. } => Some(
                "use PostgreSQL 14 or newer, or a managed PostgreSQL (docs/scaling.md, \"Engines\"), and a proxy \
                    that forwards all statements",
            ),
            Self::ReadOnly { .. } => Some("name the primary in storage.url as well"),
            Self::Migrate {
                cause: MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _),
                ..
            } if has_code(cause, NOT_PERMITTED) => Some(
                "make this login the owner of the database (`ALTER DATABASE … OWNER TO …`), or have an \
                    administrator run `GRANT CREATE ON SCHEMA public TO …` in it",
            ),
            Self::Create { .. } => {
                Some("correct storage.url, or let this user write to the folder in storage.url")
            }
            Self::Marked { mark: StoreMark::Unfinished(_), .. } => Some(
                "run `latchkey store copy` or `restore` again, which starts over, or name another store in storage.url",
            ),
            Self::Marked { mark: StoreMark::Moved(..), .. } => Some(
                "name that store in storage.url, or make this store writable again: `latchkey store copy --take-back`",
            ),
            _ => None,
        }
    }
}
