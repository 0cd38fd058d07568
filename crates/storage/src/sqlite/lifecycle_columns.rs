//! The columns that say how a row stands, the same in every table that has them.

use administration::RowLifecycle;
use serde::Deserialize;
use sqlx::FromRow;
use tenancy::StoreError;

use crate::sqlite::column::{managed_by, timestamp};

#[derive(Debug, Deserialize, FromRow)]
pub(crate) struct LifecycleColumns {
    managed_by: String,
    /// Audiences are not suspended.
    #[serde(default)]
    suspended_at: Option<i64>,
    retired_at: Option<i64>,
    deleted_at: Option<i64>,
    /// Of tenants only.
    #[serde(default)]
    #[sqlx(default)]
    deletion_due_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
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
