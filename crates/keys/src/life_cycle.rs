//! The lifecycle of a tenant's keys as a pure state machine: announced, active, retiring, removed. The live
//! keys form a sequence. Each key retires exactly when the next becomes active, so exactly one signs at every
//! instant. The code reads no clock, generates no key and writes no row; its result is a [`KeyPlan`].

mod cache_lifetime;
mod commands;
mod happened;
mod key_sequence;
mod order;
mod outcome;
mod plan;
mod policy;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use values::Timestamp;

use self::key_sequence::KeySequence;
use crate::{KeyRecords, KeyStage};

pub use self::cache_lifetime::{JwksCacheLifetime, cache_lifetime};
pub use self::commands::{hold, import, revoke, rotate_in_emergency, rotate_now};
pub(crate) use self::key_sequence::is_revoked;
pub use self::plan::{Announcement, BrokenTokens, KeyCommandError, KeyPlan, KeyTimes, RevocationPlan};
pub use self::policy::KeyPolicy;

/// The plan for the present time and policy.
///
/// A key of another algorithm than the policy's gets a successor of the policy's algorithm, which is
/// announced at once and signs `publish_before` later; until then the old key signs. If the policy changes
/// back before that, the announced key is dropped, because it never signed. If it is so near its activation
/// that replicas may use it already, it becomes active and gets a successor.
#[must_use]
pub fn next(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> KeyPlan {
    let mut sequence = KeySequence::new(records, policy, now);
    sequence.set_in_order();
    sequence.continue_from(now);
    sequence.into_plan()
}

/// The part of a policy change that belongs in the commit of the policy. It retains keys for tokens with a
/// longer lifetime, which are issued at once, however late the next step runs. All other changes wait for
/// that step.
#[must_use]
pub fn extend_retention(records: &KeyRecords, policy: &KeyPolicy, now: Timestamp) -> Vec<KeyTimes> {
    let here = records.keys.iter().filter(|key| key.state(now) != KeyStage::Removed && !is_revoked(key));
    let longer = here.filter_map(|key| {
        let until = key.retiring_from? + policy.retention();
        key.removed_at.filter(|removed| *removed < until)?;
        Some(KeyTimes { removed_at: Some(until), ..KeyTimes::from_key(key) })
    });
    longer.collect()
}
