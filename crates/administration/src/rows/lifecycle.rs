//! The columns of a row's lifecycle.

use serde_json::{Value, json};

use super::seconds;
use crate::RowLifecycle;

/// Adds the columns to a row. They are the same in each table; a table without one of them ignores it.
pub(super) fn with_lifecycle(lifecycle: &RowLifecycle, mut row: Value) -> Value {
    let RowLifecycle {
        managed_by,
        suspended_at,
        retired_at,
        deleted_at,
        deletion_due_at,
        created_at,
        updated_at,
    } = *lifecycle;
    row["managed_by"] = json!(managed_by.as_str());
    row["created_at"] = json!(seconds(created_at));
    row["updated_at"] = json!(seconds(updated_at));
    row["suspended_at"] = json!(suspended_at.map(seconds));
    row["retired_at"] = json!(retired_at.map(seconds));
    row["deleted_at"] = json!(deleted_at.map(seconds));
    row["deletion_due_at"] = json!(deletion_due_at.map(seconds));
    row
}
