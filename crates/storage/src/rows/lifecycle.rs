//! The columns of a row's lifecycle, the same in each table that has them.

use administration::RowLifecycle;
use serde::Deserialize;
use sqlx::Error;
use tenancy::StoreError;

use crate::column::{managed_by, timestamp};
use crate::row::{FromRow, Row};

/// A table without one of these columns leaves it empty.
#[derive(Debug, Deserialize)]
pub(crate) struct LifecycleColumns {
    managed_by: String,
    created_at: i64,
    updated_at: i64,
    #[serde(default)]
    suspended_at: Option<i64>,
    retired_at: Option<i64>,
    deleted_at: Option<i64>,
    #[serde(default)]
    deletion_due_at: Option<i64>,
}

impl FromRow for LifecycleColumns {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            managed_by: row.get("managed_by")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            suspended_at: row.get("suspended_at")?,
            retired_at: row.get("retired_at")?,
            deleted_at: row.get("deleted_at")?,
            deletion_due_at: match row.get("deletion_due_at") {
                Err(Error::ColumnNotFound(_)) => None,
                found => found?,
            },
        })
    }
}

impl LifecycleColumns {
    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    pub(crate) fn lifecycle(&self) -> Result<RowLifecycle, StoreError> {
        Ok(RowLifecycle {
            managed_by: managed_by(&self.managed_by)?,
            suspended_at: self.suspended_at.map(timestamp),
            retired_at: self.retired_at.map(timestamp),
            deleted_at: self.deleted_at.map(timestamp),
            deletion_due_at: self.deletion_due_at.map(timestamp),
            created_at: timestamp(self.created_at),
            updated_at: timestamp(self.updated_at),
        })
    }
}
