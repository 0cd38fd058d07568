//! The columns of a row's lifecycle, which are the same in each table.

use crate::columns::{Columns, columns};
use administration::kinds::state::RowLifecycle;

columns! {
    RowLifecycle {
        managed_by, suspended_at, retired_at, deleted_at, deletion_due_at, created_at, updated_at,
    }
}

/// The lifecycle columns of a table that lacks some of them.
pub(crate) fn lifecycle_without(absent: &[&str]) -> Vec<(&'static str, &'static str)> {
    RowLifecycle::columns().into_iter().filter(|(name, _)| !absent.contains(name)).collect()
}
