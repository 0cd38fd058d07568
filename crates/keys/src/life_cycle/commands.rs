//! The commands of operators. Each returns a plan by the normal rules. So no command leaves a tenant without
//! a key, or a verifier without the key of a valid token, except the commands that are meant to do so.

use values::Timestamp;

use super::key_sequence::KeySequence;
use super::plan::{KeyCommandError, KeyPlan, RevocationPlan};
use super::policy::KeyPolicy;
use super::{next_of_one_use, next_of_opaque_tokens};
use crate::{ImportedKey, KeyId, KeyRecords, KeyStage};

/// Makes the next key take over as soon as all verifiers can know it. If there is an announced key, it
/// becomes active at its planned time or at the time when a new key could take over, whichever is earlier.
#[must_use]
pub fn rotate_now(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> KeyPlan {
    let mut sequence = KeySequence::new(records, policy, now);
    sequence.set_in_order();
    let soonest = now + policy.publish_before;
    // A key that was announced by a replica with a fast clock must still be published for the whole time.
    let enough = |announced_at: Timestamp| soonest.max(announced_at + policy.least_publication());
    match sequence.waiting().first().map(|key| (key.id, key.active_from, enough(key.announced_at))) {
        Some((id, active_from, enough)) if active_from > enough => sequence.begin(id, enough),
        Some(_) => {}
        None if sequence.signing().is_some() => sequence.append(policy.algorithm, now, soonest),
        None => {}
    }
    sequence.continue_from(now);
    sequence.into_plan().and(next_of_opaque_tokens(records, policy, now), now)
}

/// Makes a new key sign immediately and removes all other keys immediately, also those of opaque tokens. The
/// times are moved back by the skew, so that they are in the past on every replica's clock.
#[must_use]
pub fn rotate_in_emergency(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> RevocationPlan {
    let mut breaks = Vec::new();
    let mut of_one_use = |policy: &KeyPolicy| {
        let mut sequence = KeySequence::new(records, policy, now);
        breaks.extend(sequence.living().filter_map(|key| sequence.broken_by_removal(key)));
        for id in sequence.living().map(|key| key.id).collect::<Vec<_>>() {
            sequence.remove(id, sequence.revoked_from());
        }
        sequence.continue_from(sequence.revoked_from());
        sequence.into_plan()
    };
    let plan = of_one_use(policy).and(of_one_use(&policy.for_opaque_tokens()), now);
    RevocationPlan { plan, breaks }
}

/// Removes this key immediately. If it was signing, the announced key takes over, or a new key.
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
    let opaque = policy.for_opaque_tokens();
    let is_opaque = records.keys.iter().any(|key| key.id == id && opaque.concerns(key));
    let (own, other) = if is_opaque { (&opaque, policy) } else { (policy, &opaque) };
    let mut sequence = KeySequence::new(records, own, now);
    let Some(key) = sequence.find(id) else { return Err(KeyCommandError::Removed(id)) };
    let breaks = sequence.broken_by_removal(key).into_iter().collect();
    let turn = key.retiring_from;
    sequence.remove(id, sequence.revoked_from());
    sequence.bring_forward(turn);
    sequence.set_in_order();
    sequence.continue_from(sequence.revoked_from());
    let plan = sequence.into_plan().and(next_of_one_use(records, other, now), now);
    Ok(RevocationPlan { plan, breaks })
}

/// Makes an imported key the next key. If the tenant has no signing key, the imported key signs immediately.
///
/// # Errors
/// [`KeyCommandError`] if the algorithm is not the policy's, if the tenant has or had the key, or if another
/// key is announced that becomes active at the same time or later.
pub fn import(
    records: &KeyRecords,
    policy: &KeyPolicy,
    imported: &ImportedKey,
    now: Timestamp,
) -> Result<KeyPlan, KeyCommandError> {
    let ImportedKey { algorithm, thumbprint, .. } = imported;
    if policy.algorithm != *algorithm {
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
    sequence.append((*algorithm).into(), now, active_from);
    sequence.continue_from(now);
    Ok(sequence.into_plan().and(next_of_opaque_tokens(records, policy, now), now))
}

/// Delays the activation of the announced key to `at`. The current key signs until then.
///
/// # Errors
/// [`KeyCommandError`] if the key is active or about to become active.
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
    Ok(sequence.into_plan().and(next_of_opaque_tokens(records, policy, now), now))
}

fn present(records: &KeyRecords, id: KeyId, now: Timestamp) -> Result<KeyStage, KeyCommandError> {
    let key = records.keys.iter().find(|key| key.id == id).ok_or(KeyCommandError::Unknown(id))?;
    match key.state(now) {
        KeyStage::Removed => Err(KeyCommandError::Removed(id)),
        state => Ok(state),
    }
}
