//! Why a database cannot be opened. No message contains a URL, because a URL may contain the password.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use sqlx::migrate::MigrateError;

use crate::engine_error::EngineError;
use crate::error::has_code;
use crate::postgres::UrlFault;
use crate::store_mark::StoreMark;

/// The SQLSTATE `insufficient_privilege`.
const NOT_PERMITTED: &str = "42501";

/// The database cannot be opened. A `database` is a file's path, or host, port and name.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is none of PostgreSQL.
    #[error("storage.url is not understood: {_0}")]
    Url(Box<UrlFault>),
    /// The direct URL is none of PostgreSQL.
    #[error("storage.direct_url is not understood: {_0}")]
    DirectUrl(Box<UrlFault>),
    /// The direct connection to the database cannot be used.
    #[error("storage.direct_url")]
    Direct(#[source] Box<OpenError>),
    /// The direct connection leads elsewhere.
    #[error("storage.direct_url leads to another {what} ({direct}) than storage.url ({database})")]
    Elsewhere {
        /// Where `storage.direct_url` leads to.
        direct: String,
        /// Where `storage.url` leads to.
        database: String,
        /// What differs.
        what: &'static str,
    },
    /// No host of the URL accepts writes.
    #[error("{database} accepts no writes: it is a standby, or set to be read only")]
    ReadOnly {
        /// The first of the hosts that answered so.
        database: String,
    },
    /// Folder or file cannot be created.
    #[error("cannot create {}", path.display())]
    Create {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The engine does not answer or refuses.
    #[error("cannot open {database}")]
    Open {
        database: String,
        /// Why.
        #[source]
        cause: EngineError,
    },
    /// This process's user may not open it.
    #[error("cannot open {}: {why}", path.display())]
    Denied {
        /// Which file.
        path: PathBuf,
        /// Owner, mode and fix.
        why: String,
    },
    /// A newer program has migrated it. This program could misread its rows.
    #[error(
        "{database} has schema {found}, and this program knows schemas up to {known}; run a newer version of Latchkey"
    )]
    Newer {
        database: String,
        /// Its schema.
        found: i64,
        /// The program's.
        known: i64,
    },
    /// It lacks migrations, but may only be read.
    #[error(
        "{database} has schema {found}, and this program needs schema {known}; start it once, which brings {pronoun} up to date"
    )]
    Older {
        database: String,
        /// Its schema.
        found: i64,
        /// The program's.
        known: i64,
        /// How the message continues to name it.
        pronoun: &'static str,
    },
    /// A migration failed; all of them were taken back.
    #[error("cannot bring {database} up to date")]
    Migrate {
        database: String,
        /// Why.
        #[source]
        cause: MigrateError,
    },
    /// A copy has marked it.
    #[error("{database} {mark}")]
    Marked { database: String, mark: StoreMark },
    /// A pooler is between this program and the database, and does not pool sessions.
    #[error(
        "{database} is a pooler of {unit}: each connection needs a session of its own, for its role and its notifications"
    )]
    Pooled {
        database: String,
        /// What it pools.
        unit: &'static str,
    },
    /// Row level security is on, and this login can act as neither role.
    #[error(
        "{database} lets only latchkey_app and latchkey_operator see its rows; let an administrator grant both roles to {login}"
    )]
    Roles {
        database: String,
        /// Who has logged in.
        login: String,
    },
}

impl OpenError {
    /// How to fix it, where the message does not say that.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        if let Self::Direct(cause) = self {
            return Some(cause.hint()?.replace("storage.url", "storage.direct_url").into());
        }
        self.hint_of_url().map(Cow::Borrowed)
    }

    /// Of one that `storage.direct_url` leads to.
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
                "let the pooler pool sessions (PgBouncer: `pool_mode = session`), or name PostgreSQL itself in storage.url",
            ),
            Self::Elsewhere { .. } => Some(
                "let both URLs name the same database with the same login, or leave storage.direct_url out",
            ),
            Self::ReadOnly { .. } => Some("name the primary in storage.url, too"),
            Self::Migrate {
                cause: MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _),
                ..
            } if has_code(cause, NOT_PERMITTED) => Some(
                "make this login the owner of the database (`ALTER DATABASE … OWNER TO …`), or let an administrator run \
                 `GRANT CREATE ON SCHEMA public TO …` in it",
            ),
            Self::Create { .. } => {
                Some("correct storage.url, or let this user write the folder that it names")
            }
            Self::Marked { mark: StoreMark::Unfinished(_), .. } => Some(
                "repeat `latchkey store copy` or `restore`, which begins anew, or name another store in storage.url",
            ),
            Self::Marked { mark: StoreMark::Moved(..), .. } => Some(
                "name that store in storage.url, or let this one take writes again: `latchkey store copy --take-back`",
            ),
            _ => None,
        }
    }
}
