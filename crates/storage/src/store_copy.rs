//! Copies a store into another one, of the same engine or the other. In reading order: sessions of a store,
//! marks on it, its tables, their verification, the copy itself, and its rows; then the move of one tenant
//! alone.

mod session;

mod marks;

mod sums;
mod tables;

mod target;
mod transfer;

mod backup;
mod copy;
mod ended_later;
mod restore;

mod arrival;
mod judged;
mod moved_rows;
mod tenant;

pub use crate::store_mark::StoreMark;
pub use backup::{BackupFacts, backup};
pub use copy::{Copied, copy, take_back};
pub use ended_later::AuditLine;
pub use moved_rows::MoveError;
pub use restore::{Restored, restore, verify};
pub use session::StorePlace;
pub use sums::TableSum;
pub use tenant::{TenantFacts, export_tenant};

use std::io;

use tenancy::StoreError;

use crate::error::Error;
use crate::open_error::OpenError;

/// How far a copy has come: at which table of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyStep<'c> {
    /// This number of rows of a table is in the target.
    Copying {
        table: &'c str,
        /// Counted from 0.
        place: usize,
        /// Number of tables.
        of: usize,
        /// Number of rows.
        rows: u64,
    },
    /// Rows of the source are compared with those that were copied.
    Comparing {
        table: &'c str,
        /// Counted from 0.
        place: usize,
        /// Number of tables.
        of: usize,
    },
    /// The rows of the target are counted.
    Verifying {
        table: &'c str,
        /// Counted from 0.
        place: usize,
        /// Number of tables.
        of: usize,
    },
    /// From now on the source refuses writes.
    RefusingWrites,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the stores cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Both stores are the same one.
    #[error("{0} cannot be copied into itself")]
    SameStore(String),
    /// No program has ever used the source.
    #[error("{0} holds nothing that could be copied")]
    Empty(String),
    /// The target contains rows already.
    #[error("{0} is in use: it holds rows that no copy has left; name an empty store")]
    InUse(String),
    /// A store that was moved elsewhere.
    #[error("{store} was moved to {to}; take it back first: latchkey store copy --take-back --from URL")]
    Moved {
        store: String,
        /// The store that has its rows.
        to: String,
    },
    /// The source is a copy that was not finished.
    #[error("{store} is the unfinished copy of {of}; copy that one")]
    Unfinished { store: String, of: String },
    /// The schemas of the two engines have different tables or columns, which is a defect of this program.
    #[error("{from} and {to} differ in tables or columns")]
    Schemas {
        /// The source.
        from: String,
        /// The target.
        to: String,
    },
    /// The file is no backup, has another version, or is incomplete.
    #[error("the backup cannot be used: {0}")]
    Backup(String),
    /// A file cannot be read or written.
    #[error("the backup cannot be read or written")]
    File(#[from] io::Error),
    /// The rows that were read back differ from those that were written.
    #[error(
        "the copy of table {table} differs from the source: {found} rows of {expected}, or other contents"
    )]
    Differs {
        table: String,
        /// Rows of the target.
        found: u64,
        /// Rows of the source.
        expected: u64,
    },
    /// A table cannot be read or written.
    #[error("table {table} cannot be copied")]
    Table {
        table: String,
        /// Why.
        #[source]
        cause: StoreError,
    },
    /// One of the stores fails.
    #[error("a store does not answer")]
    Store(#[source] StoreError),
}

impl CopyError {
    fn from_table(table: &str) -> impl Fn(Error) -> Self + Copy + use<'_> {
        move |cause| Self::Table { table: table.to_owned(), cause: cause.into() }
    }
}

impl From<Error> for CopyError {
    fn from(cause: Error) -> Self {
        Self::Store(cause.into())
    }
}
