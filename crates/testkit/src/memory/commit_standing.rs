//! How a row that was there stands after a change, and which door may make it.

use administration::{ChangeKind, CommitRequest, Standing};

use super::commit::{Refusal, require};

/// Any door suspends and resumes, and takes the steps of a deletion that is not the last. Fields change through the row's own door,
/// and a row of another door is deleted only when that one has retired it.
pub(super) fn step(
    standing: &mut Standing,
    request: &CommitRequest,
    kind: ChangeKind,
) -> Result<(), Refusal> {
    let own = standing.managed_by == request.managed_by;
    let retired = standing.retired_at.is_some();
    require(standing.deleted_at.is_none())?;
    standing.updated_at = request.now;
    match kind {
        ChangeKind::Added => return Err(Refusal::Superseded),
        ChangeKind::Changed => require(own && !retired)?,
        ChangeKind::Restored => {
            require(own)?;
            standing.retired_at = None;
        }
        ChangeKind::Retired => {
            require(own)?;
            standing.retired_at = Some(request.now);
        }
        ChangeKind::Suspended => standing.suspended_at = Some(request.now),
        ChangeKind::Resumed => standing.suspended_at = None,
        ChangeKind::DeletionScheduled { due_at } => standing.deletion_due_at = Some(due_at),
        ChangeKind::DeletionCancelled => standing.deletion_due_at = None,
        ChangeKind::Deleted => {
            require(own || retired)?;
            standing.deleted_at = Some(request.now);
            standing.deletion_due_at = None;
        }
    }
    Ok(())
}
