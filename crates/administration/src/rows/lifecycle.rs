//! The columns of a row's lifecycle.

use serde::Serialize;

use super::seconds;
use crate::RowLifecycle;

/// The same in each table; a table without one of these columns ignores it.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct LifecycleRow {
    pub managed_by: &'static str,
    pub created_at: i64,
    pub updated_at: i64,
    pub suspended_at: Option<i64>,
    pub retired_at: Option<i64>,
    pub deleted_at: Option<i64>,
    pub deletion_due_at: Option<i64>,
}

impl From<RowLifecycle> for LifecycleRow {
    fn from(lifecycle: RowLifecycle) -> Self {
        let RowLifecycle {
            managed_by,
            suspended_at,
            retired_at,
            deleted_at,
            deletion_due_at,
            created_at,
            updated_at,
        } = lifecycle;
        Self {
            managed_by: managed_by.as_str(),
            created_at: seconds(created_at),
            updated_at: seconds(updated_at),
            suspended_at: suspended_at.map(seconds),
            retired_at: retired_at.map(seconds),
            deleted_at: deleted_at.map(seconds),
            deletion_due_at: deletion_due_at.map(seconds),
        }
    }
}
