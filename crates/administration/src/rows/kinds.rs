//! Changes to rows with fields, sorted by what a store does with them.

use serde::Serialize;

use crate::{ChangeKind, RowChange};

/// What is inserted, what gets new fields, and what stands otherwise than it did. A store writes them in the order of the members:
/// new fields are for rows that are live once the steps are done.
#[derive(Debug)]
pub struct ByKind<R, S> {
    /// Rows that come to be. Their door is that of the commit.
    pub added: Vec<R>,
    /// How rows that were there stand now. A row that is deleted already takes no step.
    pub transitions: Vec<S>,
    /// New fields of rows that were there: those that were changed or restored. The door must be theirs, and they are neither retired
    /// nor deleted.
    pub changed: Vec<R>,
}

/// A step, as [`ChangeKind::as_str`] names it. Each writes `updated_at`. The files' and the API's rows take one from either door,
/// but for these: `restored` and `retired` are for the row's own door, and `deleted` is so too unless the row was retired before.
#[derive(Debug, Serialize)]
pub struct Transition<K> {
    /// Which row.
    #[serde(flatten)]
    pub row: K,
    /// What happens: `restored`, `retired`, `suspended`, `resumed`, `deletion_scheduled`, `deletion_cancelled` or `deleted`.
    pub kind: &'static str,
    /// Until when the deletion can be taken back, where it was scheduled.
    pub deletion_due_at: Option<i64>,
    /// When the last token of a tenant that stops serving expires. A tenant that serves again has none, any other one the later of
    /// this and what was there.
    pub keys_published_until: Option<i64>,
}

pub(super) fn by_kind<'a, T: 'a, R, K>(
    changes: impl Iterator<Item = &'a RowChange<T>>,
    row: impl Fn(&'a T) -> R,
    key: impl Fn(&'a T) -> K,
    keys_published_until: impl Fn(&T) -> Option<i64>,
) -> ByKind<R, Transition<K>> {
    let mut sorted = ByKind { added: Vec::new(), transitions: Vec::new(), changed: Vec::new() };
    for RowChange { kind, before: _, after } in changes {
        if *kind == ChangeKind::Added {
            sorted.added.push(row(after));
            continue;
        }
        if matches!(kind, ChangeKind::Changed | ChangeKind::Restored) {
            sorted.changed.push(row(after));
        }
        if *kind != ChangeKind::Changed {
            sorted.transitions.push(Transition {
                row: key(after),
                kind: kind.as_str(),
                deletion_due_at: match kind {
                    ChangeKind::DeletionScheduled { due_at } => Some(super::seconds(*due_at)),
                    _ => None,
                },
                keys_published_until: keys_published_until(after),
            });
        }
    }
    sorted
}

/// Those of the steps that delete.
pub(super) fn deleted<K: Copy>(transitions: &[Transition<K>]) -> Vec<K> {
    transitions
        .iter()
        .filter(|transition| transition.kind == ChangeKind::Deleted.as_str())
        .map(|transition| transition.row)
        .collect()
}
