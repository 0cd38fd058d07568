//! What an operator may command. Each is a plan from the same rules, so that no command leaves a tenant without a key or a verifier
//! without the key of a token, but for those that are meant to.

use protocol::Timestamp;

use super::line::Line;
use super::plan::{CommandRefused, Cut, Plan};
use super::policy::KeyPolicy;
use crate::{ImportedKey, KeyId, KeyRecords, KeyState};

/// The next key takes over as soon as verifiers can know it. One that is announced already keeps its time if that is earlier than a
/// new one's would be, and is given that one's if not.
#[must_use]
pub fn rotate_now(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> Plan {
    let mut line = Line::of(records, policy, now);
    line.set_in_order();
    let soonest = now + policy.publish_before;
    // Announced by a clock that is ahead, a key still needs the whole of its publication.
    let enough = |announced_at: Timestamp| soonest.max(announced_at + policy.least_publication());
    match line.waiting().first().map(|key| (key.id, key.active_from, enough(key.announced_at))) {
        Some((id, active_from, enough)) if active_from > enough => line.begin(id, enough),
        Some(_) => {}
        None if line.signing().is_some() => line.append(policy.algorithm, now, soonest),
        None => {}
    }
    line.continue_from(now);
    line.into_plan()
}

/// A new key signs at once, and all others are gone at once. Their times are set back by the skew, so that they are past on every
/// replica's clock.
#[must_use]
pub fn rotate_in_emergency(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> Cut {
    let mut line = Line::of(records, policy, now);
    let breaks = line.living().filter_map(|key| line.broken_by_removal(key)).collect();
    for id in line.living().map(|key| key.id).collect::<Vec<_>>() {
        line.remove(id, line.cut());
    }
    line.continue_from(line.cut());
    Cut { plan: line.into_plan(), breaks }
}

/// This key is gone at once. If it signed, the announced one takes over, or else a new one.
///
/// # Errors
/// [`CommandRefused`] for a key that is not there.
pub fn revoke(
    records: &KeyRecords,
    policy: &KeyPolicy,
    id: KeyId,
    now: Timestamp,
) -> Result<Cut, CommandRefused> {
    present(records, id, now)?;
    let mut line = Line::of(records, policy, now);
    let Some(key) = line.find(id) else { return Err(CommandRefused::Removed(id)) };
    let breaks = line.broken_by_removal(key).into_iter().collect();
    let turn = key.retiring_from;
    line.remove(id, line.cut());
    line.bring_forward(turn);
    line.set_in_order();
    line.continue_from(line.cut());
    Ok(Cut { plan: line.into_plan(), breaks })
}

/// An operator's key takes the place of the next one; of a tenant that has none to sign with it is the first, at once.
///
/// # Errors
/// [`CommandRefused`] for a key of another algorithm than the policy's, for one that the tenant has or had, and while another one is
/// announced that begins no earlier.
pub fn import(
    records: &KeyRecords,
    policy: &KeyPolicy,
    imported: &ImportedKey,
    now: Timestamp,
) -> Result<Plan, CommandRefused> {
    let ImportedKey { algorithm, thumbprint, .. } = imported;
    if *algorithm != policy.algorithm {
        return Err(CommandRefused::OtherAlgorithm { found: *algorithm, wanted: policy.algorithm });
    }
    if let Some(known) = records.keys.iter().find(|key| key.thumbprint == *thumbprint) {
        return Err(CommandRefused::AlreadyThere(known.id));
    }
    let mut line = Line::of(records, policy, now);
    line.set_in_order();
    let first = line.signing().is_none() && line.waiting().is_empty();
    let active_from = if first { now } else { now + policy.publish_before };
    if let Some(last) = line.waiting().last().filter(|last| last.active_from >= active_from) {
        return Err(CommandRefused::Overtakes(last.id));
    }
    line.append(*algorithm, now, active_from);
    line.continue_from(now);
    Ok(line.into_plan())
}

/// The announced key begins at this instant and not before, and the one that signs goes on until then.
///
/// # Errors
/// [`CommandRefused`] for a key that has begun or is about to.
pub fn hold(
    records: &KeyRecords,
    policy: &KeyPolicy,
    id: KeyId,
    until: Timestamp,
    now: Timestamp,
) -> Result<Plan, CommandRefused> {
    let state = present(records, id, now)?;
    if state != KeyState::Announced {
        return Err(CommandRefused::NotAnnounced(id));
    }
    let mut line = Line::of(records, policy, now);
    line.set_in_order();
    let Some(active_from) = line.find(id).map(|key| key.active_from) else {
        return Err(CommandRefused::Removed(id));
    };
    if active_from < line.settled() {
        return Err(CommandRefused::TooLate(id));
    }
    line.begin(id, active_from.max(until));
    line.continue_from(now);
    Ok(line.into_plan())
}

fn present(records: &KeyRecords, id: KeyId, now: Timestamp) -> Result<KeyState, CommandRefused> {
    let key = records.keys.iter().find(|key| key.id == id).ok_or(CommandRefused::Unknown(id))?;
    match key.state(now) {
        KeyState::Removed => Err(CommandRefused::Removed(id)),
        state => Ok(state),
    }
}
