//! Compares one row with its declaration, in the same steps for each kind of row.

use super::Comparison;
use crate::Kind;
use crate::{Change, ChangeKind, ConflictKind, ManagedBy, RowChange, RowLifecycle, Subject};

impl Comparison<'_> {
    /// Plans the changes that make the row as it is declared, if they are allowed. Returns whether they are.
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

    /// Retires those of these rows that the files no longer declare.
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
