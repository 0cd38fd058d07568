//! Why a file cannot be opened.

use std::io;
use std::path::PathBuf;

use sqlx::migrate::MigrateError;

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
