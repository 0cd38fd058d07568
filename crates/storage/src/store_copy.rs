//! Copies a store into another store, of the same or the other engine. In reading order: sessions, marks,
//! tables, verification, the copy itself, and its rows; then moving a single tenant.

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyStep<'c> {
    /// `rows` rows of a table have been written to the target.
    Copying {
        table: &'c str,
        /// The table's index, counted from 0.
        place: usize,
        /// The number of tables.
        of: usize,
        rows: u64,
    },
    /// The rows of the source are compared with the copied rows.
    Comparing {
        table: &'c str,
        /// The table's index, counted from 0.
        place: usize,
        /// The number of tables.
        of: usize,
    },
    /// The rows of the target are being verified.
    Verifying {
        table: &'c str,
        /// The table's index, counted from 0.
        place: usize,
        /// The number of tables.
        of: usize,
    },
    /// From now on the source refuses writes.
    RefusingWrites,
}

#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Source and target are the same store.
    #[error("cannot copy {0} into itself")]
    SameStore(String),
    /// The source has never been used.
    #[error("{0} contains nothing to copy")]
    Empty(String),
    /// The target already contains rows.
    #[error("{0} is in use: it contains rows that do not come from a copy; name an empty store")]
    InUse(String),
    /// The rows of the store were moved to another store.
    #[error("{store} was moved to {to}; take it back first: latchkey store copy --take-back --from URL")]
    Moved {
        store: String,
        /// The store that has the rows now.
        to: String,
    },
    /// The source is an incomplete copy.
    #[error("{store} is the unfinished copy of {of}; copy that one")]
    Unfinished { store: String, of: String },
    /// The schemas of the engines have different tables or columns. This is a defect of Latchkey.
    #[error("{from} and {to} differ in tables or columns")]
    Schemas { from: String, to: String },
    /// The file is not a backup, is incomplete, or was written by another version.
    #[error("cannot use the backup: {0}")]
    Backup(String),
    #[error("cannot read or write the backup")]
    File(#[from] io::Error),
    /// The rows read back from the target differ from those of the source.
    #[error(
        "the copy of table {table} differs from the source: {found} of {expected} rows, or different contents"
    )]
    Differs {
        table: String,
        /// The number of rows in the target.
        found: u64,
        /// The number of rows in the source.
        expected: u64,
    },
    #[error("cannot copy table {table}")]
    Table {
        table: String,
        #[source]
        cause: StoreError,
    },
    #[error("a store does not respond")]
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
