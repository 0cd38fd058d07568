//! How a row that was there stands after a change, and which door may make it.

use administration::{ChangeKind, CommitRequest, RowLifecycle};

use super::commit::{CommitRefusal, require};

/// Any door suspends and resumes, and takes the steps of a deletion that is not the last. Fields change through the row's own door,
/// and a row of another door is deleted only when that one has retired it.
pub(super) fn transition(
    lifecycle: &mut RowLifecycle,
    request: &CommitRequest,
    kind: ChangeKind,
) -> Result<(), CommitRefusal> {
    let own = lifecycle.managed_by == request.managed_by;
    let retired = lifecycle.retired_at.is_some();
    require(lifecycle.deleted_at.is_none())?;
    lifecycle.updated_at = request.now;
    match kind {
        ChangeKind::Added => return Err(CommitRefusal::StaleRevision),
        ChangeKind::Changed => require(own && !retired)?,
        ChangeKind::Restored => {
            require(own)?;
            lifecycle.retired_at = None;
        }
        ChangeKind::Retired => {
            require(own)?;
            lifecycle.retired_at = Some(request.now);
        }
        ChangeKind::Suspended => lifecycle.suspended_at = Some(request.now),
        ChangeKind::Resumed => lifecycle.suspended_at = None,
        ChangeKind::DeletionScheduled { due_at } => lifecycle.deletion_due_at = Some(due_at),
        ChangeKind::DeletionCancelled => lifecycle.deletion_due_at = None,
        ChangeKind::Deleted => {
            require(own || retired)?;
            lifecycle.deleted_at = Some(request.now);
            lifecycle.deletion_due_at = None;
        }
    }
    Ok(())
}
