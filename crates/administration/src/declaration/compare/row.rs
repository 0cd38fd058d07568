//! Compares one row with its declaration. All kinds of rows take the same steps.

use super::Comparison;
use crate::declaration::plan::{ConflictKind, Subject};
use crate::kinds::Change;
use crate::kinds::Kind;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::state::{ManagedBy, RowLifecycle};

impl Comparison<'_> {
    /// Plans the changes that turn the row into the declared one. Returns whether the rules allow them.
    pub(super) fn row<T: Kind>(
        &mut self,
        subject: Subject,
        before: Option<(&T, &RowLifecycle)>,
        after: T,
        change: impl FnOnce(RowChange<T>) -> Change,
    ) -> bool {
        let kind = match before {
            Some((_, lifecycle)) if lifecycle.deleted_at.is_some() => ConflictKind::Deleted,
            Some((_, lifecycle)) if lifecycle.managed_by == ManagedBy::Api => ConflictKind::CreatedByApi,
            _ => {
                self.plan.changes.extend(RowChange::between(before, after).map(change));
                return true;
            }
        };
        self.plan.add_conflict(subject, kind);
        false
    }

    /// Retires the rows that the files no longer declare.
    pub(super) fn retire<'r, T: Clone + 'r>(
        &mut self,
        rows: impl Iterator<Item = (&'r T, &'r RowLifecycle)>,
        is_declared: impl Fn(&T) -> bool,
        change: impl Fn(RowChange<T>) -> Change,
    ) {
        let left = rows.filter(|(row, lifecycle)| lifecycle.is_config_managed() && !is_declared(row));
        let retired = left.map(|(row, _)| RowChange::new(ChangeKind::Retired, Some(row), row.clone()));
        self.plan.changes.extend(retired.map(change));
    }
}
