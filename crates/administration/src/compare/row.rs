//! One row against its declaration: the same three questions for tenants, resource servers and clients.

use crate::fields::Described;
use crate::{ChangeKind, ConflictKind, ManagedBy, RowChange, RowLifecycle};

/// What has to happen to the row, if anything.
pub(super) fn compare<T: Described + Clone>(
    before: Option<(&T, &RowLifecycle)>,
    after: T,
) -> Result<Option<RowChange<T>>, ConflictKind> {
    match before {
        Some((_, lifecycle)) if lifecycle.deleted_at.is_some() => Err(ConflictKind::Deleted),
        Some((_, lifecycle)) if lifecycle.managed_by == ManagedBy::Api => Err(ConflictKind::CreatedByApi),
        _ => Ok(RowChange::between(before, after)),
    }
}

/// The row stops serving. `after` is how it then stands.
pub(super) fn retire<T: Clone>(before: &T, after: T) -> RowChange<T> {
    RowChange::of(ChangeKind::Retired, Some(before), after)
}
