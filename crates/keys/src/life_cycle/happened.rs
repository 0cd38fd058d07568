//! The times that people see for a plan's changes ([`ShownTimes`]), if the plan moves the stored times back.

use values::Timestamp;

use super::plan::KeyTimes;
use crate::{KeyRecord, ShownTimes};

/// The shown times of a new key.
pub(super) fn shown_of_new(announced_at: Timestamp, active_from: Timestamp, now: Timestamp) -> ShownTimes {
    let happens_now = |planned: Timestamp| (planned < now).then_some(now);
    ShownTimes {
        announced_at: happens_now(announced_at),
        active_from: happens_now(active_from),
        ..ShownTimes::default()
    }
}

/// The shown times of a row that a plan changes to `after`.
pub(super) fn shown_of(row: &KeyRecord, after: &KeyTimes, now: Timestamp) -> ShownTimes {
    let before = row.shown;
    // The replica that announced the key may have a fast clock.
    let now = now.max(before.announced_at.unwrap_or(row.announced_at));
    let active_from = shown(Some(row.active_from), before.active_from, Some(after.active_from), now);
    let now = before.active_from.filter(|_| row.active_from <= now).map_or(now, |active| active.max(now));
    let removed_at = shown(row.removed_at, before.removed_at, after.removed_at, now);
    // A key that was revoked shortly after its activation was active for a while, although its row cannot
    // express this. A key that had already retired keeps its own time.
    let revoked =
        after.removed_at != row.removed_at && after.removed_at.is_some_and(|removed| removed <= now);
    let retiring_from = if revoked && after.active_from <= now {
        Some(happened(row.retiring_from, before.retiring_from, now))
    } else {
        shown(row.retiring_from, before.retiring_from, after.retiring_from, now)
    };
    ShownTimes { announced_at: before.announced_at, active_from, retiring_from, removed_at }
}

/// A time that a plan moves into the past is shown as now, or as its previous time if it was already in the
/// past.
fn shown(
    row: Option<Timestamp>,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    if after == row {
        return before;
    }
    let set_back = after.is_some_and(|after| after < now);
    set_back.then(|| happened(row, before, now))
}

fn happened(row: Option<Timestamp>, before: Option<Timestamp>, now: Timestamp) -> Timestamp {
    before.or(row).filter(|at| *at <= now).unwrap_or(now)
}
