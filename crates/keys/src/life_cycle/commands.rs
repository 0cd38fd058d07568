//! The commands of operators. Each one is a plan by the same rules. So no command leaves a tenant without a
//! key or a verifier without the key of a token, except the commands whose purpose that is.

use values::Timestamp;

use super::key_sequence::KeySequence;
use super::plan::{KeyCommandError, KeyPlan, RevocationPlan};
use super::policy::KeyPolicy;
use crate::{ImportedKey, KeyId, KeyRecords, KeyStage};

/// Makes the next key take over as soon as verifiers can know it. An announced key keeps its time if that is
/// earlier than a new key's would be; otherwise it gets that time.
#[must_use]
pub fn rotate_now(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> KeyPlan {
    let mut sequence = KeySequence::new(records, policy, now);
    sequence.set_in_order();
    let soonest = now + policy.publish_before;
    // A key whose announcement came from a clock that is ahead still needs its whole publication.
    let enough = |announced_at: Timestamp| soonest.max(announced_at + policy.least_publication());
    match sequence.waiting().first().map(|key| (key.id, key.active_from, enough(key.announced_at))) {
        Some((id, active_from, enough)) if active_from > enough => sequence.begin(id, enough),
        Some(_) => {}
        None if sequence.signing().is_some() => sequence.append(policy.algorithm, now, soonest),
        None => {}
    }
    sequence.continue_from(now);
    sequence.into_plan()
}

/// A new key signs at once, and all others are removed at once. Their times are moved back by the skew, so
/// they are past on every replica's clock.
#[must_use]
pub fn rotate_in_emergency(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> RevocationPlan {
    let mut sequence = KeySequence::new(records, policy, now);
    let breaks = sequence.living().filter_map(|key| sequence.broken_by_removal(key)).collect();
    for id in sequence.living().map(|key| key.id).collect::<Vec<_>>() {
        sequence.remove(id, sequence.revoked_from());
    }
    sequence.continue_from(sequence.revoked_from());
    RevocationPlan { plan: sequence.into_plan(), breaks }
}

/// Removes this key at once. If it was signing, the announced key takes over, or else a new one.
///
/// # Errors
/// [`KeyCommandError`] for an unknown key.
pub fn revoke(
    records: &KeyRecords,
    policy: &KeyPolicy,
    id: KeyId,
    now: Timestamp,
) -> Result<RevocationPlan, KeyCommandError> {
    present(records, id, now)?;
    let mut sequence = KeySequence::new(records, policy, now);
    let Some(key) = sequence.find(id) else { return Err(KeyCommandError::Removed(id)) };
    let breaks = sequence.broken_by_removal(key).into_iter().collect();
    let turn = key.retiring_from;
    sequence.remove(id, sequence.revoked_from());
    sequence.bring_forward(turn);
    sequence.set_in_order();
    sequence.continue_from(sequence.revoked_from());
    Ok(RevocationPlan { plan: sequence.into_plan(), breaks })
}

/// Makes an imported key the next key. In a tenant without a signing key it is the first and signs at once.
///
/// # Errors
/// [`KeyCommandError`] for a key of another algorithm than the policy's, for one that the tenant has or had,
/// and while another key is announced that begins no earlier.
pub fn import(
    records: &KeyRecords,
    policy: &KeyPolicy,
    imported: &ImportedKey,
    now: Timestamp,
) -> Result<KeyPlan, KeyCommandError> {
    let ImportedKey { algorithm, thumbprint, .. } = imported;
    if *algorithm != policy.algorithm {
        return Err(KeyCommandError::OtherAlgorithm { found: *algorithm, wanted: policy.algorithm });
    }
    if let Some(known) = records.keys.iter().find(|key| key.thumbprint == *thumbprint) {
        return Err(KeyCommandError::AlreadyThere(known.id));
    }
    let mut sequence = KeySequence::new(records, policy, now);
    sequence.set_in_order();
    let first = sequence.signing().is_none() && sequence.waiting().is_empty();
    let active_from = if first { now } else { now + policy.publish_before };
    if let Some(last) = sequence.waiting().last().filter(|last| last.active_from >= active_from) {
        return Err(KeyCommandError::Overtakes(last.id));
    }
    sequence.append(*algorithm, now, active_from);
    sequence.continue_from(now);
    Ok(sequence.into_plan())
}

/// The announced key becomes active at this instant, and the signing key signs until then.
///
/// # Errors
/// [`KeyCommandError`] for a key that has begun or is about to.
pub fn hold(
    records: &KeyRecords,
    policy: &KeyPolicy,
    id: KeyId,
    until: Timestamp,
    now: Timestamp,
) -> Result<KeyPlan, KeyCommandError> {
    let state = present(records, id, now)?;
    if state != KeyStage::Announced {
        return Err(KeyCommandError::NotAnnounced(id));
    }
    let mut sequence = KeySequence::new(records, policy, now);
    sequence.set_in_order();
    let Some(active_from) = sequence.find(id).map(|key| key.active_from) else {
        return Err(KeyCommandError::Removed(id));
    };
    if active_from < sequence.in_effect_before() {
        return Err(KeyCommandError::TooLate(id));
    }
    sequence.begin(id, active_from.max(until));
    sequence.continue_from(now);
    Ok(sequence.into_plan())
}

fn present(records: &KeyRecords, id: KeyId, now: Timestamp) -> Result<KeyStage, KeyCommandError> {
    let key = records.keys.iter().find(|key| key.id == id).ok_or(KeyCommandError::Unknown(id))?;
    match key.state(now) {
        KeyStage::Removed => Err(KeyCommandError::Removed(id)),
        state => Ok(state),
    }
}
