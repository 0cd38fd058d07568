//! One row against its declaration: the same three questions for tenants, resource servers and clients.

use crate::fields::Described;
use crate::{ChangeKind, ConflictKind, FieldChange, ManagedBy, RowChange, RowLifecycle};

/// What has to happen to the row, if anything.
pub(super) fn compare<T: Described + Clone>(
    before: Option<(&T, &RowLifecycle)>,
    after: T,
) -> Result<Option<RowChange<T>>, ConflictKind> {
    let Some((before, lifecycle)) = before else {
        return Ok(Some(RowChange { kind: ChangeKind::Added, before: None, after: Box::new(after) }));
    };
    if lifecycle.deleted_at.is_some() {
        return Err(ConflictKind::Deleted);
    }
    if lifecycle.managed_by == ManagedBy::Api {
        return Err(ConflictKind::CreatedByApi);
    }
    let kind = match lifecycle.retired_at {
        Some(_) => ChangeKind::Restored,
        None if FieldChange::between(Some(before), &after).is_empty() => return Ok(None),
        None => ChangeKind::Changed,
    };
    Ok(Some(RowChange { kind, before: Some(Box::new(before.clone())), after: Box::new(after) }))
}

/// The row stops serving. `after` is how it then stands.
pub(super) fn retire<T: Clone>(before: &T, after: T) -> RowChange<T> {
    RowChange { kind: ChangeKind::Retired, before: Some(Box::new(before.clone())), after: Box::new(after) }
}
