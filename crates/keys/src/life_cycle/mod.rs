//! The life of a tenant's keys as a pure state machine: announced, active, retiring, removed. The live keys stand in one line, in which
//! each retires at the very instant at which the next one begins, so that at every instant exactly one signs; nothing here reads a
//! clock, makes a key or writes a row, and what is to be done is a [`Plan`].

mod cache_lifetime;
mod commands;
mod key_sequence;
mod order;
mod outcome;
mod plan;
mod policy;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use protocol::Timestamp;

use self::key_sequence::{KeySequence, is_revoked};
use crate::{KeyRecord, KeyRecords, KeyStage};

pub use self::cache_lifetime::{JwksCacheLifetime, cache_lifetime};
pub use self::commands::{hold, import, revoke, rotate_in_emergency, rotate_now};
pub use self::plan::{Announcement, BrokenTokens, KeyCommandError, KeyTimes, Plan, RevocationPlan};
pub use self::policy::KeyPolicy;

/// What time and policy ask for now.
///
/// A key of another algorithm than the policy's is followed by one of it, which is announced at once and signs `publish_before` later;
/// until then the old one goes on. If the policy changes back before that, the announced key is dropped: it never signed. One that is
/// so near its time that replicas may act on it already is let in and followed instead.
#[must_use]
pub fn next(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> Plan {
    let mut sequence = KeySequence::of(records, policy, now);
    sequence.set_in_order();
    sequence.continue_from(now);
    sequence.into_plan()
}

/// What a policy moves in the commit that makes it the policy: keys stay for tokens that live longer than those until now, which are
/// issued at once, however late the next step is taken. All else waits for that step.
#[must_use]
pub fn extend_retention(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> Vec<KeyTimes> {
    let here = records.keys.iter().filter(|key| key.state(now) != KeyStage::Removed && !is_revoked(key));
    let longer = here.filter_map(|key| {
        let until = key.retiring_from? + policy.retention();
        let KeyRecord { id, active_from, retiring_from, .. } = *key;
        let removed_at = key.removed_at.filter(|removed| *removed < until).map(|_| until)?;
        Some(KeyTimes { id, active_from, retiring_from, removed_at: Some(removed_at) })
    });
    longer.collect()
}
